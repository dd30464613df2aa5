"""Histograms of codes and prior: the figure, and what TensorBoard shows of several trainings."""

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from adversarial_autoencoder import figures
from adversarial_autoencoder.figures.distribution import MAX_DIMENSIONS
from adversarial_autoencoder.training import callbacks

pytestmark = [pytest.mark.pictures, pytest.mark.usefixtures("eager")]


def areas(axes):
    """The areas of the prior's and of the codes' histogram in a panel."""
    shapes = [patch.get_path().vertices for patch in axes.patches]
    return [
        0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
        for x, y in (shape.T for shape in shapes)
    ]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 5, shape)


@pytest.mark.parametrize(("z_dim", "panels"), [(1, 1), (2, 3), (16, 17), (20, 17)])
def test_a_panel_for_all_dimensions_and_one_for_each(z_dim, panels):
    figure = figures.histograms(normal(500, z_dim), normal(500, z_dim, seed=1))
    assert len(figure.axes) == panels
    assert figure.axes[-1].get_title(loc="left") == f"$z_{{{min(z_dim, MAX_DIMENSIONS) - 1}}}$"
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    for axes in figure.axes:
        assert areas(axes) == pytest.approx([1, 1], abs=0.02)
    shown = figure.legends[0].get_texts()[1].get_text()
    assert ("first 16 of 20 dimensions" in shown) == (z_dim == 20)


def test_equal_distributions_cover_each_other_and_different_ones_do_not():
    z_prior, z = normal(4000, 2, seed=1), normal(4000, 2)
    z[:, 1] *= 0.2
    figure = figures.histograms(z, z_prior)

    def heights(axes):
        return [patch.get_path().vertices[:, 1].max() for patch in axes.patches]

    _, equal, narrow = figure.axes
    prior, codes = heights(equal)
    assert codes == pytest.approx(prior, rel=0.2)
    prior, codes = heights(narrow)
    assert codes > 3 * prior
    texts = [text.get_text() for text in narrow.texts]
    assert texts == [
        f"mean {np.mean(part):.2f}, std {np.std(part):.2f}" for part in (z[:, 1], z_prior[:, 1])
    ]


def test_the_shares_of_y_have_a_panel():
    z, y = normal(100, 2), np.repeat([0, 3], [25, 75])
    figure = figures.histograms(z, z, y, np.arange(100) % 4)
    axes = figure.axes[-1]
    assert axes.get_title(loc="left") == "most probable y"
    prior, codes = axes.patches
    assert codes.get_path().vertices[:, 1].max() == pytest.approx(0.75)
    assert prior.get_path().vertices[:, 1].max() == pytest.approx(0.25)


def test_a_far_code_does_not_squeeze_the_others_and_is_counted():
    z = np.clip(normal(10_000, 1), -9, 9)
    z[0] = 1e6
    figure = figures.histograms(z, normal(10_000, 1, seed=1))
    assert figure.axes[0].get_xlim()[1] < 30
    assert "(0.01% outside the axes)" in figure.legends[0].get_texts()[0].get_text()


@pytest.mark.parametrize("n", [1, 2, 30])
def test_few_codes_and_codes_at_one_point_are_drawn(n):
    for z in (normal(n, 2), np.zeros((n, 2))):
        for axes in figures.histograms(z, z).axes:
            assert areas(axes) == pytest.approx([1, 1])


def train(make_model, digits, path, epochs=2, draw=False, **settings):
    """A training that writes for TensorBoard, with codes wider than the prior."""
    model = make_model()
    model.compile("adam")
    sample = callbacks.PriorDistance(digits[:100])
    writer = callbacks.TensorBoard(path / "logs", sample)
    pictures = [callbacks.Pictures(writer, every=9, **settings)] if draw else []
    # The histograms of an epoch must not depend on the time that it takes.
    writer.budget.is_due = lambda: True
    model.fit(
        digits[:200],
        batch_size=100,
        epochs=epochs,
        validation_data=digits[:100],
        verbose=0,
        callbacks=[sample, writer, *pictures],
    )


def histograms_of(path, tag):
    events = EventAccumulator(str(path), {"tensors": 0}).Reload()
    return {e.step: tf.make_ndarray(e.tensor_proto) for e in events.Tensors(tag)}


def test_codes_and_prior_have_the_same_bins_in_every_epoch(make_model, digits, tmp_path):
    train(make_model, digits, tmp_path)
    for tag in ("latent_pooled", "latent_z0", "latent_z1"):
        codes, prior = (
            histograms_of(tmp_path / "logs" / source, tag) for source in ("encoder", "prior")
        )
        assert list(codes) == list(prior) == [1, 2]
        for step, bins in codes.items():
            assert np.array_equal(bins[:, :2], prior[step][:, :2])
            assert bins[:, 2].sum() == prior[step][:, 2].sum() == 100 * (1 + (tag[-1] == "d"))
            # Both fit: neither has empty bins at both ends.
            assert (bins + prior[step])[[0, -1], 2].min() > 0


def test_codes_and_prior_alternate_for_any_number_of_trainings(make_model, digits, tmp_path):
    """TensorBoard sorts the histograms of a tag by the names of the runs."""
    names = ["a", "a-2", "b", "few"]
    for name in names:
        train(make_model, digits, tmp_path / name, epochs=1)
    with_tag = [
        path.parent.relative_to(tmp_path)
        for path in tmp_path.rglob("events*")
        if "latent_z0" in EventAccumulator(str(path)).Reload().Tags()["tensors"]
    ]
    shown = [path.parts for path in sorted(with_tag, key=str)]
    assert len(shown) == 2 * len(names)
    for encoder, prior in zip(shown[::2], shown[1::2], strict=True):
        assert encoder[0] == prior[0]
        assert (encoder[-1], prior[-1]) == ("encoder", "prior")


def test_the_pictures_of_tensorboard_are_not_scaled(make_model, digits, tmp_path):
    """Letters that TensorBoard scales cannot be read."""
    labels = np.arange(100) % 3
    names = ["a", "b" * 50, "c"]
    train(make_model, digits, tmp_path, 1, draw=True, labels=labels, class_names=names)
    events = EventAccumulator(str(tmp_path / "logs" / "validation"), {"tensors": 0}).Reload()
    for tag in ("images/histograms", "images/latent_scatter"):
        width, *_ = tf.make_ndarray(events.Tensors(tag)[-1].tensor_proto)
        assert int(width) == 350
