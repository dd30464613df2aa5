"""Loads a data set by its name or path."""

import pathlib
from collections.abc import Callable

import numpy as np

from adversarial_autoencoder.data import known, shards
from adversarial_autoencoder.data.array_files import read_npz
from adversarial_autoencoder.data.checks import checked_images
from adversarial_autoencoder.data.dataset import Dataset, make_dataset
from adversarial_autoencoder.data.image_folder import (
    image_names,
    read_image_folder,
    stream_image_folder,
)
from adversarial_autoencoder.errors import InputError, did_you_mean, print_warning


def load_images(path: str | pathlib.Path) -> tuple[list[str], np.ndarray]:
    """Loads a user's images without labels.

    Args:
        path: An .npz file with the array x_train, or a folder of images, with or without
            sub-folders.

    Returns:
        Two values. First, the names of the n images: file names relative to the folder, or the
        indices in x_train. Second, the images, shape (n, h, w, c), uint8 in 0..255 or float32 in
        [0, 1].

    Raises:
        InputError: If the path does not exist, or if its images cannot be read or used.
    """
    path = pathlib.Path(path)
    is_folder, is_file = _kind("images", path)
    if is_folder:
        return image_names(path), checked_images(read_image_folder(path)[0], path)
    if is_file and path.suffix.lower() == ".npz":
        x = checked_images(read_npz(path)["x_train"], f"x_train in {path}")
        return [str(i) for i in range(len(x))], x
    raise InputError(f"images must be an .npz file or a folder of images. Received: {path}")


def prepare(folder: str | pathlib.Path, output: str | pathlib.Path) -> Dataset:
    """Writes the images of a folder to TFRecord files, for data sets larger than memory.

    `load` opens the output folder as a data set. A training then reads the images from the files
    while it needs them.

    Args:
        folder: A folder of images, either without sub-folders or with one sub-folder for each
            class.
        output: The folder to write. It must not exist or must be empty.

    Returns:
        The `Dataset`. Its training images are `shards.Shards`.

    Raises:
        InputError: If the images cannot be read, if there are fewer than three images, or if the
            output folder is not empty.
    """
    folder, output = pathlib.Path(folder), pathlib.Path(output)
    if not folder.is_dir():
        raise InputError(f"dataset must be a folder of images to prepare. Received: {folder}")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"output_dir must be a new or an empty folder. Received: {output}")
    read_images, shape, y, class_names = stream_image_folder(folder)
    if shape[0] < 3:
        raise InputError(f"{folder} must contain at least 3 images. Received: {shape[0]}")
    return shards.write(output, folder.resolve().name, read_images, shape, y, class_names or ())


def load(
    dataset: str | pathlib.Path | None = None,
    data_dir: str | pathlib.Path | None = None,
    warn: Callable[[str], object] = print_warning,
) -> Dataset:
    """Loads a data set by its name or path.

    Args:
        dataset: One of these: the name "mnist", "fashion_mnist" or "digits"; the path of an .npz
            file with x_train and optionally y_train, x_test and y_test; the path of a folder of
            images, either without sub-folders or with one sub-folder for each class; or the path of
            a folder that `prepare` wrote. The default None loads MNIST. If MNIST is not available,
            it warns and loads digits.
        data_dir: Folder with the files of MNIST or Fashion-MNIST. The default is the environment
            variable AAE_DATA_DIR. If neither is set, Keras downloads the files and caches them.
        warn: Function that is called with the text of a warning. By default, it prints on stderr.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If the data set does not exist, is not available, or cannot be used.

    Example:
        >>> from adversarial_autoencoder.data import load
        >>> digits = load("digits")
        >>> digits.x_train.shape, digits.num_classes
        ((1249, 8, 8, 1), 10)
    """
    if dataset is None:
        try:
            return known.load_mnist("mnist", data_dir)
        except known.UnavailableError as error:
            warn(f"digits (8x8 pixels) replaces mnist, which is not available. {error}")
            return known.load_digits()
    if dataset == "digits":
        return known.load_digits()
    if dataset in known.NAMES:
        return known.load_mnist(str(dataset), data_dir)
    path = pathlib.Path(dataset)
    is_folder, is_file = _kind("dataset", path)
    if is_folder and shards.is_prepared(path):
        return shards.read(path)
    if is_folder:
        x, y, class_names = read_image_folder(path)
        return make_dataset(path.resolve().name, path, x, y, class_names=class_names)
    if is_file and path.suffix.lower() == ".npz":
        return make_dataset(path.stem, path, **read_npz(path))
    raise InputError(
        f"dataset must be {', '.join(known.NAMES)}, an .npz file or a folder of images."
        f"{did_you_mean(dataset, known.NAMES)} Received: {dataset}"
    )


def _kind(name: str, path: pathlib.Path) -> tuple[bool, bool]:
    """Returns whether a path is a folder and whether it is a file."""
    try:
        return path.is_dir(), path.is_file()
    except OSError as error:  # For example, the path is too long.
        raise InputError(f"{name} must be a readable path. Received: {error}") from error
