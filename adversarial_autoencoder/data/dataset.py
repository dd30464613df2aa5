"""A data set: images and labels, split into training, validation and test sets."""

import dataclasses
import hashlib
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from adversarial_autoencoder.config.image_form import UNCHANGED, ImageForm
from adversarial_autoencoder.data.checks import UNLABELLED, checked_arrays
from adversarial_autoencoder.tables import Schema

PARTS = ("train", "validation", "test")
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
        y_train: Labels of the training images, int64 in 0..num_classes - 1, or -1 for an unlabelled
            image, shape (n,). None if the data set has no labels.
        x_validation: Validation images, an array of the same image shape and dtype.
        y_validation: Labels of the validation images, int64, or None if no one has a label.
        x_test: Test images, an array of the same image shape and dtype.
        y_test: Labels of the test images, int64, or None if no one has a label. They can be None
            even if the training images have labels.
        class_names: One string for each class. Empty if the data set has no labels.
        checksum: Checksum of the arrays before the split, in the format of `checksum`.
        form: The form into which the images were brought, with the range of values that was used.
        schema: The columns of a table, whose rows take the place of images: float32 arrays of shape
            (n, columns). None for images.

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
    form: ImageForm = UNCHANGED
    schema: Schema | None = None

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of an image, (height, width, channels), or of a row, (columns,)."""
        return self.x_train.shape[1:]

    @property
    def noun(self) -> str:
        """What x is, in the singular: "image" or "row"."""
        return "image" if self.schema is None else "row"

    @property
    def num_classes(self) -> int:
        """Number of classes, or 0 if the data set has no labels."""
        return len(self.class_names)

    @property
    def sizes(self) -> dict[str, Any]:
        """The arguments of `config.Config.for_data`, which fills in what follows from the data."""
        return {
            "num_images": len(self.x_train),
            "is_table": self.schema is not None,
            "num_inputs": self.schema.width if self.schema else math.prod(self.image_shape),
            "num_classes": self.num_classes,
        }

    def held_out_with_labels(self) -> "Dataset":
        """Returns the data set without the validation and test images that have no label.

        A model whose decoder needs the label of each image is measured on the others.
        """
        changed: dict[str, Any] = {}
        for part in ("validation", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            if y is not None and y.min() == UNLABELLED:
                labelled = np.flatnonzero(y != UNLABELLED)
                changed |= {f"x_{part}": x[labelled], f"y_{part}": y[labelled]}
        return dataclasses.replace(self, **changed)


def make_dataset(
    name: str,
    source: str | pathlib.Path,
    x_train: np.ndarray,
    y_train: np.ndarray | None = None,
    x_test: np.ndarray | None = None,
    y_test: np.ndarray | None = None,
    x_validation: np.ndarray | None = None,
    y_validation: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    shuffle: bool = True,
) -> Dataset:
    """Checks arrays and splits them into training, validation and test sets.

    If no test images are given, the last sixth of the training images becomes the test set. If no
    validation images are given, the last sixth of the remaining training images, at most 10 000,
    becomes the validation set.

    Args:
        name: Short name of the data set.
        source: Where the arrays come from. Error messages quote it.
        x_train: Training images, shape (n, h, w), (n, h, w, 1) or (n, h, w, 3): integers in 0..255,
            or floating-point numbers in [0, 1].
        y_train: Labels of the training images, integers of shape (n,), or None. Every class from 0
            to the largest label must occur. -1 means unlabelled.
        x_test: Test images like `x_train`, or None.
        y_test: Labels of the test images, or None.
        x_validation: Validation images like `x_train`, or None.
        y_validation: Labels of the validation images, or None.
        class_names: One string for each class. The default is the numbers of the classes.
        shuffle: Whether to shuffle the training images before the split, because files are often
            sorted by class. The order is pseudo-random and always the same. Given test and
            validation images keep their order.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If an array does not meet these conditions, or if there are fewer than three
            images in total.
    """
    given = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    if x_validation is not None or y_validation is not None:
        given |= {"x_validation": x_validation, "y_validation": y_validation}
    arrays = checked_arrays(source, given)
    digest = checksum(*(arrays[array] for array in given))
    return split(name, arrays, digest, class_names, shuffle)


def split(
    name: str,
    arrays: Mapping[str, Any],
    digest: str,
    class_names: Sequence[str] | None = None,
    shuffle: bool = True,
) -> Dataset:
    """Splits checked arrays, as `make_dataset` describes.

    Args:
        name: Short name of the data set.
        arrays: The arrays: "x_train", "y_train" and so on for each part; None for a missing one.
        digest: Their checksum.
        class_names: One string for each class. The default is the numbers of the classes.
        shuffle: Whether to shuffle the training images before the split.

    Returns:
        A `Dataset`.
    """
    parts = {part: (arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in PARTS}
    if arrays["y_train"] is not None and class_names is None:
        class_names = [str(label) for label in range(arrays["y_train"].max() + 1)]
    if shuffle:
        order = np.random.default_rng(0).permutation(len(arrays["x_train"]))
        parts["train"] = _take(*parts["train"], order)
    for part, limit in (("test", None), ("validation", MAX_VALIDATION_IMAGES)):
        if parts[part][0] is None:
            size = len(parts["train"][0]) // 6
            parts["train"], parts[part] = _split_last(*parts["train"], min(size, limit or size))
    return Dataset(
        name=name,
        x_train=parts["train"][0],
        y_train=parts["train"][1],
        x_validation=parts["validation"][0],
        y_validation=labels_or_none(parts["validation"][1]),
        x_test=parts["test"][0],
        y_test=labels_or_none(parts["test"][1]),
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


def labels_or_none(y: np.ndarray | None) -> np.ndarray | None:
    """Returns labels, or None if there are none.

    Args:
        y: Labels, integers of shape (n,), -1 for an unlabelled image; or None.

    Returns:
        `y`, or None if it is None or all images are unlabelled.
    """
    return None if y is None or y.max() == UNLABELLED else y


def _split_last(
    x: np.ndarray, y: np.ndarray | None, n: int
) -> tuple[tuple[np.ndarray, np.ndarray | None], tuple[np.ndarray, np.ndarray | None]]:
    """Splits off the last n images and labels, but at least one."""
    start = len(x) - max(n, 1)
    return _take(x, y, slice(start)), _take(x, y, slice(start, None))


def _take(
    x: np.ndarray, y: np.ndarray | None, index: np.ndarray | slice
) -> tuple[np.ndarray, np.ndarray | None]:
    return x[index], None if y is None else y[index]
