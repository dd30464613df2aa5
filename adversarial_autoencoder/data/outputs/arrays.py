"""Writers of arrays: .npy and .npz files, whose length is known only at the end."""

import os
import pathlib
import tempfile
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from adversarial_autoencoder.errors import printable


def _write_header(file, length, shape, dtype):
    # NumPy leaves space for a longer first axis.
    npy.write_array_header_1_0(
        file,
        {
            "descr": npy.dtype_to_descr(np.dtype(dtype)),
            "fortran_order": False,
            "shape": (length, *shape),
        },
    )


class _Array:
    """Writes an array of numbers in parts."""

    def __init__(self, file, part):
        self.file, self.length = file, 0
        self.shape, self.dtype = part.shape[1:], part.dtype
        _write_header(file, 0, self.shape, self.dtype)
        self.start = file.tell()

    def add(self, part):
        self.file.write(np.ascontiguousarray(part, self.dtype).data)
        self.length += len(part)

    def finish(self):
        self.file.seek(0)
        _write_header(self.file, self.length, self.shape, self.dtype)
        assert self.file.tell() == self.start
        self.file.seek(0, os.SEEK_END)


class _Spooled:
    """An array whose parts lie between those of other arrays in one file.

    NumPy needs the length of the longest text first, so texts are lines until the end.
    """

    def __init__(self, file, part):
        self.file, self.length, self.longest = file, 0, 1
        self.shape, self.dtype = part.shape[1:], part.dtype
        self.is_text = part.dtype.kind in "UO"
        self.places: list[tuple[int, int]] = []

    def add(self, part):
        if self.is_text:
            texts = [printable(text) for text in part]  # Without line ends.
            self.longest = max([self.longest, *map(len, texts)])
            content = "".join(f"{text}\n" for text in texts).encode()
        else:
            content = np.ascontiguousarray(part, self.dtype).tobytes()
        self.places.append((self.file.tell(), len(content)))
        self.file.write(content)
        self.length += len(part)

    def copy_to(self, member):
        dtype = np.dtype(f"<U{self.longest}") if self.is_text else self.dtype
        _write_header(member, self.length, self.shape, dtype)
        for start, size in self.places:
            self.file.seek(start)
            content = self.file.read(size)
            if self.is_text:
                content = np.array(content.decode().split("\n")[:-1], dtype).tobytes()
            member.write(content)


class NpyWriter:
    """Writes one column to an .npy file.

    Args:
        path: The file.
        main: Name of the column.
        types: Not used.
    """

    def __init__(self, path: pathlib.Path, main: str, types: Mapping[str, Any]) -> None:
        del types
        self.file: BinaryIO = path.open("wb")
        self.main = main
        self.array: _Array | None = None

    def write(self, columns: Mapping[str, Any]) -> None:
        """Writes some rows.

        Args:
            columns: The columns by name.
        """
        part = np.asarray(columns[self.main])
        self.array = self.array or _Array(self.file, part)
        self.array.add(part)

    def finish(self) -> None:
        """Writes the length of the array."""
        if self.array is not None:
            self.array.finish()

    def close(self) -> None:
        """Closes the file."""
        self.file.close()


class NpzWriter:
    """Writes each column to an array of an .npz file.

    The arrays are in one temporary file until the end, so the disk needs space for two copies.

    Args:
        path: The file.
        main: Not used: all columns are written.
        types: Not used.
    """

    def __init__(self, path: pathlib.Path, main: str, types: Mapping[str, Any]) -> None:
        del main, types
        self.path = path
        # It has no name, and disappears with the process.
        self.file = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115
        self.arrays: dict[str, _Spooled] = {}

    def write(self, columns: Mapping[str, Any]) -> None:
        """Writes some rows.

        Args:
            columns: The columns by name.
        """
        for name, values in columns.items():
            part = np.asarray(values)
            if name not in self.arrays:
                self.arrays[name] = _Spooled(self.file, part)
            self.arrays[name].add(part)

    def finish(self) -> None:
        """Writes the .npz file."""
        with zipfile.ZipFile(self.path, "w") as archive:
            for name, array in self.arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    array.copy_to(member)

    def close(self) -> None:
        """Closes the temporary file, which removes it."""
        self.file.close()
