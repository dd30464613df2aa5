"""Writes images to a folder of PNG files."""

import concurrent.futures
import contextlib
import itertools
import os
import pathlib
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import Image

from adversarial_autoencoder.runs.durable import taken

# Columns that name the folder and the file of an image.
CLASS, FILE = "class", "file"


class PngWriter:
    """Writes PNG files: 8 bits, or 16 bits for grey images of type uint16.

    The files have the names of the column `file`, with the suffix .png, or numbers from 0. The
    column `class` puts them into a folder for each class. A folder that another class already has
    gets the ending _2, _3 and so on.

    Args:
        path: The folder, which exists.
        main: Name of the column of images, shape (n, h, w, c): uint8, float32 in [0, 1], or uint16
            with c = 1.
        types: Not used.
    """

    def __init__(self, path: pathlib.Path, main: str, types: Mapping[str, Any]) -> None:
        del types
        self.path, self.main, self.written = path, main, 0
        self.folders: dict[str, str] = {}
        self.pool = concurrent.futures.ThreadPoolExecutor()

    def write(self, columns: Mapping[str, Any]) -> None:
        """Writes some images.

        Args:
            columns: The columns by name.
        """
        images = columns[self.main]
        numbers = range(self.written, self.written + len(images))
        names = columns.get(FILE, [f"{number:06d}.png" for number in numbers])
        self.written += len(images)
        if CLASS in columns:
            folders = map(self._folder, columns[CLASS])
            names = [f"{folder}/{name}" for folder, name in zip(folders, names, strict=True)]
        paths = [self._reserved(name) for name in names]
        for _ in self.pool.map(_save, paths, images):
            pass

    def _folder(self, label):
        """The name of the folder of a class, which no other class has."""
        if (label := str(label)) not in self.folders:
            name = _folder_name(label)
            names = itertools.chain([name], (f"{name}_{i}" for i in itertools.count(2)))
            # A file system may not tell names apart that differ in case only.
            self.folders[label] = next(n for n in names if not (self.path / n).exists())
            (self.path / self.folders[label]).mkdir()
        return self.folders[label]

    def _reserved(self, name):
        """The path of a new file. Two images can differ by their suffixes only."""
        path = (self.path / name).with_suffix(".png")
        if path.exists():
            path = path.with_name(f"{pathlib.Path(name).name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=False)
        return path

    def finish(self) -> None:
        """Completes the folder."""

    def close(self) -> None:
        """Ends the threads."""
        self.pool.shutdown()


def _folder_name(text):
    """The name of a class as the name of a folder that is not hidden."""
    return str(text).replace("/", "_").replace(os.sep, "_").lstrip(".") or "_"


def _save(path, image):
    if image.dtype.kind == "f":
        image = np.round(image * 255).astype("uint8")
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path, format="PNG")


@contextlib.contextmanager
def atomic_folder(path: pathlib.Path, overwrite: bool = False) -> Iterator[pathlib.Path]:
    """Makes or replaces a folder, as a context manager.

    Args:
        path: The folder, which is not a link.
        overwrite: Whether a folder that is not empty at the end is replaced.

    Yields:
        An empty temporary folder next to it. It gets the name when the `with` block ends without an
        error; otherwise it is removed, and an old folder stays.

    Raises:
        InputError: If the path is taken and must not be replaced.
        OSError: If the folder cannot be written.
    """
    temporary, old = (
        path.with_name(f".{path.name}.{os.getpid()}.{kind}") for kind in ("tmp", "old")
    )
    try:
        temporary.mkdir()
        yield temporary
        if overwrite and path.exists():
            path.rename(old)
        try:
            temporary.rename(path)  # Also replaces an empty folder.
        except OSError as error:
            raise (taken(path) if path.exists() else error) from error
    finally:
        if temporary.exists() and old.exists():  # Interrupted between the two.
            with contextlib.suppress(OSError):  # The path is taken: the old folder is kept.
                old.rename(path)
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            for leftover in (temporary, old):
                shutil.rmtree(leftover, ignore_errors=True)
