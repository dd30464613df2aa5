"""The data sets that are known by name: mnist, fashion_mnist and digits."""

import os
import pathlib
import socket

import numpy as np

from adversarial_autoencoder.data.array_files import read_idx, read_npz
from adversarial_autoencoder.data.dataset import make_dataset
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError

NAMES = ("mnist", "fashion_mnist", "digits")

MNIST_CHECKSUM = "sha256:526a7da5e00568f43cde5a861d0182cc15664e8b5171c6f91b58ab6db17945a4"

_SHAPES = {
    "x_train": (60_000, 28, 28),
    "y_train": (60_000,),
    "x_test": (10_000, 28, 28),
    "y_test": (10_000,),
}
_IDX_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
_FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_DOWNLOAD_TIMEOUT = 10  # seconds without an answer


class UnavailableError(InputError):
    """A known data set that is neither in the user's folder nor can be downloaded."""


def load_mnist(name, data_dir=None):
    """Loads MNIST or Fashion-MNIST: from a folder, else from Keras, which downloads it once.

    Args:
        name: "mnist" or "fashion_mnist".
        data_dir: Folder with `<name>.npz`, as Keras has it, or the four IDX files; by default the
            environment variable AAE_DATA_DIR.

    Returns:
        A `Dataset` of 50 000 training, 10 000 validation and 10 000 test images, uint8 of shape
        (28, 28, 1).

    Raises:
        InputError: If `data_dir` does not exist, or what was found is not the data set.
        UnavailableError: If there is no such set in the folder and none from Keras.
    """
    source, arrays = _from_folder(name, data_dir) or _from_keras(name)
    for key, shape in _SHAPES.items():
        array = arrays[key]
        if array is None or (array.shape, array.dtype) != (shape, np.uint8):
            received = "none" if array is None else f"{array.dtype} of shape {array.shape}"
            raise InputError(
                f"{key} in {source} must be uint8 of shape {shape}. Received: {received}"
            )
    fashion = name == "fashion_mnist"
    class_names = _FASHION_CLASSES if fashion else None
    dataset = make_dataset(name, source, **arrays, class_names=class_names, shuffle=False)
    if fashion:
        _check_fashion(source, arrays, dataset.checksum)
    elif dataset.checksum != MNIST_CHECKSUM:
        raise InputError(
            f"mnist in {source} must be the original, {MNIST_CHECKSUM}. "
            f"Received: {dataset.checksum}"
        )
    return dataset


def load_digits():
    """Loads scikit-learn's 1797 handwritten digits, which need no download.

    Returns:
        A `Dataset` of images of shape (8, 8, 1), uint8: the 17 grey levels scaled to 0..255.
    """
    from sklearn import datasets  # takes a second to import

    digits = datasets.load_digits()
    x = np.round(digits.images * (255 / 16)).astype("uint8")
    return make_dataset("digits", "digits", x, digits.target)


def _check_fashion(source, arrays, checksum):
    # Of Fashion-MNIST, checksums are published for the compressed files only, not for the arrays.
    # This tells it from MNIST and from an incomplete copy, but not from one with other pixels.
    if checksum == MNIST_CHECKSUM:
        raise InputError(f"fashion_mnist in {source} must be that set. Received: MNIST")
    for key, count in (("y_train", 6000), ("y_test", 1000)):
        counts = np.bincount(arrays[key]).tolist()
        if counts != [count] * 10:
            raise InputError(
                f"{key} in {source} must hold each of 10 classes {count} times. Received: {counts}"
            )


def _from_folder(name, data_dir):
    """The place and arrays of a set in the user's folder, or None if it does not have them all."""
    folder = data_dir or os.environ.get("AAE_DATA_DIR")
    if not folder:
        return None
    folder = pathlib.Path(folder)
    archive = folder / f"{name}.npz"
    try:
        if not folder.is_dir():
            raise InputError(
                f"{'data_dir' if data_dir else 'AAE_DATA_DIR'} must be a folder that exists. "
                f"Received: {folder}"
            )
        has_archive = archive.is_file()
        files = {key: _find_idx(folder, stem) for key, stem in _IDX_FILES.items()}
    except OSError as error:
        raise InputError(f"data_dir must be a readable folder. Received: {error}") from error
    if has_archive:
        return archive, read_npz(archive)
    if None in files.values():
        if data_dir:
            raise InputError(
                f"data_dir must hold {name}.npz or the four IDX files of {name}. "
                f"Received: {data_dir}"
            )
        return None
    return folder, {key: read_idx(path, _SHAPES[key]) for key, path in files.items()}


def _find_idx(folder, stem):
    names = (
        f"{name}{suffix}" for name in (stem, stem.replace("-idx", ".idx")) for suffix in ("", ".gz")
    )
    return next((path for name in names if (path := folder / name).is_file()), None)


def _from_keras(name):
    """The place and arrays of a set that Keras downloads, or has downloaded before."""
    import_tensorflow()
    import keras  # takes seconds to import, and is needed nowhere else to read data

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises no narrower class when a download fails.
        raise UnavailableError(
            f"{name} must be downloadable, or be given by --data_dir or AAE_DATA_DIR: a folder "
            f"with {name}.npz or its four IDX files. Received: {error}"
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return "Keras's cache", arrays
