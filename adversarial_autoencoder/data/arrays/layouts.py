"""Brings arrays of images from usual layouts into one: (n, height, width, channels)."""

import concurrent.futures
import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from adversarial_autoencoder.config.image_form import ImageForm
from adversarial_autoencoder.data import hints
from adversarial_autoencoder.data.arrays.labels import numbered_labels
from adversarial_autoencoder.data.checks import check_images
from adversarial_autoencoder.data.images.resize import check_memory, convert, resize
from adversarial_autoencoder.data.value_range import array_range, scaled
from adversarial_autoencoder.errors import InputError

CHANNELS = (1, 3)


def as_images(
    arrays: dict[str, Any],
    source: str | pathlib.Path,
    form: ImageForm,
    warn: Callable[[str], object],
) -> tuple[dict[str, Any], ImageForm]:
    """Brings images and labels of usual layouts into the form that `make_dataset` takes.

    Args:
        arrays: Images and labels by name, such as x_train and y_train; None for a missing one.
        source: Where they come from.
        form: The form into which the images are brought.
        warn: Function that is called with the text of a warning, for each layout that is converted.

    Returns:
        Two values. First, the arguments of `make_dataset`: the arrays, images with the shape
        (n, h, w, c), and class_names. Second, the form with the range of values that was used.

    Raises:
        InputError: If the arrays are no images in a layout that is known, or do not fit the form.
    """
    x, form = laid_out(arrays, source, form, warn)
    channels = form.channels or max(array.shape[-1] for array in x.values())
    for name in x:
        x[name] = formed(x[name], form, channels, f"{name} in {source}")
    arrays, class_names = numbered_labels(arrays | x, source, warn)
    return arrays | {"class_names": class_names}, form


def laid_out(
    arrays: dict[str, Any],
    source: str | pathlib.Path,
    form: ImageForm,
    warn: Callable[[str], object],
    advise: bool = True,
) -> tuple[dict[str, np.ndarray], ImageForm]:
    """Finds the layout of images and checks their values, without a copy.

    Args:
        arrays: As in `as_images`.
        source: Where they come from.
        form: The form into which the images are brought.
        warn: Function that is called with the text of a warning.
        advise: Whether a warning can name the flag of another range of values.

    Returns:
        Two values. First, the arrays of images, each of shape (n, h, w, c), which `formed` brings
        into the form. Second, the form with the range of values that was used.

    Raises:
        InputError: If the arrays are no images in a layout that is known, or do not fit the form.
    """
    x = {}
    from_matlab = pathlib.Path(source).suffix.lower() == ".mat"
    for name, array in arrays.items():
        if name.startswith("x") and array is not None:
            labels = arrays.get(f"y{name[1:]}")
            n = max(labels.shape, default=0) if labels is not None else None
            x[name] = _channels_last(array, n, f"{name} in {source}", form, from_matlab, warn)
    for name, array in x.items():
        check_images(array, f"{name} in {source}")
        if hint := hints.for_strip(array.shape):
            height, width = array.shape[1:3]
            warn(f"{name} in {source} is read as images of {width}x{height} pixels.{hint}")
    value_range = array_range(x, source, form, warn, advise)
    return x, dataclasses.replace(form, value_range=value_range)


def reshaped(x: np.ndarray, form: ImageForm, source: str | pathlib.Path) -> np.ndarray:
    """Resizes images and converts their channels.

    Args:
        x: Images, uint8 or float32 of shape (n, h, w, c).
        form: The form, of which the size and the channels are used.
        source: Where they come from.

    Returns:
        Images of the same type.

    Raises:
        InputError: If the images do not fit in memory.
    """
    size, channels = form.size or x.shape[1:3], form.channels or x.shape[-1]
    if size == x.shape[1:3] and channels == x.shape[-1]:
        return x
    check_memory((len(x), *size, channels), x.itemsize, source)
    resized = np.empty((len(x), *size, channels), x.dtype)

    def place(i):
        resized[i] = convert(resize(x[i], size), channels)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for _ in pool.map(place, range(len(x))):
            pass
    return resized


def formed(x: np.ndarray, form: ImageForm, channels: int, source: str | pathlib.Path) -> np.ndarray:
    """Brings images into a form.

    Args:
        x: Images of `laid_out`, or a part of them, shape (n, h, w, c).
        form: The form, with a range of values.
        channels: The wanted number of channels, 1 or 3.
        source: Where they come from.

    Returns:
        Images, uint8 in 0..255 or float32 in [0, 1].

    Raises:
        InputError: If they do not fit in memory.
    """
    size = form.size or x.shape[1:3]
    check_memory((len(x), *size, channels), scaled(x[:1], form.value_range).itemsize, source)
    return reshaped(
        scaled(x, form.value_range), dataclasses.replace(form, channels=channels), source
    )


def _channels_last(x, n, name, form, from_matlab, warn):
    """The images (n, h, w, c) of an array in a usual layout; `n` is the number of labels or None.

    An array in another layout stays unchanged. It is refused later.
    """
    shape = x.shape
    if x.ndim == 2 and form.size is not None:
        return _unflattened(x, n, name, form.size)
    if x.ndim == 3:
        is_square = shape[0] == shape[1] != shape[2]
        if not from_matlab or not (is_square if n is None else shape[2] == n != shape[0]):
            return x[..., np.newaxis]
        found, layout = np.moveaxis(x, -1, 0)[..., np.newaxis], "the images on the last axis"
    elif x.ndim == 4 and shape[-1] not in CHANNELS:
        first, third = shape[1] in CHANNELS, shape[2] in CHANNELS
        if first == third:
            return x
        if first:
            found, layout = np.moveaxis(x, 1, -1), "the channels on the second axis"
        else:
            found, layout = np.moveaxis(x, -1, 0), "the images on the last axis"
    else:
        return x
    warn(f"{name} of shape {shape} is read with {layout}, as images of shape {found.shape}.")
    return found


def _unflattened(x, n, name, size):
    """The images of an array of one vector for each image."""
    height, width = size
    pixels = height * width
    if x.shape[1] != pixels and x.shape[0] == pixels and n in (None, x.shape[1]):
        x = x.T  # As in the files of MATLAB.
    if x.shape[1] != pixels:
        raise InputError(
            f"{name} must have {pixels} values for each image of --image_size {height}x{width}."
            f"{hints.for_flat(name.partition(' in ')[0], x.shape[1])} Received: shape {x.shape}"
        )
    return x.reshape(len(x), height, width, 1)
