"""Loads a data set by its name or path."""

import pathlib

from adversarial_autoencoder.data import known, shards
from adversarial_autoencoder.data.array_files import read_npz
from adversarial_autoencoder.data.checks import checked_images
from adversarial_autoencoder.data.dataset import make_dataset
from adversarial_autoencoder.data.image_folder import (
    image_names,
    read_image_folder,
    stream_image_folder,
)
from adversarial_autoencoder.errors import InputError, did_you_mean, print_warning


def load_images(path):
    """Loads a user's images, without labels.

    Args:
        path: An .npz file with x_train, or a folder of images, flat or with sub-folders.

    Returns:
        The name of each image, a list of strings, and the images, shape (n, h, w, c), uint8 or
        float32 in [0, 1].

    Raises:
        InputError: If they cannot be read.
    """
    path = pathlib.Path(path)
    is_folder, is_file = _kind("images", path)
    if is_folder:
        return image_names(path), checked_images(read_image_folder(path)[0], path)
    if is_file and path.suffix.lower() == ".npz":
        x = checked_images(read_npz(path)["x_train"], f"x_train in {path}")
        return [str(i) for i in range(len(x))], x
    raise InputError(f"images must be an .npz file or a folder of images. Received: {path}")


def prepare(folder, output):
    """Writes the images of a folder as TFRecord files, from which a training streams them.

    Args:
        folder: A folder of images, flat or with a sub-folder for each class.
        output: The folder to write, which does not exist yet, or is empty.

    Returns:
        The `Dataset`, whose training images are `shards.Shards`.

    Raises:
        InputError: If the images cannot be read, or there is something in the output folder.
    """
    folder, output = pathlib.Path(folder), pathlib.Path(output)
    if not folder.is_dir():
        raise InputError(f"dataset must be a folder of images to prepare. Received: {folder}")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"output_dir must be a new or an empty folder. Received: {output}")
    read_images, shape, y, class_names = stream_image_folder(folder)
    if shape[0] < 3:
        raise InputError(f"{folder} must hold at least 3 images. Received: {shape[0]}")
    return shards.write(output, folder.resolve().name, read_images, shape, y, class_names or ())


def load(dataset=None, data_dir=None, warn=print_warning):
    """Loads a data set.

    Args:
        dataset: "mnist", "fashion_mnist" or "digits"; or the path of an .npz file with x_train and
            optionally y_train, x_test and y_test, or of a folder of images, flat or with a
            sub-folder for each class, or of one that `prepare` wrote. None: MNIST, or digits with a
            warning where MNIST cannot be had.
        data_dir: Folder to look for MNIST and Fashion-MNIST in; by default the environment variable
            AAE_DATA_DIR. What is not there is downloaded by Keras, once.
        warn: Function that is called with the text of a warning; prints on stderr by default.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If there is no such data set or it cannot be used.
    """
    if dataset is None:
        try:
            return known.load_mnist("mnist", data_dir)
        except known.UnavailableError as error:
            warn(f"digits (8x8 pixels) are used instead of mnist: {error}")
            return known.load_digits()
    if dataset == "digits":
        return known.load_digits()
    if dataset in known.NAMES:
        return known.load_mnist(dataset, data_dir)
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


def _kind(name, path):
    """Whether a path is a folder, and whether it is a file."""
    try:
        return path.is_dir(), path.is_file()
    except OSError as error:  # such as a name that is too long
        raise InputError(f"{name} must be a readable path. Received: {error}") from error
