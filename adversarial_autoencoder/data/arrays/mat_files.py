"""Reader for MATLAB files (.mat, version 5 to 7) of arrays, which does not trust their headers.

The reader of SciPy ends the process with a segmentation fault on some damaged files. The format is
documented by MathWorks, "MAT-File Format" (Version 5).
"""

import dataclasses
import io
import math
import os
import pathlib
import struct
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from adversarial_autoencoder.config.small_files import open_regular
from adversarial_autoencoder.data.array_files import check_size, warn_of_others
from adversarial_autoencoder.data.arrays.names import USUAL_NAMES, find_arrays
from adversarial_autoencoder.errors import InputError, print_warning, reading

_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
# Bytes that are certain to contain the name and the dimensions of a variable.
_HEAD_BYTES = 4096
# The types in which numbers are stored, and the classes of arrays, by their codes.
_STORED = dict(zip((1, 2, 3, 4, 5, 6, 7, 9, 12, 13), "bBhHiIfdqQ", strict=True))
_CLASSES = dict(zip(range(6, 16), "dfbBhHiIqQ", strict=True))
_OTHER_CLASSES = {1: "a cell array", 2: "a struct", 3: "an object", 4: "text", 5: "a sparse array"}


@dataclasses.dataclass(frozen=True)
class _Variable:
    """The head of a variable: its class, dimensions, and the place of its content in the file."""

    kind: int
    is_complex: bool
    shape: tuple[int, ...]
    place: int
    size: int
    compressed: bool

    @property
    def bytes(self) -> int:
        """The size of the array in memory."""
        return math.prod(self.shape) * np.dtype(_CLASSES.get(self.kind, "B")).itemsize


def read_mat(path: pathlib.Path, warn: Callable[[str], object] = print_warning) -> dict[str, Any]:
    """Reads the arrays of a data set from a MATLAB file of version 5 to 7.

    Args:
        path: Path of the file.
        warn: Function that is called with the text of a warning, about arrays with other names.

    Returns:
        A dict as for `array_files.read_npz`.

    Raises:
        InputError: If the file is not a MATLAB file, is damaged, is of version 7.3, lacks training
            images or contains them in another form than an array, or if its arrays need more than
            `array_files.MAX_NPZ_BYTES` bytes.
    """
    with reading(f"{path} must be a readable .mat file"), open_regular(path) as file:
        order = _byte_order(file, path)
        variables = _heads(file, order)
        found = find_arrays(path, variables)
        for name in found.values():
            kind = variables[name].kind
            other = _OTHER_CLASSES.get(kind, "" if kind in _CLASSES else "an unknown class")
            other = "complex numbers" if variables[name].is_complex else other
            if other:
                raise InputError(f"{name} in {path} must be an array of numbers. Received: {other}")
        check_size(path, found.values(), sum(variables[name].bytes for name in found.values()))
        warn_of_others(path, found, variables, warn)
        arrays: dict[str, Any] = dict.fromkeys(USUAL_NAMES)
        for array, name in found.items():
            with reading(f"{name} in {path} must be a readable array"):
                arrays[array] = _read_array(file, variables[name], order)
        return arrays


def _byte_order(file: BinaryIO, path: pathlib.Path) -> str:
    """Reads the header of a file; returns "<" or ">"."""
    header = file.read(_HEADER_BYTES)
    order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
    if order is None:
        raise ValueError("no header of MATLAB 5 to 7")
    if struct.unpack(f"{order}H", header[124:126])[0] >= 0x200:
        raise InputError(
            f"{path} must be a MATLAB file of version 7 or below: save(file, ..., '-v7') in "
            "MATLAB. Received: version 7.3"
        )
    return order


def _heads(file: BinaryIO, order: str) -> dict[str, _Variable]:
    """Reads the heads of all variables, by name."""
    variables = {}
    end = os.fstat(file.fileno()).st_size
    place = _HEADER_BYTES
    while place < end:
        file.seek(place)
        kind, size = struct.unpack(f"{order}2I", file.read(8))
        if place + 8 + size > end:
            raise ValueError("a truncated file")
        compressed = kind == _COMPRESSED
        head = file.read(size if compressed else min(size, _HEAD_BYTES))
        if compressed:
            head = zlib.decompressobj().decompress(head, _HEAD_BYTES)
            kind = struct.unpack(f"{order}2I", head[:8])[0]
            head = head[8:]
        if kind == _MATRIX:
            name, variable = _head(io.BytesIO(head), order, place + 8, size, compressed)
            variables[name] = variable
        place += 8 + size
    return variables


def _head(
    stream: BinaryIO, order: str, place: int, size: int, compressed: bool
) -> tuple[str, _Variable]:
    flags = struct.unpack(f"{order}2I", _element(stream, order)[1])[0]
    dims = np.frombuffer(_element(stream, order)[1], f"{order}i4")
    if (dims < 0).any() or len(dims) > 32:
        raise ValueError(f"dimensions {dims.tolist()}")
    name = _element(stream, order)[1].decode("ascii", errors="replace")
    shape = tuple(int(dim) for dim in dims)
    return name, _Variable(flags & 0xFF, bool(flags & 0x800), shape, place, size, compressed)


def _read_array(file: BinaryIO, variable: _Variable, order: str) -> np.ndarray:
    file.seek(variable.place)
    content = file.read(variable.size)
    if variable.compressed:
        unpacker = zlib.decompressobj()
        # A number takes at most 8 bytes.
        content = unpacker.decompress(content, 8 * math.prod(variable.shape) + 2 * _HEAD_BYTES)[8:]
        if not unpacker.eof:
            raise ValueError("more bytes than its dimensions declare")
    stream = io.BytesIO(content)
    for _ in range(3):  # Flags, dimensions and name.
        _element(stream, order)
    kind, data = _element(stream, order)
    if kind not in _STORED:
        raise ValueError(f"the type {kind}")
    numbers = np.frombuffer(data, f"{order}{_STORED[kind]}")
    if numbers.size != math.prod(variable.shape):
        raise ValueError(f"{numbers.size} numbers, but its dimensions are {variable.shape}")
    return numbers.astype(_CLASSES[variable.kind]).reshape(variable.shape, order="F")


def _element(stream: BinaryIO, order: str) -> tuple[int, bytes]:
    """Reads an element: its type and its content, which is padded to a multiple of 8 bytes."""
    tag = stream.read(4)
    (word,) = struct.unpack(f"{order}I", tag)
    if word >> 16:  # A small element has its size and its content in the tag.
        kind, size, padded = word & 0xFFFF, word >> 16, 4
    else:
        kind, size = word, struct.unpack(f"{order}I", stream.read(4))[0]
        padded = -(-size // 8) * 8
    content = stream.read(padded)
    if len(content) < size:
        raise ValueError("a truncated variable")
    return kind, content[:size]
