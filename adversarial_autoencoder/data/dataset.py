"""A data set: images and labels, split into training, validation and test sets."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from adversarial_autoencoder.data.checks import checked_arrays

MAX_VALIDATION_IMAGES = 10_000


class TrainingImages(Protocol):
    """What training code uses of its images: the common interface of arrays and `Shards`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (n, height, width, channels)."""

    @property
    def dtype(self) -> np.dtype:
        """Data type of a pixel."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...

    def take(self, indices: np.ndarray, axis: int) -> np.ndarray:
        """Returns the images with the given indices.

        Args:
            indices: Indices of the images, integers of shape (m,).
            axis: The axis of the images, always 0.

        Returns:
            Images, shape (m, height, width, channels).
        """


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels, split into training, validation and test sets.

    Args:
        name: Short name.
        x_train: Training images, shape (n, h, w, c), where c is 1 or 3. They are float32 in [0, 1]
            if the source contains floating-point numbers, and uint8 in 0..255 otherwise. An array,
            or `shards.Shards` for images in files.
        y_train: Labels of the training images, int64 in 0..num_classes - 1, shape (n,). None if the
            data set has no labels.
        x_validation: Validation images, an array of the same image shape and dtype.
        y_validation: Labels of the validation images, int64, or None.
        x_test: Test images, an array of the same image shape and dtype.
        y_test: Labels of the test images, int64, or None. They can be None even if the training
            images have labels.
        class_names: One string for each class. Empty if the data set has no labels.
        checksum: Checksum of the arrays before the split, in the format of `checksum`.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.data.dataset import make_dataset
        >>> images, labels = np.zeros((36, 8, 8), "uint8"), np.arange(36) % 3
        >>> dataset = make_dataset("blank", "an example", images, labels)
        >>> len(dataset.x_train), len(dataset.x_validation), len(dataset.x_test)
        (25, 5, 6)
        >>> dataset.image_shape, dataset.num_classes
        ((8, 8, 1), 3)
    """

    name: str
    x_train: TrainingImages
    y_train: np.ndarray | None
    x_validation: np.ndarray
    y_validation: np.ndarray | None
    x_test: np.ndarray
    y_test: np.ndarray | None
    class_names: tuple[str, ...]
    checksum: str

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of an image, (height, width, channels)."""
        return self.x_train.shape[1:]

    @property
    def num_classes(self) -> int:
        """Number of classes, or 0 if the data set has no labels."""
        return len(self.class_names)


def make_dataset(
    name: str,
    source: str | pathlib.Path,
    x_train: np.ndarray,
    y_train: np.ndarray | None = None,
    x_test: np.ndarray | None = None,
    y_test: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    shuffle: bool = True,
) -> Dataset:
    """Checks arrays and splits them into training, validation and test sets.

    If no test images are given, the last sixth of the training images becomes the test set. Then
    the last sixth of the remaining training images, at most 10 000, becomes the validation set.

    Args:
        name: Short name of the data set.
        source: Where the arrays come from. Error messages quote it.
        x_train: Training images, shape (n, h, w), (n, h, w, 1) or (n, h, w, 3): integers in 0..255,
            or floating-point numbers in [0, 1].
        y_train: Labels of the training images, integers of shape (n,), or None. Every class from 0
            to the largest label must occur.
        x_test: Test images like `x_train`, or None.
        y_test: Labels of the test images, or None.
        class_names: One string for each class. The default is the numbers of the classes.
        shuffle: Whether to shuffle the training images before the split, because files are often
            sorted by class. The order is pseudo-random and always the same. Given test images keep
            their order.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If an array does not meet these conditions, or if there are fewer than three
            images in total.
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


def checksum(*arrays: np.ndarray | None) -> str:
    """Returns the SHA-256 checksum of a sequence of arrays.

    It covers the dtype, the shape and the values of every array. It does not depend on the byte
    order or the memory layout.

    Args:
        *arrays: Arrays, or None for a missing array.

    Returns:
        "sha256:" and 64 hexadecimal digits.
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


def _split_last(
    x: np.ndarray, y: np.ndarray | None, n: int
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray | None]:
    """Splits off the last n images and labels, but at least one."""
    start = len(x) - max(n, 1)
    return *_take(x, y, slice(start)), *_take(x, y, slice(start, None))


def _take(
    x: np.ndarray, y: np.ndarray | None, index: np.ndarray | slice
) -> tuple[np.ndarray, np.ndarray | None]:
    return x[index], None if y is None else y[index]
