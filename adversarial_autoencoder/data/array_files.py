"""Files of arrays, .npz and IDX, read without trusting what they say of themselves."""

import contextlib
import gzip
import io
import math
import os
import reprlib
import struct
import tokenize
import zipfile
import zlib

import numpy as np
from numpy.lib import format as npy

from adversarial_autoencoder.errors import InputError

NPZ_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
# Unpacked; half of the memory leaves room for the copies that are made of them.
MAX_NPZ_BYTES = min(16 * 2**30, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
_NPY_HEADER_BYTES = 2**14  # NumPy refuses a header of more than 10 000 bytes.
_CHUNK_BYTES = 2**20

# What zipfile, gzip, struct and numpy.lib.format raise on malformed files.
_MALFORMED = (
    EOFError,
    KeyError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_npz(path):
    """Reads x_train, y_train, x_test and y_test from an .npz file.

    Args:
        path: Path of the file.

    Returns:
        A dict of the four arrays, with None for those that the file does not have.

    Raises:
        InputError: If the file is no .npz file, is damaged, lacks x_train, holds pickled objects
            or is larger unpacked than 16 GiB or half of the memory.
    """
    with _reading(path, "a readable .npz file"), zipfile.ZipFile(path) as archive:
        found = set(archive.namelist())
        if "x_train.npy" not in found:
            held = reprlib.repr(sorted(name.removesuffix(".npy") for name in found))
            raise InputError(f"{path} must hold the array x_train. Received: {held}")
        members = {
            name: archive.getinfo(f"{name}.npy") for name in NPZ_ARRAYS if f"{name}.npy" in found
        }
        # zipfile stops at the declared size of a member, so its sum bounds what is unpacked.
        size = sum(member.file_size for member in members.values())
        if size > MAX_NPZ_BYTES:
            raise InputError(
                f"{', '.join(members)} in {path} must have at most {MAX_NPZ_BYTES} bytes unpacked. "
                f"Received: {size} bytes"
            )
        arrays = dict.fromkeys(NPZ_ARRAYS)
        for name, member in members.items():
            with _reading(f"{name} in {path}", "a readable array"):
                arrays[name] = _read_npy(archive, member)
        return arrays


def _read_npy(archive, member):
    """The array in a member of an archive; ValueError and others of _MALFORMED if it is damaged."""
    # bzip2 and LZMA, which NumPy never writes, are unpacked by zipfile without a bound.
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
        raise ValueError("pickled objects, which are not loaded as they can run code")
    expected = head.tell() + math.prod(shape) * dtype.itemsize
    if member.file_size != expected:
        raise ValueError(f"{member.file_size} bytes where its header tells of {expected}")
    with archive.open(member) as stream:
        data = _read_at_most(stream, expected)
    order = "F" if fortran_order else "C"
    return np.ndarray(shape, dtype, data, offset=head.tell(), order=order)


def read_idx(path, shape):
    """Reads a file of unsigned bytes in MNIST's IDX format.

    Args:
        path: Path of the file, a `pathlib.Path`; one that ends in .gz is unpacked.
        shape: The shape that the array must have. What the file declares is only compared with it.

    Returns:
        A uint8 array of that shape.

    Raises:
        InputError: If the file is damaged or holds something else.
    """
    size = math.prod(shape)
    open_file = gzip.open if path.suffix == ".gz" else open
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


def _read_at_most(stream, size):
    """Reads in chunks, so that memory grows with the bytes that there are, not with `size`."""
    data = bytearray()
    while chunk := stream.read(min(_CHUNK_BYTES, size - len(data))):
        data += chunk
    return data


@contextlib.contextmanager
def _reading(name, expected):
    """Turns the errors of malformed files into an InputError that names the file."""
    try:
        yield
    except InputError:
        raise
    except _MALFORMED as error:
        raise InputError(
            f"{name} must be {expected}. Received: {str(error) or type(error).__name__}"
        ) from error
