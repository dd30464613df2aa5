"""Checks that a prepared data set is what `shards.write` wrote."""

import hashlib
import io
import json
import pathlib
import re
import struct
from typing import Any

import numpy as np

from adversarial_autoencoder.config.small_files import open_regular
from adversarial_autoencoder.data.checks import UNLABELLED
from adversarial_autoencoder.data.dataset import PARTS

ARRAYS = "arrays.npz"
SHARD_NAME = re.compile(r"train-\d{5}\.tfrecord")
# A record begins with its length and a checksum of it, and ends with a checksum of its content.
_LENGTH, _CHECKSUM_BYTES = struct.Struct("<Q4x"), 4


def seal(description: dict[str, Any]) -> str:
    """Computes the checksum of a description.

    Args:
        description: The description, without its own checksum.

    Returns:
        "sha256:" and 64 hexadecimal digits.
    """
    text = json.dumps(description, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def file_checksum(path: pathlib.Path) -> str:
    """Computes the checksum of a file.

    Args:
        path: The file.

    Returns:
        "sha256:" and 64 hexadecimal digits.
    """
    with open_regular(path) as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def check(
    folder: pathlib.Path, description: dict[str, Any], arrays: dict[str, np.ndarray | None]
) -> None:
    """Checks a description whose checksums are right, but that need not come from `shards.write`.

    Args:
        folder: The prepared folder.
        description: The content of dataset.json.
        arrays: The arrays of arrays.npz, None for a missing one.

    Raises:
        Exception: One of `errors.MALFORMED`, if types, shapes, numbers or labels do not fit.
    """
    names, shape = description["class_names"], description["image_shape"]
    n = description["training_images"]
    texts = [description["name"], description["checksum"], *names]
    if not isinstance(names, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("names that are no texts")
    if description["dtype"] not in ("uint8", "float32"):
        raise ValueError(f"pixels of type {description['dtype']!r}")
    dtype = np.dtype(description["dtype"])
    sizes = [n, *shape]
    if not all(type(size) is int and size > 0 for size in sizes) or shape[2:] not in ([1], [3]):
        raise ValueError(f"{n!r} images of shape {shape!r}")
    files = set(description["files"]) - {ARRAYS}
    if not all(map(SHARD_NAME.fullmatch, files)):
        raise ValueError("files of other names")
    # An epoch of fewer images than it should have would never end.
    if (found := sum(_count_records(folder / name) for name in files)) != n:
        raise ValueError(f"{found} training images instead of {n}")
    for part in PARTS:
        x, y = arrays.get(f"x_{part}"), arrays[f"y_{part}"]
        if part != "train":
            if x is None or (x.shape[1:], x.dtype) != (tuple(shape), dtype) or not len(x):
                raise ValueError(
                    f"no x_{part} of {dtype} and shape (n, {', '.join(map(str, shape))})"
                )
            sizes = [len(x)]
        if y is not None and (
            y.dtype != np.int64
            or y.shape != (sizes[0],)
            or not UNLABELLED <= y.min() <= y.max() < len(names)
        ):
            raise ValueError(f"y_{part} with other labels than those of {sizes[0]} images")
    if (arrays["y_train"] is None) != (not names):
        raise ValueError("names of classes without labels, or labels without names")


def _count_records(path):
    """Counts the records in a TFRecord file by the lengths that they begin with."""
    count, position = 0, 0
    with open_regular(path) as file:
        end = file.seek(0, io.SEEK_END)
        while position < end:
            file.seek(position)
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            position += _LENGTH.size + length + _CHECKSUM_BYTES
            count += 1
    if position != end:
        raise ValueError(f"{path.name}, which is cut off")
    return count
