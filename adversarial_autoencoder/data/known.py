"""The data sets that are known by name: mnist, fashion_mnist and digits."""

import os
import pathlib
import socket
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.data.array_files import read_idx, read_npz
from adversarial_autoencoder.data.dataset import Dataset, make_dataset
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError, print_warning

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
# Mean and standard deviation of the training pixels of Fashion-MNIST in [0, 1].
_FASHION_PIXELS = (0.2860, 0.3530)
_DOWNLOAD_TIMEOUT = 10  # Seconds without a response.


class UnavailableError(InputError):
    """A known data set that is not in the user's folder and cannot be downloaded.

    Args:
        message: The message, one line of at most `errors.MAX_LENGTH` characters.
    """


def load_mnist(
    name: str,
    data_dir: str | pathlib.Path | None = None,
    warn: Callable[[str], object] = print_warning,
) -> Dataset:
    """Loads MNIST or Fashion-MNIST.

    It reads the files in a folder of the user. If there are none, Keras downloads them, or reads
    them from its cache.

    MNIST: LeCun et al. 1998 ("Gradient-Based Learning Applied to Document Recognition").
    Fashion-MNIST: Xiao et al. 2017 (arXiv 1708.07747).

    Args:
        name: "mnist" or "fashion_mnist".
        data_dir: Folder that contains `<name>.npz` in the format of Keras, or the four IDX files.
            The default is the environment variable AAE_DATA_DIR.
        warn: Function that is called with the text of a warning.

    Returns:
        A `Dataset` of 50 000 training, 10 000 validation and 10 000 test images, uint8 of shape
        (28, 28, 1). If the files of fashion_mnist contain another set of the same shapes, it warns
        and returns that set, shuffled and with numbers as names of the classes.

    Raises:
        InputError: If `data_dir` does not exist or does not contain the files, or if the files do
            not contain this data set.
        UnavailableError: If `data_dir` is not given, AAE_DATA_DIR does not contain the files, and
            Keras cannot download them.
    """
    source, arrays = _from_folder(name, data_dir, warn) or _from_keras(name)
    for key, shape in _SHAPES.items():
        array = arrays[key]
        if array is None or (array.shape, array.dtype) != (shape, np.uint8):
            received = "none" if array is None else f"{array.dtype} of shape {array.shape}"
            raise InputError(
                f"{key} in {source} must be uint8 of shape {shape}. Received: {received}"
            )
    if name == "fashion_mnist":
        return _fashion(source, arrays, warn)
    dataset = make_dataset(name, source, **arrays, shuffle=False)
    if dataset.checksum != MNIST_CHECKSUM:
        raise InputError(
            f"mnist in {source} must be the original data set with the checksum {MNIST_CHECKSUM}; "
            f"--dataset FILE.npz trains on another set. Received: {dataset.checksum}"
        )
    return dataset


def load_digits() -> Dataset:
    """Loads the 1797 handwritten digits of scikit-learn, which need no download.

    They are in the package, because the import of scikit-learn takes about one second. They are a
    part of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998, UCI Machine
    Learning Repository, CC BY 4.0).

    Returns:
        A `Dataset` of images of shape (8, 8, 1), uint8. The 17 grey levels are scaled to 0..255.
    """
    with np.load(pathlib.Path(__file__).with_name("digits.npz")) as digits:
        return make_dataset("digits", "digits", digits["x"], digits["y"].astype("int64"))


def _fashion(
    source: str | pathlib.Path,
    arrays: Mapping[str, Any],
    warn: Callable[[str], object],
) -> Dataset:
    """Makes Fashion-MNIST of its arrays, or a data set of the user's own if they are another set.

    The published checksums of Fashion-MNIST are those of the compressed files, not of the arrays.
    """
    name = "fashion_mnist"
    dataset = make_dataset(name, source, **arrays, class_names=_FASHION_CLASSES, shuffle=False)
    if dataset.checksum == MNIST_CHECKSUM:
        raise InputError(f"{name} in {source} must be Fashion-MNIST. Received: MNIST")
    for key, count in (("y_train", 6000), ("y_test", 1000)):
        counts = np.bincount(arrays[key]).tolist()
        if counts != [count] * 10:
            raise InputError(
                f"{key} in {source} must contain each of the 10 classes {count} times. "
                f"Received: {counts}"
            )
    values = np.arange(256) / 255
    shares = np.bincount(arrays["x_train"].ravel(), minlength=256) / arrays["x_train"].size
    mean = shares @ values
    found = mean, np.sqrt(shares @ (values - mean) ** 2)
    if np.allclose(found, _FASHION_PIXELS, rtol=0, atol=5e-4):
        return dataset
    warn(
        f"{source} contains another data set than {name}: its training pixels have the mean "
        f"{found[0]:.4f} and the standard deviation {found[1]:.4f}, those of {name} "
        f"{_FASHION_PIXELS[0]:.4f} and {_FASHION_PIXELS[1]:.4f}. It is used as your own data."
    )
    return make_dataset(f"not_{name}", source, **arrays)


def _from_folder(
    name: str, data_dir: str | pathlib.Path | None, warn: Callable[[str], object]
) -> tuple[pathlib.Path, dict[str, Any]] | None:
    """Returns source and arrays from the user's folder. None: AAE_DATA_DIR does not have them."""
    location = data_dir or os.environ.get("AAE_DATA_DIR")
    if not location:
        return None
    folder = expand_home(location, "data_dir" if data_dir else "AAE_DATA_DIR")
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
        return archive, read_npz(archive, warn)
    found = {key: path for key, path in files.items() if path is not None}
    if len(found) < len(files):
        if data_dir:
            raise InputError(
                f"data_dir must contain {name}.npz or the four IDX files of {name}. "
                f"Received: {data_dir}"
            )
        return None
    return folder, {key: read_idx(path, _SHAPES[key]) for key, path in found.items()}


def _find_idx(folder: pathlib.Path, stem: str) -> pathlib.Path | None:
    names = (
        f"{name}{suffix}" for name in (stem, stem.replace("-idx", ".idx")) for suffix in ("", ".gz")
    )
    return next((path for name in names if (path := folder / name).is_file()), None)


def _from_keras(name: str) -> tuple[str, dict[str, np.ndarray]]:
    """Returns source and arrays of a data set from Keras, which downloads it or has it cached."""
    import_tensorflow()
    import keras  # The import takes seconds, and only a download needs it.

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_DOWNLOAD_TIMEOUT)
    try:
        (x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    except Exception as error:  # A failed download in Keras raises a plain Exception.
        raise UnavailableError(
            f"{name} must be available for download, or be in the folder of --data_dir or "
            f"AAE_DATA_DIR as {name}.npz or four IDX files. Received: {error}"
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return "the cache of Keras", arrays
