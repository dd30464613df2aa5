"""Checks of the arrays in a user's data set."""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from adversarial_autoencoder.data import hints
from adversarial_autoencoder.errors import InputError

# The label of an image whose class is not known.
UNLABELLED = -1


def checked_arrays(
    source: str | pathlib.Path,
    arrays: dict[str, np.ndarray | None],
    checked_x: Callable[[np.ndarray, str], np.ndarray] | None = None,
) -> dict[str, Any]:
    """Checks the arrays of a data set and converts them to the common shapes and dtypes.

    Args:
        source: Where the arrays come from. Error messages quote it.
        arrays: The arrays by name. x_train: images, shape (n, h, w), (n, h, w, 1) or (n, h, w, 3),
            integers in 0..255 or floating-point numbers of at most 64 bits in [0, 1]. y_train:
            labels, integers of shape (n,), or None; every class from 0 to the largest label must
            occur, and -1 means unlabelled. x_validation and x_test: images with the height, width,
            channels and type of x_train, or None. y_validation and y_test: their labels, which must
            be classes of y_train or -1, or None. A missing array counts as None.
        checked_x: Function that checks and converts other data than images, as `checked_images`
            does.

    Returns:
        A dict with all six names. Images have the shape (n, h, w, c). They are float32 if they
        were floating-point numbers, and uint8 otherwise. Labels are int64. None stays None.

    Raises:
        InputError: If an array does not meet these conditions, or if there are fewer than three
            images in total.
    """
    x_train, y_train = arrays["x_train"], arrays.get("y_train")
    assert x_train is not None
    checked_x = checked_x or checked_images
    x_train = checked_x(x_train, f"x_train in {source}")
    if y_train is not None:
        y_train = _checked_classes(y_train, len(x_train), f"y_train in {source}")
    checked: dict[str, Any] = {"x_train": x_train, "y_train": y_train}
    given = 0
    for part in ("validation", "test"):
        x, y = arrays.get(f"x_{part}"), arrays.get(f"y_{part}")
        if x is not None:
            x = _checked_like(
                checked_x(x, f"x_{part} in {source}"), x_train, f"x_{part} in {source}"
            )
            given += 1
        if y is not None:
            if x is None or y_train is None:
                missing = f"x_{part}" if x is None else "y_train"
                raise InputError(
                    f"y_{part} in {source} must come with {missing}. Received: no {missing}"
                )
            y = _checked_labels(y, len(x), f"y_{part} in {source}")
            if y.max() > y_train.max():
                raise InputError(
                    f"y_{part} in {source} must contain only classes of y_train, 0 to "
                    f"{y_train.max()}.{hints.for_labels(f'y_{part}', y, len(x))} "
                    f"Received: {y.max()}"
                )
            y = y.astype("int64")
        checked |= {f"x_{part}": x, f"y_{part}": y}
    if len(x_train) < 3 - given:
        raise InputError(
            f"x_train in {source} must contain at least {3 - given} images, because training, "
            f"validation and test each need one. Received: {len(x_train)}"
        )
    return checked


def check_images(x: np.ndarray, name: str | pathlib.Path) -> None:
    """Checks the type and the shape of images.

    Args:
        x: Images, shape (n, h, w, 1) or (n, h, w, 3): booleans, integers, or floating-point numbers
            of at most 64 bits.
        name: Name of the array. Error messages quote it.

    Raises:
        InputError: If the array does not meet these conditions or is empty. The message contains
            the line of NumPy that converts usual other layouts.
    """
    variable = str(name).partition(" in ")[0]
    if not (x.dtype.kind in "biu" or (x.dtype.kind == "f" and x.dtype.itemsize <= 8)):
        raise InputError(
            f"{name} must have the dtype uint8, float16, float32 or float64."
            f"{hints.for_dtype(variable, x)} Received: {x.dtype}"
        )
    if x.ndim != 4 or x.shape[-1] not in (1, 3):
        raise InputError(
            f"{name} must have the shape (n, h, w), (n, h, w, 1) or (n, h, w, 3)."
            f"{hints.for_shape(variable, x.shape)} Received: {x.shape}"
        )
    if 0 in x.shape:
        raise InputError(
            f"{name} must contain at least one image with at least one pixel. "
            f"Received: shape {x.shape}"
        )


def checked_images(x: np.ndarray, name: str | pathlib.Path) -> np.ndarray:
    """Checks images and converts them to a common shape and dtype.

    Args:
        x: Images, shape (n, h, w), (n, h, w, 1) or (n, h, w, 3): integers in 0..255, or
            floating-point numbers of at most 64 bits in [0, 1].
        name: Name of the array. Error messages quote it.

    Returns:
        Images, shape (n, h, w, c): float32 in [0, 1] if they were floating-point numbers, and uint8
        otherwise.

    Raises:
        InputError: If the array does not meet these conditions or is empty.
    """
    x = x[..., np.newaxis] if x.ndim == 3 else x
    check_images(x, name)
    low, high = x.min().item(), x.max().item()
    limit = 1 if x.dtype.kind in "fb" else 255
    # Every comparison with NaN is false, so `low < 0 or high > limit` would accept NaN.
    if x.dtype.kind == "b" or not (low >= 0 and high <= limit):
        raise InputError(
            f"{name} must be integers in 0..255, or floating-point numbers in 0..1. "
            f"Received: {x.dtype} from {low} to {high}"
        )
    return x.astype("float32" if limit == 1 else "uint8", copy=False)


def _checked_like(x: np.ndarray, x_train: np.ndarray, name: str) -> np.ndarray:
    """Checks images or rows that must be like those of the training."""
    if (x.shape[1:], x.dtype) != (x_train.shape[1:], x_train.dtype):
        raise InputError(
            f"{name} must be like x_train, {_describe(x_train)}. Received: {_describe(x)}"
        )
    return x


def _checked_labels(y: np.ndarray, n: int, name: str) -> np.ndarray:
    if y.dtype.kind not in "iu":
        expected, received = "contain integers", f"dtype {y.dtype}"
    elif y.shape != (n,):
        expected, received = f"have the shape ({n},), one label for each image", str(y.shape)
    elif y.min() < UNLABELLED:
        expected = f"contain labels of at least 0, or {UNLABELLED} for unlabelled images"
        received = str(y.min())
    else:
        return y
    hint = hints.for_labels(name.partition(" in ")[0], y, n)
    raise InputError(f"{name} must {expected}.{hint} Received: {received}")


def _checked_classes(y: np.ndarray, n: int, name: str) -> np.ndarray:
    """Checks that every class from 0 to the largest label occurs. Returns int64 labels."""
    labels = _checked_labels(y, n, name)
    classes = np.unique(labels[labels != UNLABELLED])
    if not len(classes):
        raise InputError(
            f"{name} must contain the label of an image; without labels leave it out. "
            f"Received: {UNLABELLED} for each image"
        )
    missing = np.flatnonzero(classes != np.arange(len(classes)))
    if len(missing):
        raise InputError(
            f"{name} must contain every class from 0 to {classes[-1]}."
            f"{hints.for_labels(name.partition(' in ')[0], y, n)} "
            f"Received: no label of class {missing[0]}"
        )
    return y.astype("int64")


def _describe(x: np.ndarray) -> str:
    return f"{x.dtype} of shape {x.shape[1:]}"
