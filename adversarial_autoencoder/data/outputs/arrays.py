"""Writers of arrays: .npy and .npz files, whose length is known only at the end."""

import os
import pathlib
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from adversarial_autoencoder.errors import printable

_CHUNK = 2**16


class _Array:
    """Writes an array of numbers in parts."""

    def __init__(self, file, part):
        self.file, self.length = file, 0
        self.shape, self.dtype = part.shape[1:], part.dtype
        self._write_header()
        self.start = file.tell()

    def _write_header(self):
        # NumPy leaves space for a longer first axis.
        npy.write_array_header_1_0(
            self.file,
            {
                "descr": npy.dtype_to_descr(self.dtype),
                "fortran_order": False,
                "shape": (self.length, *self.shape),
            },
        )

    def add(self, part):
        self.file.write(np.ascontiguousarray(part, self.dtype).data)
        self.length += len(part)

    def finish(self):
        self.file.seek(0)
        self._write_header()
        assert self.file.tell() == self.start
        self.file.seek(0, os.SEEK_END)


def _temporary(folder):
    """An open file without a name, which disappears with the process."""
    return tempfile.TemporaryFile(dir=folder)  # noqa: SIM115


class _Texts:
    """Writes an array of texts in parts. NumPy needs the longest one first, so it is kept apart."""

    def __init__(self, file, folder):
        self.file, self.longest, self.length = file, 1, 0
        self.apart = _temporary(folder)

    def add(self, part):
        for text in map(printable, part):  # Without line ends.
            self.longest = max(self.longest, len(text))
            self.apart.write(f"{text}\n".encode())
        self.length += len(part)

    def finish(self):
        self.apart.seek(0)
        array = _Array(self.file, np.empty(0, f"<U{self.longest}"))
        lines = (line[:-1].decode() for line in self.apart)
        for start in range(0, self.length, _CHUNK):
            size = min(_CHUNK, self.length - start)
            array.add(np.array([next(lines) for _ in range(size)], array.dtype))
        array.finish()
        self.apart.close()


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

    The arrays are in temporary files until the end, so the disk needs space for two copies.

    Args:
        path: The file.
        main: Not used: all columns are written.
        types: Not used.
    """

    def __init__(self, path: pathlib.Path, main: str, types: Mapping[str, Any]) -> None:
        del main, types
        self.path = path
        self.arrays: dict[str, Any] = {}

    def write(self, columns: Mapping[str, Any]) -> None:
        """Writes some rows.

        Args:
            columns: The columns by name.
        """
        for name, values in columns.items():
            part = np.asarray(values)
            if name not in self.arrays:
                file, folder = _temporary(self.path.parent), self.path.parent
                is_text = part.dtype.kind in "UO"
                self.arrays[name] = _Texts(file, folder) if is_text else _Array(file, part)
            self.arrays[name].add(part)

    def finish(self) -> None:
        """Writes the .npz file."""
        with zipfile.ZipFile(self.path, "w") as archive:
            for name, array in self.arrays.items():
                array.finish()
                array.file.seek(0)
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    shutil.copyfileobj(array.file, member, 2**20)

    def close(self) -> None:
        """Closes the temporary files, which removes them."""
        for array in self.arrays.values():
            array.file.close()
