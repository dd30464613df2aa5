"""Figures show what their captions say."""

import numpy as np
import pytest

from adversarial_autoencoder import figures


class Coordinates:
    """Stands where a decoder stands: a code becomes an image that shows two of its coordinates."""

    def __init__(self, model, dims):
        self.model, self.dims = model, dims
        self.prior, self.z_dim = model.prior, model.z_dim
        self.num_classes, self.cluster_heads = 0, None

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


def test_latent_grid_follows_the_range_asked_for(make_model):
    model = Coordinates(make_model(), (0, 1))
    figures.latent_grid(model, size=3, grid_range=4.0)
    assert np.unique(model.z[:, 0]).tolist() == [-4, 0, 4]


def test_interpolations_go_straight_from_one_image_to_the_other(make_model, digits):
    model = make_model()
    figure = figures.interpolations(model, digits[:2], digits[2:4], columns=5)
    canvas = figure.axes[0].images[0].get_array()
    assert np.allclose(canvas[:8, :8], digits[0, :, :, 0] / 255)
    assert np.allclose(canvas[:8, -8:], digits[2, :, :, 0] / 255)
    middle = (model.encode(digits[:1]) + model.encode(digits[2:3])) / 2
    assert np.allclose(canvas[:8, 27:35], model.decode(middle)[0, :, :, 0], atol=1e-5)


def test_reconstructions_stand_below_their_images(make_model, digits):
    model = make_model()
    canvas = figures.reconstructions(model, digits[:3]).axes[0].images[0].get_array()
    assert np.allclose(canvas[:8, 9:17], digits[1, :, :, 0] / 255)
    assert np.allclose(canvas[9:17, 9:17], model(digits[1:2]).numpy()[0, :, :, 0], atol=1e-5)


@pytest.mark.parametrize("num_classes", [1, 10, 40])
def test_latent_scatter_names_every_class_and_leaves_no_code_out(num_classes):
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


def test_images_of_three_channels_and_of_none_are_drawn():
    for shape in [(2, 3, 5, 4, 3), (2, 3, 5, 4)]:
        canvas = figures._tile(np.zeros(shape, "float32"), pad=1)
        assert canvas.shape[:2] == (11, 14)
        assert canvas[5].min() == 1  # the line between two rows


def test_a_figure_becomes_an_array_of_bytes(make_model):
    array = figures.to_array(figures.samples(make_model(), rows=2, columns=2))
    assert array.dtype == "uint8"
    assert array.ndim == 3
    assert array.std() > 10
