"""Checks of the arrays that a user gives as a data set."""

import numpy as np

from adversarial_autoencoder.errors import InputError


def checked_arrays(source, x_train, y_train=None, x_test=None, y_test=None):
    """Checks the arrays of a data set and brings them to one form.

    Args:
        source: Where the arrays come from, for the error messages.
        x_train: Images, shape (n, h, w), (n, h, w, 1) or (n, h, w, 3): integers in 0..255 or
            floating point numbers of at most 64 bits in [0, 1].
        y_train: Integer labels, shape (n,), with every class from 0 to the largest; or None.
        x_test: Images, as `x_train`; or None.
        y_test: Labels of the test images; or None.

    Returns:
        The four arrays: images of shape (n, h, w, c), uint8 or, if they were floating point,
        float32; labels int64. None stays None.

    Raises:
        InputError: If an array is not as described, or there are fewer than three images in all.
    """
    x_train = checked_images(x_train, f"x_train in {source}")
    if y_train is not None:
        y_train = _classes(y_train, len(x_train), f"y_train in {source}")
    if x_test is not None:
        x_test = checked_images(x_test, f"x_test in {source}")
        if (x_test.shape[1:], x_test.dtype) != (x_train.shape[1:], x_train.dtype):
            raise InputError(
                f"x_test in {source} must hold images like x_train's, {_describe(x_train)}. "
                f"Received: {_describe(x_test)}"
            )
    if y_test is not None:
        if x_test is None or y_train is None:
            missing = "x_test" if x_test is None else "y_train"
            raise InputError(f"y_test in {source} must come with {missing}. Received: none")
        y_test = _labels(y_test, len(x_test), f"y_test in {source}")
        if y_test.max() > y_train.max():
            raise InputError(
                f"y_test in {source} must hold classes of y_train, 0 to {y_train.max()}. "
                f"Received: {y_test.max()}"
            )
        y_test = y_test.astype("int64")
    needed = 3 if x_test is None else 2
    if len(x_train) < needed:
        raise InputError(
            f"x_train in {source} must hold at least {needed} images, so that there are some to "
            f"train, to validate and to test. Received: {len(x_train)}"
        )
    return x_train, y_train, x_test, y_test


def checked_images(x, name):
    """Images of shape (n, h, w, c), uint8 or float32, or an InputError that names the array."""
    numeric = x.dtype.kind in "iu" or (x.dtype.kind == "f" and x.dtype.itemsize <= 8)
    if not numeric:
        raise InputError(
            f"{name} must be of dtype uint8 or float16, float32 or float64. Received: {x.dtype}"
        )
    if x.ndim == 3:
        x = x[..., np.newaxis]
    if x.ndim != 4 or x.shape[-1] not in (1, 3):
        raise InputError(
            f"{name} must have the shape (n, h, w), (n, h, w, 1) or (n, h, w, 3). "
            f"Received: {x.shape}"
        )
    if 0 in x.shape:
        raise InputError(f"{name} must hold images with pixels. Received: shape {x.shape}")
    low, high = x.min(), x.max()
    limit = 1 if x.dtype.kind == "f" else 255
    # NaN compares false with everything, hence `not`.
    if not (low >= 0 and high <= limit):
        raise InputError(
            f"{name} of dtype {x.dtype} must lie in 0 to {limit}. Received: {low} to {high}"
        )
    return x.astype("float32" if limit == 1 else "uint8", copy=False)


def _labels(y, n, name):
    if y.dtype.kind not in "iu":
        raise InputError(f"{name} must hold integers. Received: dtype {y.dtype}")
    if y.shape != (n,):
        raise InputError(
            f"{name} must have the shape ({n},), a label for each image. Received: {y.shape}"
        )
    if y.min() < 0:
        raise InputError(f"{name} must hold labels from 0 on. Received: {y.min()}")
    return y


def _classes(y, n, name):
    """Labels of training images, int64, of which each class from 0 to the largest has one."""
    classes = np.unique(_labels(y, n, name))
    missing = np.flatnonzero(classes != np.arange(len(classes)))
    if len(missing):
        raise InputError(
            f"{name} must hold each class from 0 to {classes[-1]}. "
            f"Received: labels missing classes, the first of them {missing[0]}"
        )
    return y.astype("int64")


def _describe(x):
    return f"{x.dtype} of shape {x.shape[1:]}"
