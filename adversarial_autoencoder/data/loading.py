"""Loads a data set by its name or path."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.data import hints, known, shards
from adversarial_autoencoder.data.array_files import read_npz
from adversarial_autoencoder.data.checks import UNLABELLED, checked_images
from adversarial_autoencoder.data.dataset import Dataset, make_dataset
from adversarial_autoencoder.data.image_files import ImageReader
from adversarial_autoencoder.data.image_folder import ImageFolder, find_images
from adversarial_autoencoder.data.value_range import warn_if_narrow
from adversarial_autoencoder.errors import InputError, did_you_mean, print_warning


def load_images(
    path: str | pathlib.Path, warn: Callable[[str], object] = print_warning
) -> tuple[list[str], np.ndarray]:
    """Loads a user's images without labels.

    Args:
        path: An .npz file with the array x_train, or a folder of images, with or without
            sub-folders.
        warn: Function that is called with the text of a warning. By default, it prints on stderr.

    Returns:
        Two values. First, the names of the n images: file names relative to the folder, or the
        indices in x_train. Second, the images, shape (n, h, w, c), uint8 in 0..255 or float32 in
        [0, 1].

    Raises:
        InputError: If the path does not exist, or if its images cannot be read or used.
    """
    path = expand_home(path, "images")
    is_folder, is_file = _kind("images", path)
    with _if_usable(warn) as warn:
        if is_folder:
            found = find_images(path, warn)
            return found.names, found.read(warn)
        if is_file and path.suffix.lower() == ".npz":
            arrays = read_npz(path, warn)
            x = checked_images(arrays["x_train"], f"x_train in {path}")
            _warn_of_arrays(path, {"x_train": arrays["x_train"]}, warn)
            return [str(i) for i in range(len(x))], x
    raise InputError(f"images must be an .npz file or a folder of images. Received: {path}")


def prepare(
    folder: str | pathlib.Path,
    output: str | pathlib.Path,
    warn: Callable[[str], object] = print_warning,
) -> Dataset:
    """Writes the images of a folder to TFRecord files, for data sets larger than memory.

    `load` opens the output folder as a data set. A training then reads the images from the files
    while it needs them.

    Args:
        folder: A folder of images; see `image_folder.ImageFolder`.
        output: The folder to write. It must not exist or must be empty.
        warn: Function that is called with the text of a warning. By default, it prints on stderr.

    Returns:
        The `Dataset`. Its training images are `shards.Shards`.

    Raises:
        InputError: If the images cannot be read, if there are too few images, or if the output
            folder is not empty.
    """
    folder, output = expand_home(folder, "dataset"), expand_home(output, "output_dir")
    if not folder.is_dir():
        raise InputError(f"dataset must be a folder of images to prepare. Received: {folder}")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"output_dir must be a new or an empty folder. Received: {output}")
    with _if_usable(warn) as warn:
        found = _training_folder(folder, warn)
        shape = found.read_shape(warn)
        needed = 4 - len(found.sizes)
        if found.sizes["train"] < needed:
            raise InputError(
                f"{folder} must contain at least {needed} training images. "
                f"Received: {found.sizes['train']}"
            )
    return shards.write(
        output,
        folder.resolve().name,
        lambda indices: ImageReader()([found.paths[i] for i in indices]),
        shape,
        found.labels,
        found.class_names or (),
        found.sizes,
    )


def load(
    dataset: str | pathlib.Path | None = None,
    data_dir: str | pathlib.Path | None = None,
    warn: Callable[[str], object] = print_warning,
) -> Dataset:
    """Loads a data set by its name or path.

    Args:
        dataset: One of these: the name "mnist", "fashion_mnist" or "digits"; the path of an .npz
            file with x_train and optionally y_train, x_test and y_test; the path of a folder of
            images, see `image_folder.ImageFolder`; or the path of a folder that `prepare` wrote.
            The default None loads MNIST. If MNIST is not available, it warns and loads digits.
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
    with _if_usable(warn) as warn:
        return _load(dataset, data_dir, warn)


def _load(dataset, data_dir, warn):
    if dataset is None:
        try:
            return known.load_mnist("mnist", data_dir, warn)
        except known.UnavailableError as error:
            warn(f"digits (8x8 pixels) replaces mnist, which is not available. {error}")
            return known.load_digits()
    if dataset == "digits":
        return known.load_digits()
    if dataset in known.NAMES:
        return known.load_mnist(str(dataset), data_dir, warn)
    path = expand_home(dataset, "dataset")
    is_folder, is_file = _kind("dataset", path)
    if is_folder and shards.is_prepared(path):
        return shards.read(path)
    if is_folder:
        found = _training_folder(path, warn)
        arrays = found.split(found.read(warn))
        return make_dataset(path.resolve().name, path, **arrays, class_names=found.class_names)
    if is_file and path.suffix.lower() == ".npz":
        arrays = read_npz(path, warn)
        made = make_dataset(path.stem, path, **arrays)
        _warn_of_arrays(path, arrays, warn)
        return made
    raise InputError(
        f"dataset must be {', '.join(known.NAMES)}, an .npz file or a folder of images."
        f"{did_you_mean(dataset, known.NAMES)} Received: {dataset}"
    )


@contextlib.contextmanager
def _if_usable(warn: Callable[[str], object]) -> Iterator[Callable[[str], object]]:
    """Keeps warnings until the data has proved usable: what is refused is refused in one line."""
    texts: list[str] = []
    yield texts.append
    for text in texts:
        warn(text)


def _training_folder(path: pathlib.Path, warn: Callable[[str], object]) -> ImageFolder:
    """Finds the images of a folder, which must contain training images."""
    found = find_images(path, warn)
    if "train" not in found.sizes:
        raise InputError(
            f"{path} must contain training images, in a folder train. "
            f"Received: {', '.join(found.sizes)} images only"
        )
    return found


def _warn_of_arrays(
    path: pathlib.Path, arrays: dict[str, np.ndarray | None], warn: Callable[[str], object]
) -> None:
    """Warns of arrays that can be used and are probably not meant in this way."""
    for name, array in arrays.items():
        if array is None:
            continue
        if name.startswith("y"):
            if unlabelled := np.count_nonzero(array == UNLABELLED):
                warn(
                    f"{unlabelled} of the {len(array)} labels in {name} of {path} are "
                    f"{UNLABELLED}, for unlabelled images."
                )
            continue
        limit = 1 if array.dtype.kind == "f" else 255
        low, high = array.min().item(), array.max().item()
        warn_if_narrow(f"{name} in {path}", name, low, high, limit, warn)
        height, width = array.shape[1:3]
        if 1 in (height, width) and (hint := hints.for_shape(name, (len(array), height * width))):
            warn(f"{name} in {path} is read as images of {width}x{height} pixels.{hint}")


def _kind(name: str, path: pathlib.Path) -> tuple[bool, bool]:
    """Returns whether a path is a folder and whether it is a file."""
    try:
        return path.is_dir(), path.is_file()
    except OSError as error:  # For example, the path is too long.
        raise InputError(f"{name} must be a readable path. Received: {error}") from error
