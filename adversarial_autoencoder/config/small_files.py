"""Reads files that can come from someone else: regular files only, of a bounded size and depth.

A path can name a pipe or a device, which never ends, or a file that was made to fill the memory.
"""

import errno
import io
import json
import os
import pathlib
import stat
from typing import Any

# The largest files that are read as a whole: the settings of a run, its measures, the description
# of a data set, a flag file.
MAX_BYTES = 16 * 2**20
MAX_DEPTH = 16


def open_regular(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Opens a regular file for reading in binary mode.

    Args:
        path: Path of the file.

    Returns:
        The open file.

    Raises:
        OSError: If it cannot be opened, or is a folder, a pipe or a device.
    """
    # Without this flag, to open a pipe waits until another process writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return os.fdopen(descriptor, "rb")


def read_small(path: str | os.PathLike[str]) -> bytes:
    """Reads a file of at most `MAX_BYTES`.

    Args:
        path: Path of the file.

    Returns:
        Its content.

    Raises:
        OSError: If it cannot be read, or is not a regular file.
        ValueError: If it is larger.
    """
    with open_regular(path) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    return content


def read_json(path: str | os.PathLike[str]) -> Any:
    """Reads a JSON file of at most `MAX_BYTES` and at most `MAX_DEPTH` levels.

    Args:
        path: Path of the file.

    Returns:
        The document.

    Raises:
        OSError: If it cannot be read, or is not a regular file.
        RecursionError: If it is nested too deep for the parser.
        ValueError: If it is too large, too deep, or not JSON in UTF-8.

    Example:
        >>> import pathlib, tempfile
        >>> from adversarial_autoencoder.config.small_files import read_json
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "metrics.json")
        ...     _ = path.write_text('{"mse": 0.5}')
        ...     read_json(path)
        {'mse': 0.5}
    """
    return parse_json(read_small(pathlib.Path(path)))


def parse_json(text: str | bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Parses JSON of a limited depth, without NaN and Infinity.

    Args:
        text: JSON; bytes are UTF-8.
        max_depth: The largest number of levels.

    Returns:
        The document.

    Raises:
        RecursionError: If it is nested too deep for the parser.
        ValueError: If it is deeper than `max_depth`, or not JSON in UTF-8.

    Example:
        >>> from adversarial_autoencoder.config.small_files import parse_json
        >>> parse_json("[" * 20 + "]" * 20)
        Traceback (most recent call last):
            ...
        ValueError: more than 16 levels
    """
    if isinstance(text, bytes):
        text = text.decode()
    document = json.loads(text, parse_constant=_refuse)
    level = [document]
    for _ in range(max_depth + 1):
        level = [
            child
            for part in level
            if isinstance(part, (dict, list))
            for child in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return document
    raise ValueError(f"more than {max_depth} levels")


def _refuse(name):
    raise ValueError(f"the number {name}, which JSON does not have")
