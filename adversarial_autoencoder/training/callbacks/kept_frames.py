"""Keeps frames of a training for moving pictures: codes and decoded images of epoch after epoch."""

import keras
import numpy as np

from adversarial_autoencoder.data.array_files import read_arrays
from adversarial_autoencoder.errors import InputError, first_line, print_warning
from adversarial_autoencoder.figures.animation import picture
from adversarial_autoencoder.observations import Pixels
from adversarial_autoencoder.training.callbacks.time_budget import TimeBudget

# Validation images whose codes are kept; kept epochs; images on a side of the grid; pixels on a
# side of the grid. A file has at most 7 MB, with colour images 18 MB.
CODES, EPOCHS, SIDE, PIXELS = 500, 64, 10, 300
MAX_BYTES = 2**25
# In addition to `EPOCHS`: the untrained model, the one that a training continues, the last one.
MAX_FRAMES = EPOCHS + 3
# A frame of MNIST takes 20 ms.
SHARE = 0.01


class Frames(keras.callbacks.Callback):
    """Keeps after each epoch the codes of a fixed sample, and images decoded from fixed codes.

    It keeps the untrained model, every epoch or every 2nd, 4th, 8th, ... if there are more than
    `EPOCHS`, and the last one. If epochs are very short, it leaves out some, so that
    those between the first one and the last one take at most `SHARE` of the time. `Checkpoint`
    writes the frames together with the model.

    Frames that cannot be read or written are a warning. They cost no epoch.

    Args:
        run: The `runs.Run`.
        x: Validation images, shape (n, height, width, channels), or rows.
        initial_epoch: Number of completed epochs. Frames of later ones are discarded.
        warn: Function that is called with the text of a warning.

    Attributes:
        kept: Dict from the number of an epoch to its frame, a tuple of the codes, float32 of shape
            (m, min(z_dim, 2)), and a picture, uint8 of shape (height, width, channels), or None for
            a table.
    """

    def __init__(self, run, x, initial_epoch=0, warn=print_warning):
        super().__init__()
        self.run = run
        self.x = x.take(chosen(len(x)), axis=0)
        self.initial_epoch = initial_epoch
        self.kept = {}
        self.warn = warn
        self.can_write = True
        if initial_epoch and run.frames_path.exists():
            try:
                self.kept = read(run, initial_epoch)
            except InputError as error:
                warn(f"The frames of earlier epochs are left out: {error}")
        self.budget = TimeBudget(SHARE)

    def on_train_begin(self, logs=None):
        """Keeps the model before the training. Drops frames that a longer training leaves out."""
        self.every = 1
        while self.params["epochs"] > EPOCHS * self.every:
            self.every *= 2
        before, self.kept = self.kept, {}
        self._keep(self.initial_epoch)
        (first,) = self.kept.values()
        fitting = {
            epoch: frame
            for epoch, frame in before.items()
            if epoch % self.every == 0 and _shapes(frame) == _shapes(first)
        }
        self.kept = dict(sorted((self.kept | fitting).items()))

    def on_epoch_end(self, epoch, logs=None):
        """Keeps the epoch if it is due."""
        is_due = (epoch + 1) % self.every == 0 and self.budget.is_due()
        if is_due or epoch + 1 == self.params["epochs"]:
            with self.budget.spend():
                self._keep(epoch + 1)

    def _keep(self, epoch):
        model, drawn = self.model, None
        if isinstance(model.observation, Pixels):
            drawn = (255 * picture(model, SIDE, PIXELS)).round().astype("uint8")
        self.kept[epoch] = model.represent(self.x, seed=0)[:, :2], drawn

    def write(self):
        """Replaces the file of the run. The first failure is a warning, and the old file is kept.

        Raises:
            TrainingError: If this process has lost the lock of the run.
        """
        codes, pictures = zip(*self.kept.values(), strict=True)
        arrays = {"epochs": [*self.kept], "codes": codes}
        if pictures[0] is not None:
            arrays["pictures"] = pictures
        try:
            self.run.write_frames(lambda path: np.savez(path, **arrays))
        except OSError as error:
            if self.can_write:
                self.warn(f"The frames for --mode animate are not saved: {first_line(error)}")
            self.can_write = False


def _shapes(frame):
    return [None if array is None else array.shape for array in frame]


def chosen(n):
    """Which of `n` validation images the frames show, in increasing order."""
    return np.sort(np.random.default_rng(0).permutation(n)[:CODES])


def read(run, epochs):
    """Reads the frames of a run.

    Args:
        run: The `runs.Run`.
        epochs: Number of completed epochs. Frames of later ones, which a killed process can leave,
            are left out.

    Returns:
        Frames by epoch, as `Frames.kept`.

    Raises:
        InputError: If the file is missing or damaged, or has more frames or bytes than a training
            writes.
    """
    path = run.frames_path
    arrays = read_arrays(path, ["epochs", "codes", "pictures"], MAX_BYTES)
    numbers, codes, pictures = arrays.values()
    fits = (
        (numbers is not None and numbers.ndim == 1 and numbers.dtype.kind == "i")
        and (codes is not None and codes.ndim == 3 and codes.dtype == "float32")
        and len(codes) == len(numbers) <= MAX_FRAMES
        and _are_epochs(numbers.tolist())
        and (codes.shape[1] and codes.shape[2] in (1, 2) and np.isfinite(codes).all())
    )
    if fits and pictures is not None:
        fits = pictures.ndim == 4 and pictures.dtype == "uint8" and len(pictures) == len(numbers)
        fits = fits and min(pictures.shape[1:3], default=0) and pictures.shape[3] in (1, 3, 4)
    if not fits:
        raise InputError(
            f"{path} must have the arrays epochs, codes and pictures of a training. "
            f"Received: {_described(arrays)}"
        )
    if pictures is None:
        pictures = [None] * len(numbers)
    rows = zip(numbers.tolist(), codes, pictures, strict=True)
    return {epoch: (z, drawn) for epoch, z, drawn in rows if epoch <= epochs}


def _are_epochs(numbers):
    """Whether there are numbers, none is negative, and they increase."""
    return bool(numbers) and min(numbers) >= 0 and sorted({*numbers}) == numbers


def _described(arrays):
    return ", ".join(
        f"{name} {'missing' if array is None else f'{array.dtype} {array.shape}'}"
        for name, array in arrays.items()
    )
