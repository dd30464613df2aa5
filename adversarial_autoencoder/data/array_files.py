"""Readers for files of arrays (.npz and IDX) that do not trust the headers of these files."""

import contextlib
import gzip
import io
import math
import os
import pathlib
import reprlib
import struct
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.lib import format as npy

from adversarial_autoencoder.data import hints
from adversarial_autoencoder.errors import MALFORMED, InputError, first_line, print_warning

NPZ_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
# Size of the unpacked arrays. Half of the memory leaves room for copies of them.
MAX_NPZ_BYTES = min(16 * 2**30, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
_NPY_HEADER_BYTES = 2**14  # NumPy refuses headers of more than 10 000 bytes.
_CHUNK_BYTES = 2**20


def read_npz(path: pathlib.Path, warn: Callable[[str], object] = print_warning) -> dict[str, Any]:
    """Reads x_train, y_train, x_test and y_test from an .npz file.

    Args:
        path: Path of the file.
        warn: Function that is called with the text of a warning, about arrays with other names.

    Returns:
        A dict with the four names as keys. The value is an array, or None if the file does not
        contain this array.

    Raises:
        InputError: If the file is not an .npz file, is damaged, lacks x_train or contains pickled
            objects, or if its arrays need more than `MAX_NPZ_BYTES` bytes (16 GiB or half of the
            memory, whichever is smaller).
    """
    with _reading(path, "a readable .npz file"), zipfile.ZipFile(path) as archive:
        found = set(archive.namelist())
        if "x_train.npy" not in found:
            names = sorted(name.removesuffix(".npy") for name in found)
            raise InputError(
                f"{path} must contain the array x_train.{hints.for_names(path, names)} "
                f"Received: {reprlib.repr(names)}"
            )
        members = {
            name: archive.getinfo(f"{name}.npy") for name in NPZ_ARRAYS if f"{name}.npy" in found
        }
        # zipfile never unpacks more than the declared size of a member.
        size = sum(member.file_size for member in members.values())
        if size > MAX_NPZ_BYTES:
            raise InputError(
                f"The arrays {', '.join(members)} in {path} must have at most {MAX_NPZ_BYTES} "
                f"bytes in total when unpacked. Received: {size} bytes"
            )
        if others := sorted({name.removesuffix(".npy") for name in found} - set(NPZ_ARRAYS)):
            warn(
                f"Only the arrays {', '.join(NPZ_ARRAYS)} of {path} are read. "
                f"Left out: {reprlib.repr(others)}"
            )
        arrays: dict[str, Any] = dict.fromkeys(NPZ_ARRAYS)
        for name, member in members.items():
            with _reading(f"{name} in {path}", "a readable array"):
                arrays[name] = _read_npy(archive, member)
        return arrays


def _read_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """Reads the array in a member of an archive. Damage raises one of `MALFORMED`."""
    # zipfile unpacks bzip2 and LZMA without a limit. NumPy never writes them.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("a compression other than deflate")
    with archive.open(member) as stream:
        head = io.BytesIO(stream.read(_NPY_HEADER_BYTES))
    version = npy.read_magic(head)
    if version == (1, 0):
        shape, fortran_order, dtype = npy.read_array_header_1_0(head)
    elif version == (2, 0):
        shape, fortran_order, dtype = npy.read_array_header_2_0(head)
    else:
        raise ValueError(f"version {version} of the .npy format")
    if dtype.hasobject:
        raise ValueError(
            "pickled objects, which can execute code when they are loaded; np.stack makes one "
            "array of a list of arrays"
        )
    expected = head.tell() + math.prod(shape) * dtype.itemsize
    if member.file_size != expected:
        raise ValueError(f"{member.file_size} bytes, but its header declares {expected}")
    with archive.open(member) as stream:
        data = _read_at_most(cast(BinaryIO, stream), expected)
    return np.ndarray(shape, dtype, data, offset=head.tell(), order="F" if fortran_order else "C")


def read_idx(path: pathlib.Path, shape: tuple[int, ...]) -> np.ndarray:
    """Reads a file of unsigned bytes in IDX, the file format of MNIST.

    Args:
        path: Path of the file. A file whose name ends in .gz is unpacked.
        shape: Expected shape of the array. The shape that the file declares must be equal to it.

    Returns:
        A uint8 array of the given shape.

    Raises:
        InputError: If the file cannot be read, is damaged or contains another array.
    """
    size = math.prod(shape)
    open_file: Any = gzip.open if path.suffix == ".gz" else open
    with _reading(path, f"an IDX file of {shape} unsigned bytes"), open_file(path, "rb") as stream:
        magic = stream.read(4)
        if magic != bytes([0, 0, 8, len(shape)]):
            raise ValueError(f"magic number 0x{magic.hex()}")
        declared = struct.unpack(f">{len(shape)}I", stream.read(4 * len(shape)))
        if declared != shape:
            raise ValueError(f"shape {declared}")
        data = _read_at_most(stream, size + 1)
        if len(data) != size:
            raise ValueError(f"{'more' if len(data) > size else 'fewer'} than {size} bytes")
        return np.ndarray(shape, np.uint8, data)


def _read_at_most(stream: BinaryIO, size: int) -> bytearray:
    """Reads in chunks, so that memory use depends on the actual bytes and not on `size`."""
    data = bytearray()
    while chunk := stream.read(min(_CHUNK_BYTES, size - len(data))):
        data += chunk
    return data


@contextlib.contextmanager
def _reading(name: str | pathlib.Path, expected: str) -> Iterator[None]:
    """Converts the exceptions of damaged files to an InputError with the name of the file."""
    try:
        yield
    except InputError:
        raise
    except MALFORMED as error:
        raise InputError(f"{name} must be {expected}. Received: {first_line(error)}") from error
