"""Figures show what their captions say."""

import warnings

import keras
import numpy as np
import pytest

from adversarial_autoencoder import AdversarialAutoencoder, figures, networks, phases, priors
from adversarial_autoencoder.figures.canvas import tile


class Coordinates:
    """Replaces a model: the image of a code shows two of its coordinates."""

    def __init__(self, model, dims):
        self.model, self.dims = model, dims
        self.prior, self.z_dim = model.prior, model.z_dim
        self.num_classes, self.cluster_heads, self.image_shape = 0, None, (4, 4, 1)

    def decode(self, z, y, batch_size):
        assert y is None
        assert len(z) == batch_size, "one decoder call"
        self.z = z
        images = np.zeros((len(z), 4, 4, 1), "float32")
        images[:, :, :2, 0] = (z[:, self.dims[0], None, None] + 20) / 40
        images[:, :, 2:, 0] = (z[:, self.dims[1], None, None] + 20) / 40
        return images


@pytest.mark.parametrize(("z_dim", "dims"), [(2, (0, 1)), (4, (3, 1))])
def test_latent_grid_places_each_image_at_its_code(make_model, z_dim, dims):
    model = Coordinates(make_model(z_dim=z_dim), dims)
    axes = figures.latent_grid(model, size=5, dims=dims).axes[0]
    image = axes.images[0]
    canvas, (left, right, bottom, top) = image.get_array(), image.get_extent()
    assert image.origin == "upper"
    for row, column in [(0, 0), (0, 4), (4, 0), (2, 1)]:
        # The middle of a cell of 4 + 1 pixels, in the coordinates of the axes.
        x = left + (column * 5 + 2) / canvas.shape[1] * (right - left)
        y = top - (row * 5 + 2) / canvas.shape[0] * (top - bottom)
        assert x == pytest.approx(canvas[row * 5, column * 5] * 40 - 20, abs=1e-4)
        assert y == pytest.approx(canvas[row * 5, column * 5 + 2] * 40 - 20, abs=1e-4)
    others = [i for i in range(z_dim) if i not in dims]
    assert np.all(model.z[:, others] == 0)
    assert np.abs(model.z).max() == 10
    assert axes.get_xlabel() == f"$z_{{{dims[0]}}}$"


def test_latent_grid_has_the_given_range(make_model):
    model = Coordinates(make_model(), (0, 1))
    figures.latent_grid(model, size=3, grid_range=4.0)
    assert np.unique(model.z[:, 0]).tolist() == [-4, 0, 4]


def test_interpolations_follow_a_straight_line_between_the_codes(make_model, digits):
    model = make_model()
    figure = figures.interpolations(model, digits[:2], digits[2:4], columns=5)
    canvas = figure.axes[0].images[0].get_array()
    assert np.allclose(canvas[:8, :8], digits[0, :, :, 0] / 255)
    assert np.allclose(canvas[:8, -8:], digits[2, :, :, 0] / 255)
    middle = (model.encode(digits[:1]) + model.encode(digits[2:3])) / 2
    assert np.allclose(canvas[:8, 27:35], model.decode(middle)[0, :, :, 0], atol=1e-5)


def test_reconstructions_are_below_their_images(make_model, digits):
    model = make_model()
    canvas = figures.reconstructions(model, digits[:3]).axes[0].images[0].get_array()
    assert np.allclose(canvas[:8, 9:17], digits[1, :, :, 0] / 255)
    assert np.allclose(canvas[9:17, 9:17], model(digits[1:2]).numpy()[0, :, :, 0], atol=1e-5)


def test_corrupted_images_are_above_their_reconstructions_and_the_clean_images(digits):
    keras.utils.set_random_seed(7)
    small = {"hidden_units": 8}
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, input_noise=0.3, **small),
        networks.decoder((8, 8, 1), 2, **small),
        phases=[phases.Reconstruction()],
    )
    canvas = figures.reconstructions(model, digits[:3], corrupt=True).axes[0].images[0].get_array()
    corrupted, reconstructed, clean = canvas[:8, 9:17], canvas[9:17, 9:17], canvas[18:26, 9:17]
    assert np.allclose(clean, digits[1, :, :, 0] / 255)
    noise = (corrupted - clean)[(corrupted > 0) & (corrupted < 1)]
    assert 0.1 < noise.std() < 0.5
    # The reconstruction is of the corrupted image.
    assert not np.allclose(reconstructed, model(digits[1:2]).numpy()[0, :, :, 0], atol=1e-5)


@pytest.mark.parametrize("num_classes", [1, 10, 40])
def test_latent_scatter_names_every_class_and_shows_every_code(num_classes):
    rng = np.random.default_rng(0)
    z, z_prior = rng.normal(0, 30, (200, 3)), rng.normal(0, 5, (200, 3))
    names = [f"class {k}" for k in range(num_classes)]
    figure = figures.latent_scatter(z, z_prior, np.arange(200) % num_classes, names, dims=(2, 0))
    left, right = figure.axes
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    assert left.get_xlim() == right.get_xlim()
    assert left.get_xlim()[0] < z[:, [0, 2]].min() <= z[:, [0, 2]].max() < left.get_ylim()[1]
    assert len(left.collections[0].get_offsets()) == 200
    assert right.get_xlabel() == "$z_{2}$"


def test_images_with_three_channels_or_none_are_drawn():
    for shape in [(2, 3, 5, 4, 3), (2, 3, 5, 4)]:
        canvas = tile(np.zeros(shape, "float32"), pad=1)
        assert canvas.shape[:2] == (11, 14)
        assert canvas[5].min() == 1  # the line between two rows


def test_a_figure_becomes_an_array_of_bytes(make_model):
    array = figures.to_array(figures.samples(make_model(), rows=2, columns=2))
    assert array.dtype == "uint8"
    assert array.ndim == 3
    assert array.std() > 10


def labelled_model(num_classes=10, image_shape=(8, 8, 1), infers_y=True, head_margin=None):
    keras.utils.set_random_seed(7)
    return AdversarialAutoencoder(
        networks.encoder(
            image_shape, 2, num_classes=num_classes if infers_y else 0, hidden_units=24
        ),
        networks.decoder(
            image_shape, 2, num_classes=num_classes, head_margin=head_margin, hidden_units=24
        ),
    )


def canvas_of(figure):
    return np.asarray(figure.axes[0].images[0].get_array())


def cell(figure, row, column, height=8, width=8):
    """The image in one row and column of a figure."""
    pad = max(1, height // 14)
    top, left = row * (height + pad), column * (width + pad)
    return canvas_of(figure)[top : top + height, left : left + width]


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_a_style_grid_shares_z_along_rows_and_y_along_columns():
    model = labelled_model()
    z = np.random.default_rng(0).normal(0, 3, (3, 2)).astype("float32")
    figure = figures.style_grid(model, z, [f"class {k}" for k in range(10)])
    assert canvas_of(figure).shape == (3 * 9 - 1, 10 * 9 - 1)
    for row in range(3):
        for column in (0, 4, 9):
            expected = model.decode(z[row : row + 1], [column])[0, :, :, 0]
            assert np.allclose(cell(figure, row, column), expected, atol=1e-5)
    assert tick_labels(figure.axes[0].xaxis) == [f"class {k}" for k in range(10)]


def test_a_style_grid_starts_its_rows_with_the_images_of_the_styles(digits):
    model = labelled_model()
    x = digits[:3]
    figure = figures.style_grid(model, model.encode(x), x=x)
    for row in range(3):
        assert np.allclose(cell(figure, row, 0), x[row, :, :, 0] / 255)
        expected = model.decode(model.encode(x[row : row + 1]), [9])[0, :, :, 0]
        assert np.allclose(cell(figure, row, 10), expected, atol=1e-5)
    assert tick_labels(figure.axes[0].xaxis) == ["image", *map(str, range(10))]


@pytest.mark.parametrize("head_margin", [None, 2.0])
def test_a_cluster_grid_shows_each_head_with_its_images(digits, head_margin):
    model = labelled_model(num_classes=4, head_margin=head_margin)
    # The y of an untrained model hardly differs between images.
    kernel = model.encoder.get_layer("encoder_y").kernel
    kernel.assign(kernel * 20)
    x = digits[:60]
    probabilities = model.classify(x)
    assigned = probabilities.argmax(axis=1)
    counts = np.bincount(assigned, minlength=4)
    assert len(set(assigned)) > 1
    figure = figures.cluster_grid(model, x, columns=8)
    for k in range(4):
        expected = model.decode(np.zeros((1, 2), "float32"), [k])[0, :, :, 0]
        assert np.allclose(cell(figure, k, 0), expected, atol=1e-5)
        of_cluster = np.flatnonzero(assigned == k)
        surest_first = of_cluster[np.argsort(-probabilities[of_cluster, k], kind="stable")]
        for column in range(8):
            shown = cell(figure, k, column + 1)
            if column < len(surest_first):
                assert np.allclose(shown, x[surest_first[column], :, :, 0] / 255)
            else:
                assert (shown == 1).all()
    assert tick_labels(figure.axes[0].yaxis) == [f"{k}: {count}" for k, count in enumerate(counts)]


def test_a_confusion_shows_every_count_in_its_cell():
    counts = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 5]])
    figure = figures.confusion(counts, ["cat", "dog", "a long name"])
    axes = figure.axes[0]
    shown = np.full((3, 3), -1)
    for text in axes.texts:
        column, row = text.get_position()
        shown[row, column] = int(text.get_text())
    assert np.array_equal(shown, counts)
    assert axes.get_ylabel() == "true class"
    assert "25 images, 12.00% misclassified" in axes.get_title()
    assert tick_labels(axes.yaxis) == ["cat", "dog", "a long name"]
    shares = np.asarray(axes.images[0].get_array())
    assert shares == pytest.approx(counts / counts.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("num_classes", [2, 12, 40])
def test_a_confusion_of_many_classes_with_an_empty_one(num_classes):
    counts = np.eye(num_classes, dtype=int) * 7
    counts[1] = 0
    figure = figures.confusion(counts, [str(k) for k in range(num_classes)])
    assert figures.to_array(figure).std() > 10


def test_cluster_heads_are_marked_among_the_codes():
    rng = np.random.default_rng(0)
    z, z_prior, heads = rng.normal(0, 1, (3, 200, 3))
    figure = figures.latent_scatter(z, z_prior, dims=(2, 0), heads=heads[:5])
    left, right = figure.axes
    marked = left.collections[-1].get_offsets()
    assert np.allclose(marked, heads[:5][:, [2, 0]])
    assert len(right.collections) == 1
    assert "heads" in left.get_title()


def test_cluster_heads_far_from_the_codes_are_still_in_the_figure():
    rng = np.random.default_rng(0)
    z, z_prior = rng.normal(0, 1, (2, 200, 2))
    figure = figures.latent_scatter(z, z_prior, heads=np.array([[30.0, 0.0]]))
    assert figure.axes[0].get_xlim()[1] > 30


def test_samples_of_a_conditioned_prior_have_the_colors_of_their_classes():
    prior = priors.GaussianMixture(4, radius=10.0)
    labels = np.arange(200) % 4
    z_prior = priors.draw(prior, 200, 2, labels=labels)
    figure = figures.latent_scatter(
        z_prior, z_prior, labels, list("abcd"), prior_labels=labels[::-1].copy()
    )
    for axes, classes in zip(figure.axes, (labels, labels[::-1]), strict=True):
        points = np.asarray(axes.collections[0].get_offsets())
        colours = axes.collections[0].get_facecolors()
        by_point = {tuple(p): tuple(c) for p, c in zip(points, colours, strict=True)}
        expected = [by_point[tuple(p)] for p in z_prior.astype(points.dtype)]
        for k in range(4):
            assert len({c for c, label in zip(expected, classes, strict=True) if label == k}) == 1
        assert len(set(expected)) == 4


def test_samples_have_a_row_for_each_y():
    model = labelled_model(num_classes=12)
    figure = figures.samples(model, rows=3, columns=4, seed=2)
    assert canvas_of(figure).shape == (12 * 9 - 1, 4 * 9 - 1)
    images = model.generate(48, np.repeat(np.arange(12), 4), seed=2)
    for row, column in [(0, 0), (3, 2), (11, 3)]:
        assert np.allclose(cell(figure, row, column), images[4 * row + column, :, :, 0], atol=1e-5)
    assert tick_labels(figure.axes[0].yaxis) == [str(k) for k in range(12)]


def test_a_latent_grid_decodes_with_the_given_y_or_with_the_point_only(digits):
    z = np.array([[-10.0, 10.0], [10.0, 10.0]], "float32")
    model = labelled_model()
    figure = figures.latent_grid(model, size=2, y=7)
    assert figure.axes[0].get_title().endswith("y = 7")
    assert np.allclose(cell(figure, 0, 1), model.decode(z, [7, 7])[1, :, :, 0], atol=1e-5)
    model = labelled_model(num_classes=4, head_margin=2.0)
    figure = figures.latent_grid(model, size=2)
    assert "y" not in figure.axes[0].get_title().split("deviations")[1]
    points = model.draw_representation(10_000)
    corner = points.mean(axis=0) + 2 * points.std(axis=0).mean()
    place = model.decode(corner[None], np.zeros((1, 4)))
    assert np.allclose(cell(figure, 0, 1), place[0, :, :, 0], atol=1e-4)


def test_interpolations_mix_the_two_values_of_y(digits):
    for infers_y in (True, False):
        model = labelled_model(infers_y=infers_y)
        x, labels = digits[:2], ([3], [5])
        given = {} if infers_y else {"y_from": labels[0], "y_to": labels[1]}
        figure = figures.interpolations(model, x[:1], x[1:], columns=3, **given)
        ends = model.classify(x) if infers_y else np.eye(10)[[3, 5]]
        middle = model.decode(
            model.encode(x).mean(axis=0, keepdims=True), ends.mean(axis=0, keepdims=True)
        )
        assert np.allclose(cell(figure, 0, 2), middle[0, :, :, 0], atol=1e-5)


def test_every_figure_accepts_images_in_colour_and_twelve_classes():
    """Images that are not square, as uint8; Matplotlib must not warn about the layout."""
    rng = np.random.default_rng(0)
    x, classes = rng.integers(0, 256, (30, 9, 14, 3), "uint8"), np.arange(30) % 12
    names = [f"a class with number {k}" for k in range(12)]
    inferring = labelled_model(12, (9, 14, 3))
    given = labelled_model(12, (9, 14, 3), infers_y=False)
    z = inferring.encode(x)
    drawn = [
        figures.reconstructions(inferring, x[:3]),
        figures.reconstructions(given, x[:3], classes[:3]),
        figures.samples(inferring, columns=3),
        figures.style_grid(inferring, z[:3], names, x[:3]),
        figures.cluster_grid(inferring, x, columns=3),
        figures.interpolations(inferring, x[:2], x[2:4], columns=3),
        figures.latent_grid(inferring, size=3, y=11),
        figures.latent_scatter(z, z, classes, names, prior_labels=classes, heads=z[:4]),
        figures.confusion(np.ones((12, 12), int), names),
    ]
    for figure in drawn:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            # Older versions of Matplotlib use deprecated functions of other packages.
            warnings.simplefilter("ignore", DeprecationWarning)
            array = figures.to_array(figure)
        assert array.shape[-1] == 4
        assert array[..., :3].std() > 5
    assert np.allclose(cell(drawn[3], 1, 0, 9, 14), x[1] / 255)
    expected = given.decode(given.encode(x[1:2]), classes[1:2])[0]
    assert np.allclose(cell(drawn[1], 1, 1, 9, 14), expected, atol=1e-5)
