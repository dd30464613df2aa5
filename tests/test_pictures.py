"""Pictures for TensorBoard cost no epoch: they come after the checkpoint, and are bounded."""

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from adversarial_autoencoder import figures
from adversarial_autoencoder.figures import canvas
from adversarial_autoencoder.model import batch
from adversarial_autoencoder.training import callbacks

pytestmark = pytest.mark.pictures


class Recorder:
    """Stands for a `Checkpoint`."""

    def __init__(self):
        self.events = []

    def save(self):
        self.events.append("saved")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ValueError("no\nimage"),
        OSError(28, "full"),
        tf.errors.InternalError(None, None, ""),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.usefixtures("eager")
def test_a_picture_that_fails_is_a_warning(make_model, digits, tmp_path, monkeypatch, error):
    model, warned, recorder = make_model(), [], Recorder()
    sample = callbacks.PriorDistance(digits[:30])
    writer = callbacks.TensorBoard(tmp_path, sample)
    pictures = callbacks.Pictures(writer, checkpoint=recorder, warn=warned.append)

    def fail(*args, **kwargs):
        recorder.events.append("drawn")
        raise error

    monkeypatch.setattr(figures, "samples", fail)
    model.fit(digits[:100], batch_size=50, verbose=0, callbacks=[sample, writer, pictures])
    assert recorder.events == ["saved", "drawn"]
    (text,) = warned
    assert "images/samples of epoch 1" in text
    assert type(error).__name__ in text
    events = EventAccumulator(str(tmp_path / "validation"), {"tensors": 0}).Reload()
    shown = {tag for tag in events.Tags()["tensors"] if tag.startswith("images/")}
    assert "images/reconstructions" in shown
    assert "images/samples" not in shown


def test_a_grid_is_computed_in_parts_and_reduced(monkeypatch):
    """100 images of 512 x 512 are never in memory together."""
    monkeypatch.setattr(batch, "MAX_NUMBERS", 4 * 512 * 512 * 3)
    sizes = []

    def images_of(part):
        sizes.append(part.stop - part.start)
        value = np.arange(part.start, part.stop, dtype="float32")[:, None, None, None] / 100
        return np.broadcast_to(value, (sizes[-1], 512, 512, 3))

    grid = canvas.grid(images_of, 10, 10, (512, 512, 3))
    assert sizes == [4] * 25
    assert grid.shape == (10, 10, 256, 256, 3)
    assert grid[3, 7] == pytest.approx(0.37)
    assert np.prod(grid.shape[:4]) <= canvas.MAX_AREA


@pytest.mark.parametrize("image_shape", [(700, 700, 1), (5000, 1, 1), (1, 5000, 3), (28, 28, 1)])
def test_a_grid_has_a_bounded_number_of_pixels(image_shape):
    grid = canvas.grid(
        lambda part: np.zeros((part.stop - part.start, *image_shape), "float32"),
        20,
        20,
        image_shape,
    )
    rows, columns, height, width, _ = grid.shape
    assert rows * columns * height * width <= canvas.MAX_AREA
    assert max(rows * height, columns * width) <= canvas.MAX_PIXELS
    if image_shape == (28, 28, 1):
        assert (height, width) == (28, 28)
