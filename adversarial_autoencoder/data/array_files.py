"""Readers for files of arrays (.npz and IDX) that do not trust the headers of these files."""

import contextlib
import gzip
import io
import math
import mmap
import pathlib
import reprlib
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.lib import format as npy

from adversarial_autoencoder.config.small_files import open_regular
from adversarial_autoencoder.data.arrays.names import USUAL_NAMES, find_arrays
from adversarial_autoencoder.devices.memory import max_data_bytes
from adversarial_autoencoder.errors import InputError, print_warning, reading

# Size of the unpacked arrays.
MAX_NPZ_BYTES = max_data_bytes()
_NPY_HEADER_BYTES = 2**14  # NumPy refuses headers of more than 10 000 bytes.
_CHUNK_BYTES = 2**20


def read_npz(
    path: pathlib.Path, warn: Callable[[str], object] = print_warning, on_disk: bool = False
) -> dict[str, Any]:
    """Reads the arrays of a data set from an .npz file.

    Args:
        path: Path of the file.
        warn: Function that is called with the text of a warning, about arrays with other names.
        on_disk: Whether the arrays are unpacked to unnamed temporary files, which disappear with
            them, instead of memory.

    Returns:
        A dict with the names in `names.USUAL_NAMES` as keys, such as x_train and y_train. The value
        is an array, or None if the file does not contain this array.

    Raises:
        InputError: If the file is not an .npz file, is damaged, lacks training images or contains
            pickled objects, or if its arrays need more than `MAX_NPZ_BYTES` bytes (16 GiB or a
            quarter of the memory, whichever is smaller) or the free space of the disk.
    """
    with _opened(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        found = find_arrays(path, names)
        arrays: dict[str, Any] = dict.fromkeys(USUAL_NAMES)
        arrays |= _read_members(archive, path, found, on_disk=on_disk)
        warn_of_others(path, found, names, warn)
        return arrays


def read_arrays(
    path: pathlib.Path, names: Sequence[str], max_bytes: int = MAX_NPZ_BYTES
) -> dict[str, Any]:
    """Reads arrays of given names from an .npz file.

    Args:
        path: Path of the file.
        names: Names of the arrays.
        max_bytes: The largest size of the arrays in total.

    Returns:
        A dict with these names as keys. The value is an array, or None if the file does not contain
        this array.

    Raises:
        InputError: If the file is damaged, contains pickled objects, or its arrays need more than
            `max_bytes` bytes.
    """
    with _opened(path) as archive:
        found = {name: name for name in names if f"{name}.npy" in archive.namelist()}
        return dict.fromkeys(names) | _read_members(archive, path, found, max_bytes)


@contextlib.contextmanager
def _opened(path):
    """Opens an .npz file; damage is an InputError."""
    with (
        reading(f"{path} must be a readable .npz file"),
        open_regular(path) as file,
        zipfile.ZipFile(file) as archive,
    ):
        yield archive


def _read_members(archive, path, found, max_bytes=MAX_NPZ_BYTES, on_disk=False):
    """Reads arrays of an archive, a dict from a name to the name in the file."""
    members = {array: archive.getinfo(f"{name}.npy") for array, name in found.items()}
    # zipfile never unpacks more than the declared size of a member.
    size = sum(member.file_size for member in members.values())
    if on_disk:
        max_bytes = shutil.disk_usage(tempfile.gettempdir()).free
    check_size(path, found.values(), size, max_bytes)
    arrays = {}
    for array, member in members.items():
        with reading(f"{found[array]} in {path} must be a readable array"):
            arrays[array] = _read_npy(archive, member, on_disk)
    return arrays


def check_size(
    path: pathlib.Path, names: Iterable[str], size: int, max_bytes: int = MAX_NPZ_BYTES
) -> None:
    """Checks that arrays fit in memory before they are unpacked.

    Args:
        path: Path of the file.
        names: Names of the arrays.
        size: The size that the file declares, in bytes.
        max_bytes: The largest size.

    Raises:
        InputError: If the size is above `max_bytes`.
    """
    if size > max_bytes:
        raise InputError(
            f"The arrays {', '.join(names)} in {path} must have at most {max_bytes} "
            f"bytes in total when unpacked. Received: {size} bytes"
        )


def warn_of_others(
    path: pathlib.Path,
    found: dict[str, str],
    names: Iterable[str],
    warn: Callable[[str], object],
) -> None:
    """Warns of arrays that are not read.

    Args:
        path: Path of the file.
        found: The arrays that are read, as `names.find_arrays` gives them.
        names: Names of all arrays in the file.
        warn: Function that is called with the text of the warning.
    """
    if others := sorted(set(names) - set(found.values())):
        warn(
            f"Only the arrays {', '.join(found.values())} of {path} are read. "
            f"Left out: {reprlib.repr(others)}"
        )


def read_npy(path: pathlib.Path) -> np.ndarray:
    """Reads an .npy file.

    Args:
        path: Path of the file.

    Returns:
        The array.

    Raises:
        InputError: If the file is no .npy file, is damaged, contains pickled objects, or is larger
            than `MAX_NPZ_BYTES`.
    """
    with reading(f"{path} must be a readable .npy file"):
        if (size := path.stat().st_size) > MAX_NPZ_BYTES:
            raise InputError(
                f"{path} must have at most {MAX_NPZ_BYTES} bytes. Received: {size} bytes"
            )
        with open_regular(path) as file:
            return npy.read_array(file, allow_pickle=False)


def map_npy(path: pathlib.Path) -> np.ndarray:
    """Opens an .npy file whose numbers stay on the disk until they are used.

    Args:
        path: Path of the file.

    Returns:
        A `numpy.memmap`.

    Raises:
        InputError: If the file is no .npy file, is damaged, or contains pickled objects.
    """
    with reading(f"{path} must be a readable .npy file"):
        open_regular(path).close()
        return npy.open_memmap(path, mode="r")


def _read_npy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, on_disk: bool) -> np.ndarray:
    """Reads the array in a member of an archive. Damage raises one of `errors.MALFORMED`."""
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
    unpack = _unpack_to_disk if on_disk else _read_at_most
    with archive.open(member) as stream:
        data: Any = unpack(cast(BinaryIO, stream), expected)
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
    with (
        reading(f"{path} must be an IDX file of {shape} unsigned bytes"),
        open_regular(path) as file,
        gzip.open(file) if path.suffix == ".gz" else file as stream,
    ):
        magic = stream.read(4)
        if magic != bytes([0, 0, 8, len(shape)]):
            raise ValueError(f"magic number 0x{magic.hex()}")
        declared = struct.unpack(f">{len(shape)}I", stream.read(4 * len(shape)))
        if declared != shape:
            raise ValueError(f"shape {declared}")
        data = _read_at_most(cast(BinaryIO, stream), size + 1)
        if len(data) != size:
            raise ValueError(f"{'more' if len(data) > size else 'fewer'} than {size} bytes")
        return np.ndarray(shape, np.uint8, data)


def _read_at_most(stream: BinaryIO, size: int) -> bytearray:
    """Reads in chunks, so that memory use depends on the actual bytes and not on `size`."""
    data = bytearray()
    while chunk := stream.read(min(_CHUNK_BYTES, size - len(data))):
        data += chunk
    return data


def _unpack_to_disk(stream: BinaryIO, size: int) -> mmap.mmap:
    """Copies a stream to an unnamed temporary file, and maps it."""
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file, _CHUNK_BYTES)
        file.flush()
        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
