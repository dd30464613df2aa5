"""Checks of the arrays in a user's data set."""

import pathlib

import numpy as np

from adversarial_autoencoder.errors import InputError


def checked_arrays(
    source: str | pathlib.Path,
    x_train: np.ndarray,
    y_train: np.ndarray | None = None,
    x_test: np.ndarray | None = None,
    y_test: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Checks the arrays of a data set and converts them to the common shapes and dtypes.

    Args:
        source: Where the arrays come from. Error messages quote it.
        x_train: Images, shape (n, h, w), (n, h, w, 1) or (n, h, w, 3): integers in 0..255, or
            floating-point numbers of at most 64 bits in [0, 1].
        y_train: Labels, integers of shape (n,), or None. Every class from 0 to the largest label
            must occur.
        x_test: Test images with the height, width, channels and type of `x_train`, or None.
        y_test: Labels of the test images, integers of shape (number of test images,), or None.
            Their classes must be in the range of `y_train`.

    Returns:
        The four arrays x_train, y_train, x_test and y_test. Images have the shape (n, h, w, c).
        They are float32 if they were floating-point numbers, and uint8 otherwise. Labels are int64.
        None stays None.

    Raises:
        InputError: If an array does not meet these conditions, or if there are fewer than three
            images in total.
    """
    x_train = checked_images(x_train, f"x_train in {source}")
    if y_train is not None:
        y_train = _checked_classes(y_train, len(x_train), f"y_train in {source}")
    if x_test is not None:
        x_test = checked_images(x_test, f"x_test in {source}")
        if (x_test.shape[1:], x_test.dtype) != (x_train.shape[1:], x_train.dtype):
            raise InputError(
                f"x_test in {source} must contain images like those in x_train, "
                f"{_describe(x_train)}. Received: {_describe(x_test)}"
            )
    if y_test is not None:
        if x_test is None or y_train is None:
            missing = "x_test" if x_test is None else "y_train"
            raise InputError(f"y_test in {source} must come with {missing}. Received: no {missing}")
        y_test = _checked_labels(y_test, len(x_test), f"y_test in {source}")
        if y_test.max() > y_train.max():
            raise InputError(
                f"y_test in {source} must contain only classes of y_train, 0 to {y_train.max()}. "
                f"Received: {y_test.max()}"
            )
        y_test = y_test.astype("int64")
    needed = 3 if x_test is None else 2
    if len(x_train) < needed:
        raise InputError(
            f"x_train in {source} must contain at least {needed} images, because training, "
            f"validation and test each need one. Received: {len(x_train)}"
        )
    return x_train, y_train, x_test, y_test


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
    numeric = x.dtype.kind in "iu" or (x.dtype.kind == "f" and x.dtype.itemsize <= 8)
    if not numeric:
        raise InputError(
            f"{name} must have the dtype uint8, float16, float32 or float64. Received: {x.dtype}"
        )
    if x.ndim == 3:
        x = x[..., np.newaxis]
    if x.ndim != 4 or x.shape[-1] not in (1, 3):
        raise InputError(
            f"{name} must have the shape (n, h, w), (n, h, w, 1) or (n, h, w, 3). "
            f"Received: {x.shape}"
        )
    if 0 in x.shape:
        raise InputError(
            f"{name} must contain at least one image with at least one pixel. "
            f"Received: shape {x.shape}"
        )
    low, high = x.min(), x.max()
    limit = 1 if x.dtype.kind == "f" else 255
    # Every comparison with NaN is false, so `low < 0 or high > limit` would accept NaN.
    if not (low >= 0 and high <= limit):
        raise InputError(
            f"{name} has the dtype {x.dtype}, so its values must be in the range 0 to {limit}. "
            f"Received: {low} to {high}"
        )
    return x.astype("float32" if limit == 1 else "uint8", copy=False)


def _checked_labels(y: np.ndarray, n: int, name: str) -> np.ndarray:
    if y.dtype.kind not in "iu":
        raise InputError(f"{name} must contain integers. Received: dtype {y.dtype}")
    if y.shape != (n,):
        raise InputError(
            f"{name} must have the shape ({n},), one label for each image. Received: {y.shape}"
        )
    if y.min() < 0:
        raise InputError(f"{name} must contain labels of at least 0. Received: {y.min()}")
    return y


def _checked_classes(y: np.ndarray, n: int, name: str) -> np.ndarray:
    """Checks that every class from 0 to the largest label occurs. Returns int64 labels."""
    classes = np.unique(_checked_labels(y, n, name))
    missing = np.flatnonzero(classes != np.arange(len(classes)))
    if len(missing):
        raise InputError(
            f"{name} must contain every class from 0 to {classes[-1]}. "
            f"Received: no label of class {missing[0]}"
        )
    return y.astype("int64")


def _describe(x: np.ndarray) -> str:
    return f"{x.dtype} of shape {x.shape[1:]}"
