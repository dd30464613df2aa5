"""A data set: images and labels, split for training, validation and test."""

import dataclasses
import hashlib

import numpy as np

from adversarial_autoencoder.data.checks import checked_arrays

MAX_VALIDATION_IMAGES = 10_000


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Images split for training, validation and test.

    Args:
        name: Short name.
        x_train: Images, shape (n, h, w, c) with c 1 or 3: uint8 in 0..255, or float32 in [0, 1] if
            the source was floating point.
        y_train: Labels, int64 in 0..num_classes - 1, shape (n,), or None.
        x_validation: Images, as `x_train`.
        y_validation: Labels, as `y_train`.
        x_test: Images, as `x_train`.
        y_test: Labels, as `y_train`; None too where only the training images have labels.
        class_names: One string for each class; empty without labels.
        checksum: "sha256:..." of the arrays before they were split, as `checksum` makes it.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray | None
    x_validation: np.ndarray
    y_validation: np.ndarray | None
    x_test: np.ndarray
    y_test: np.ndarray | None
    class_names: tuple[str, ...]
    checksum: str

    @property
    def image_shape(self):
        """(height, width, channels)"""
        return self.x_train.shape[1:]

    @property
    def num_classes(self):
        """Number of classes, 0 without labels."""
        return len(self.class_names)


def make_dataset(
    name, source, x_train, y_train=None, x_test=None, y_test=None, class_names=None, shuffle=True
):
    """Checks arrays and splits them.

    Without test images the last sixth of the images is the test set; then the last sixth of the
    training images, at most 10 000, is the validation set.

    Args:
        name: Short name of the data set.
        source: Where the arrays come from, for the error messages.
        x_train: Training images, as `checked_arrays` takes them.
        y_train: Their labels, or None.
        x_test: Test images; None to split them off.
        y_test: Their labels, or None.
        class_names: Strings, one for each class; by default their numbers.
        shuffle: Whether to put the training images in a fixed pseudo-random order before they are
            split: files are often sorted by class. Given test images keep their order.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If the arrays are not as described, or there are too few images to split.
    """
    arrays = checked_arrays(source, x_train, y_train, x_test, y_test)
    x_train, y_train, x_test, y_test = arrays
    if y_train is not None and class_names is None:
        class_names = [str(label) for label in range(y_train.max() + 1)]
    digest = checksum(*arrays)
    if shuffle:
        order = np.random.default_rng(0).permutation(len(x_train))
        x_train, y_train = _take(x_train, y_train, order)
    if x_test is None:
        x_train, y_train, x_test, y_test = _split_last(x_train, y_train, len(x_train) // 6)
    x_train, y_train, x_validation, y_validation = _split_last(
        x_train, y_train, min(len(x_train) // 6, MAX_VALIDATION_IMAGES)
    )
    return Dataset(
        name=name,
        x_train=x_train,
        y_train=y_train,
        x_validation=x_validation,
        y_validation=y_validation,
        x_test=x_test,
        y_test=y_test,
        class_names=tuple(class_names or ()),
        checksum=digest,
    )


def checksum(*arrays):
    """The SHA-256 of arrays in their order: of each its dtype, its shape and its bytes.

    Args:
        arrays: Arrays, or None for one that is missing.

    Returns:
        "sha256:" and 64 hexadecimal digits, the same on every machine.
    """
    digest = hashlib.sha256()
    for array in arrays:
        if array is None:
            digest.update(b"None")
        else:
            array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
            digest.update(f"{array.dtype.name}{array.shape}".encode())
            digest.update(array.data)
    return f"sha256:{digest.hexdigest()}"


def _split_last(x, y, n):
    """Splits off the last n images and labels, at least one."""
    start = len(x) - max(n, 1)
    return *_take(x, y, slice(start)), *_take(x, y, slice(start, None))


def _take(x, y, index):
    return x[index], None if y is None else y[index]
