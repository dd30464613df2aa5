"""The sizes of figures: no empty bands, and no explosion with many classes or odd images."""

import warnings

import keras
import numpy as np
import pytest

from adversarial_autoencoder import AdversarialAutoencoder, figures, networks
from adversarial_autoencoder.figures.canvas import MAX_INCHES
from adversarial_autoencoder.figures.images import MAX_VALUES

# The dots per inch of the files that the command line writes.
DPI = 150


@pytest.fixture(autouse=True)
def no_warnings():
    """Drawing is silent."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def make(image_shape=(8, 8, 1), num_classes=0):
    keras.utils.set_random_seed(7)
    size = {"hidden_units": 4, "hidden_layers": 1}
    return AdversarialAutoencoder(
        networks.encoder(image_shape, 2, num_classes=num_classes, **size),
        networks.decoder(image_shape, 2, num_classes=num_classes, **size),
    )


def margins(figure):
    """The widths of the white bands at the four sides of a figure, in inches."""
    white = (figures.to_array(figure, DPI)[..., :3] == 255).all(axis=-1)
    bands = []
    for lines in (white.all(axis=1), white.all(axis=0)):
        content = np.flatnonzero(~lines)
        bands += [content[0], len(lines) - 1 - content[-1]]
    return np.array(bands) / DPI


SHAPES = [(8, 8, 1), (10, 20, 3), (20, 10, 1), (4, 80, 1), (80, 4, 3)]


@pytest.mark.parametrize("image_shape", SHAPES, ids=str)
def test_a_latent_grid_has_no_white_bands(image_shape):
    figure = figures.latent_grid(make(image_shape), size=6)
    assert margins(figure).max() < 0.15
    assert max(figure.get_size_inches()) < 16
    (axes,) = figure.axes
    # Each image has its own proportions.
    canvas = axes.images[0].get_array().shape
    drawn = axes.get_window_extent()
    assert drawn.height / drawn.width == pytest.approx(canvas[0] / canvas[1], rel=0.02)


@pytest.mark.parametrize("image_shape", SHAPES, ids=str)
def test_rows_of_images_have_no_white_bands_and_a_bounded_size(image_shape):
    model = make(image_shape)
    x = np.random.default_rng(0).random((50, *image_shape), "float32")
    for figure in (figures.reconstructions(model, x), figures.samples(model, 5, 5)):
        assert margins(figure).max() < 0.15
        assert max(figure.get_size_inches()) < MAX_INCHES + 2


@pytest.mark.parametrize("num_images", [1, 2])
def test_one_image_is_drawn(num_images):
    model = make(num_classes=3)
    x = np.random.default_rng(0).random((num_images, 8, 8, 1), "float32")
    drawn = [
        figures.reconstructions(model, x),
        figures.style_grid(model, model.encode(x), x=x),
        figures.cluster_grid(model, x),
        figures.interpolations(model, x[:1], x[-1:]),
        figures.latent_scatter(model.encode(x), model.encode(x), [0] * num_images, ["a"]),
        figures.histograms(model.encode(x), model.encode(x)),
    ]
    for figure in drawn:
        assert margins(figure)[:3].max() < 0.15
    counted = "1 image" if num_images == 1 else "2 images"
    assert counted in drawn[2].axes[0].get_title()
    assert f"of {counted}" in drawn[4].axes[0].get_title()


def test_a_model_of_one_used_cluster_says_so(digits):
    model = make(num_classes=5)
    model.encoder.get_layer("encoder_y").bias.assign([0, 0, 50, 0, 0])
    figure = figures.cluster_grid(model, digits[:30])
    title = figure.axes[0].get_title().replace("\n", " ")
    assert "1 of 5 clusters in use" in title
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == ["0: 0", "1: 0", "2: 30", "3: 0", "4: 0"]


def test_of_many_clusters_the_largest_are_shown(digits):
    model = make(num_classes=400)
    bias = np.zeros(400)
    bias[377] = 50
    model.encoder.get_layer("encoder_y").bias.assign(bias)
    figure = figures.cluster_grid(model, digits[:30])
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(rows) == MAX_VALUES
    assert rows[-1] == "377: 30"
    assert "shown: the 50 largest" in figure.axes[0].get_title().replace("\n", " ")


@pytest.mark.parametrize("num_classes", [51, 400])
def test_many_classes_give_figures_of_a_bounded_size(num_classes, digits):
    model, names = make(num_classes=num_classes), [f"class {k}" for k in range(num_classes)]
    z = np.random.default_rng(0).normal(0, 1, (500, 2))
    y = np.arange(500) % num_classes
    grids = [figures.samples(model, columns=5), figures.style_grid(model, z[:5], names)]
    for figure in grids:
        title = figure.axes[0].get_title().replace("\n", " ")
        assert f"the first 50 of {num_classes} values of y" in title
    assert len(grids[1].axes[0].get_xticklabels()) == MAX_VALUES
    others = [
        figures.latent_scatter(z, z, y, names),
        figures.latent_scatter(z, z, y, names, columns=1),
        figures.confusion(np.eye(num_classes, dtype=int), names),
        figures.histograms(z, z, y, y),
    ]
    for figure in (*grids, *others):
        assert max(figure.get_size_inches()) < MAX_INCHES + 2
    for figure in others[:2]:
        assert not figure.legends
        assert len(figure.axes) == 3  # The third is the colour bar.


def test_a_comparison_of_many_runs_has_a_bounded_size():
    runs = [f"run-{i}" for i in range(150)]
    metrics = {run: {"mse": i, "fid": i} for i, run in enumerate(runs)}
    figure = figures.comparison(metrics, {}, {"mse": "lower", "fid": "lower"})
    assert max(figure.get_size_inches()) < 30


def test_large_images_are_reduced_before_they_are_tiled():
    """A grid of 20 x 20 images of 1000 x 1000 pixels would need gigabytes."""

    class Large:
        num_classes, cluster_heads, z_dim, image_shape = 0, None, 2, (900, 900, 1)
        prior = staticmethod(
            lambda n, dim, seed: np.zeros((n, dim), "float32") + [[1], [-1]] * (n // 2)
        )

        def decode(self, z, y, batch_size):
            return np.broadcast_to(np.float32(0.5), (len(z), 900, 900, 1))

    figure = figures.latent_grid(Large(), size=10)
    pixels = figure.axes[0].images[0].get_array()
    assert max(pixels.shape) < 3500
    assert pixels[0, 0] == 0.5


@pytest.mark.parametrize("image_shape", [(64,), (8, 8, 2)])
def test_what_is_no_image_is_refused(image_shape):
    model = make((8, 8, 1))
    images = np.zeros((4, *image_shape), "float32")
    model.generate = lambda *args: images
    with pytest.raises(ValueError, match=r"1, 3 or 4 channels. Received: images of shape \("):
        figures.samples(model, 2, 2)
