"""Reads images for a trained model: the files of a folder, or an array in a file."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from adversarial_autoencoder.config.image_form import AUTO, BY_TYPE, ImageForm
from adversarial_autoencoder.data.array_files import map_npy, read_npz
from adversarial_autoencoder.data.arrays.layouts import formed, laid_out
from adversarial_autoencoder.data.arrays.mat_files import read_mat
from adversarial_autoencoder.data.images.files import ImageReader
from adversarial_autoencoder.data.images.folder import ImageFolder, find_images
from adversarial_autoencoder.data.images.resize import convert
from adversarial_autoencoder.data.inputs.source import FILE, INDEX, Source, slices
from adversarial_autoencoder.data.value_range import check_inside, file_range, scaled_file
from adversarial_autoencoder.errors import InputError, printable

SUFFIXES = ("folder", ".npz", ".mat", ".npy")


def open_images(
    path: pathlib.Path,
    shape: tuple[int, ...],
    form: ImageForm,
    batch_size: int,
    warn: Callable[[str], object],
) -> Source:
    """Opens images.

    Args:
        path: A folder, or an .npz, .mat or .npy file.
        shape: Shape of an image that the model takes, (height, width, channels).
        form: The form of the images of the training.
        batch_size: Largest number of images of a batch.
        warn: Function that is called with the text of a warning.

    Returns:
        A `Source`.

    Raises:
        InputError: If the images cannot be read, or do not fit.
    """
    if form.value_range == AUTO:
        form = dataclasses.replace(form, value_range=BY_TYPE)
    if path.is_dir():
        found = find_images(path, warn)
        return Source(FILE, _of_files(found, shape, form, batch_size, warn))
    arrays, form = laid_out({"x_train": read_array(path, warn)}, path, form, warn, advise=False)
    x = arrays["x_train"]
    channels = _channels(form.channels or x.shape[-1], shape)
    _check_shape((*(form.size or x.shape[1:3]), channels), shape)
    form = dataclasses.replace(form, channels=channels)
    return Source(INDEX, _of_array(x, form, path, batch_size))


def read_array(path: pathlib.Path, warn: Callable[[str], object]) -> np.ndarray:
    """Reads the array of images or rows in a file.

    Args:
        path: An .npz or .mat file, of which x_train is read, or an .npy file. Except for a .mat
            file, the array stays on the disk until its parts are used.
        warn: Function that is called with the text of a warning.

    Returns:
        The array.

    Raises:
        InputError: If the file cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return map_npy(path)
    arrays = read_npz(path, warn, on_disk=True) if suffix == ".npz" else read_mat(path, warn)
    others = [name for name, x in arrays.items() if name[0] == "x" and x is not None]
    if others := [name for name in others if name != "x_train"]:
        warn(f"Only x_train of {path} is used. Left out: {', '.join(others)}.")
    return arrays["x_train"]


def _of_array(x, form, path, batch_size) -> Iterator[tuple[Any, np.ndarray, float]]:
    """Batches of an array."""
    for part in slices(len(x), batch_size):
        yield (
            np.arange(part.start, part.stop),
            formed(np.asarray(x[part]), form, form.channels, path),
            part.stop / len(x),
        )


def _of_files(
    found: ImageFolder,
    shape: tuple[int, ...],
    form: ImageForm,
    batch_size: int,
    warn: Callable[[str], object],
) -> Iterator[tuple[Any, np.ndarray, float]]:
    """Batches of image files. The range of their values is checked before they are scaled."""
    reader, n = ImageReader(form.size, advise=False), len(found.paths)
    for part in slices(n, batch_size):
        paths = found.paths[part]
        images = [*reader(paths)]
        channels = _channels(form.channels or max(image.shape[-1] for image in images), shape)
        _check_shape((*images[0].shape[:2], channels), shape)
        if not isinstance(form.value_range, str):
            for low, high in reader.ranges.values():
                check_inside(low, high, form.value_range, f"the images in {found.path}")
        images = [convert(scaled_file(image, form.value_range), channels) for image in images]
        if len({image.dtype for image in images}) > 1:  # Of 8 bits among others of 16 bits.
            images = [x / np.float32(255) if x.dtype == np.uint8 else x for x in images]
        names = [printable(path.relative_to(found.path)) for path in paths]
        yield names, np.stack(images), part.stop / n
    if reader.enlarged:
        warn(
            f"{reader.enlarged} of the {n} images in {found.path} are smaller than the images of "
            "the training and are enlarged."
        )
    file_range(reader.ranges, found.path, form, warn, advise=False)


def _channels(channels, shape):
    """The channels to read: a model of colour images also takes grey ones."""
    return max(channels, shape[-1])


def _check_shape(found, shape):
    if tuple(found) != tuple(shape):
        raise InputError(
            f"input must have images of the shape {tuple(shape)} (height, width, channels). "
            f"Received: {tuple(found)}"
        )
