"""config.json of a run: the settings, the data set and the versions of the libraries."""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import platform
import typing
from collections.abc import Mapping, Sequence, Sized
from importlib import metadata

from adversarial_autoencoder.config import Config, files
from adversarial_autoencoder.config.small_files import open_regular, read_json
from adversarial_autoencoder.errors import InputError, reading
from adversarial_autoencoder.runs.durable import atomic

CONFIG = "config.json"
LIBRARIES = ("tensorflow", "keras", "tensorboard", "numpy")


class RecordedArray(Sized, typing.Protocol):
    """The attributes of training images that config.json records."""

    @property
    def dtype(self) -> typing.Any:
        """Data type of a pixel."""


class RecordedDataset(typing.Protocol):
    """The attributes of a `data.Dataset` that config.json records."""

    @property
    def name(self) -> str:
        """Short name."""

    @property
    def checksum(self) -> str:
        """Checksum of the arrays."""

    @property
    def image_shape(self) -> Sequence[int]:
        """Shape of an image, (height, width, channels), or of a row, (columns,)."""

    @property
    def class_names(self) -> Sequence[str]:
        """One string for each class."""

    @property
    def x_train(self) -> RecordedArray:
        """Training images."""

    @property
    def x_validation(self) -> Sized:
        """Validation images."""

    @property
    def x_test(self) -> Sized:
        """Test images."""


def write(folder: pathlib.Path, config: Config, dataset: RecordedDataset) -> None:
    """Writes config.json.

    Args:
        folder: The run's folder.
        config: The settings, resolved for the data set.
        dataset: The `data.Dataset` of the training.

    Raises:
        InputError: If `prior` is a .npy file that cannot be read.
    """
    prior = config.prior
    document = {
        "config": dataclasses.asdict(config),
        "data": {
            "name": dataset.name,
            "checksum": dataset.checksum,
            "image_shape": list(dataset.image_shape),
            "class_names": list(dataset.class_names),
            "dtype": str(dataset.x_train.dtype),
            "training_images": len(dataset.x_train),
            "validation_images": len(dataset.x_validation),
            "test_images": len(dataset.x_test),
        },
        "prior_checksum": file_checksum(prior) if prior.endswith(".npy") else None,
        "cores": cores(),
        "versions": {
            "python": platform.python_version(),
            **{library: metadata.version(library) for library in LIBRARIES},
        },
    }
    with atomic(folder / CONFIG) as path:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read(folder: pathlib.Path) -> tuple[Config, dict[str, typing.Any], str | None]:
    """Reads config.json.

    Args:
        folder: The run's folder.

    Returns:
        The settings; the description of the data set, a dict; and the checksum of the prior's
        samples, or None if the prior is not a .npy file.

    Raises:
        InputError: If config.json is missing, damaged, or has invalid settings.
    """
    with _reading(folder) as document:
        values, data = dict(document["config"]), dict(document["data"])
        if not all(isinstance(data[key], str) for key in ("name", "checksum")):
            raise TypeError
        prior_checksum = document["prior_checksum"]
    return files.from_dict(values), data, prior_checksum


def noun_of(data: Mapping[str, typing.Any]) -> str:
    """What x is in a run, in the singular.

    Args:
        data: The description of the data set, which `read` returns.

    Returns:
        "row" for a table, otherwise "image".
    """
    shape = data.get("image_shape")
    return "row" if isinstance(shape, list) and len(shape) == 1 else "image"


def read_cores(folder: pathlib.Path) -> int | None:
    """Reads from config.json on how many cores of the CPU a run was trained last.

    Args:
        folder: The run's folder.

    Returns:
        The number, or None if it is not recorded.

    Raises:
        InputError: If config.json is missing or damaged.
    """
    with _reading(folder) as document:
        recorded = document.get("cores")
    return recorded if isinstance(recorded, int) else None


@contextlib.contextmanager
def _reading(folder):
    """Reads the document; whatever is wrong with it becomes an InputError."""
    with reading(f"The run {folder.name} must have a readable {CONFIG}", folder=folder):
        yield read_json(folder / CONFIG)


def cores() -> int:
    """Counts the cores of the CPU that TensorFlow uses, on which the last bits of sums depend.

    Returns:
        The number, >= 1: that of the environment variable TF_NUM_INTRAOP_THREADS, or all cores that
        this process may use.
    """
    threads = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    if threads.isdecimal() and int(threads):
        return int(threads)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def file_checksum(path: str | pathlib.Path) -> str:
    """Computes the SHA-256 checksum of a file of prior samples.

    Args:
        path: The file.

    Returns:
        "sha256:" and 64 hexadecimal digits.

    Raises:
        InputError: If the file cannot be read.
    """
    try:
        with open_regular(path) as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise InputError(f"prior must be a readable file. Received: {error}") from error
