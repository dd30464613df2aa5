"""Finds the images in a folder: all in one, in folders of classes, or already split."""

import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from adversarial_autoencoder.config.image_form import ANY_FORM, ImageForm
from adversarial_autoencoder.data.checks import UNLABELLED
from adversarial_autoencoder.data.dataset import PARTS
from adversarial_autoencoder.data.images.files import SUFFIXES, ImageReader
from adversarial_autoencoder.data.images.resize import check_memory, convert
from adversarial_autoencoder.data.value_range import file_range, scaled_file
from adversarial_autoencoder.errors import InputError, print_warning

# Usual names of the folders of a split, in lower case.
_PART_OF = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


@dataclasses.dataclass(frozen=True)
class Plan:
    """How the images of a folder are converted.

    Args:
        form: The form, with the range of values that is used.
        shape: Shape of all images together, (n, height, width, channels).
        dtype: Their type, uint8 or float32.
    """

    form: ImageForm
    shape: tuple[int, ...]
    dtype: np.dtype

    def convert(self, image: np.ndarray) -> np.ndarray:
        """Converts an image.

        Args:
            image: What an `ImageReader` yields.

        Returns:
            An array of shape (height, width, channels).
        """
        image = convert(scaled_file(image, self.form.value_range), self.shape[-1])
        # An image of 8 bits among others of 16 bits.
        return image if image.dtype == self.dtype else image.astype(self.dtype) / 255


@dataclasses.dataclass(frozen=True)
class ImageFolder:
    """The image files in a folder, with their classes.

    The folder contains the images itself (no labels), or one sub-folder of images for each class.
    If it contains `train` and `test` or `val`, it is already split. Each of them contains images or
    folders of classes in the same way. Hidden files, other files and deeper folders are left out.

    Args:
        path: The folder.
        paths: Paths of the images, sorted by part, class and file name.
        sizes: Number of images of each part that the folder contains, in the order "train",
            "validation" and "test". In a folder that is not split, all are training images.
        labels: Their classes, int64 of shape (n,), -1 for an image outside the folders of classes;
            or None.
        class_names: The sorted names of the classes, or None.
    """

    path: pathlib.Path
    paths: list[pathlib.Path]
    sizes: Mapping[str, int]
    labels: np.ndarray | None
    class_names: list[str] | None

    @property
    def names(self) -> list[str]:
        """The paths of the images relative to the folder."""
        return [str(path.relative_to(self.path)) for path in self.paths]

    def read(
        self, form: ImageForm = ANY_FORM, warn: Callable[[str], object] = print_warning
    ) -> tuple[np.ndarray, ImageForm]:
        """Reads the images into memory.

        Args:
            form: The form into which they are brought.
            warn: Function that is called with the text of a warning.

        Returns:
            Two values. First, the images, of shape (n, h, w, 1) if all are grey, otherwise
            (n, h, w, 3): uint8 in 0..255, or float32 in [0, 1]. Second, the form with the range of
            values that was used.

        Raises:
            InputError: If an image is damaged, is animated, has 32-bit pixels, differs in size from
                the others, or has values outside the range of the form; or if the images do not
                fit in memory.
        """
        reader = self._reader(form, len(self.paths))
        images: list[np.ndarray] = []
        for image in reader(self.paths):
            if not images:
                shape = (len(self.paths), *image.shape[:2], form.channels or image.shape[2])
                check_memory(shape, image.itemsize, self.path)
            images.append(image)
        plan = self._plan(form, reader, images, warn)
        check_memory(plan.shape, plan.dtype.itemsize, self.path)
        return np.stack([plan.convert(image) for image in images]), plan.form

    def plan(
        self, form: ImageForm = ANY_FORM, warn: Callable[[str], object] = print_warning
    ) -> "Plan":
        """Reads the images one after the other to find their common shape and range.

        Args:
            form: The form into which they are brought.
            warn: Function that is called with the text of a warning.

        Returns:
            The `Plan`, with which `read_some` reads them.

        Raises:
            InputError: As for `read`.
        """
        reader = self._reader(form, 1)
        # Of the images only their shapes and types are kept.
        seen = {(image.shape, image.dtype): image[:1, :1] for image in reader(self.paths)}
        shape = next(iter(seen))[0]
        return self._plan(form, reader, list(seen.values()), warn, shape[:2])

    def read_some(self, indices: Iterable[int], plan: "Plan") -> Iterator[np.ndarray]:
        """Reads images one after the other.

        Args:
            indices: The indices of the images.
            plan: What `plan` returned.

        Yields:
            The images as `read` returns them, each of shape (h, w, c).
        """
        reader = ImageReader(plan.form.size)
        yield from map(plan.convert, reader([self.paths[i] for i in indices]))

    def _reader(self, form, n):
        """A reader for `n` images at a time."""
        if form.size:
            check_memory((n, *form.size, form.channels or 1), 1, self.path)
        return ImageReader(form.size)

    def _plan(self, form, reader, images, warn, size=None):
        """The plan for the images that a reader has read."""
        if reader.enlarged:
            warn(
                f"{reader.enlarged} of the {len(self.paths)} images in {self.path} are smaller "
                f"than --image_size {form.settings()['image_size']} and are enlarged."
            )
        found = file_range(reader.ranges, self.path, form, warn)
        channels = form.channels or max(image.shape[2] for image in images)
        types = {
            scaled_file(np.zeros((), dtype), found).dtype for dtype in {x.dtype for x in images}
        }
        return Plan(
            form=dataclasses.replace(form, value_range=found),
            shape=(len(self.paths), *(size or images[0].shape[:2]), channels),
            dtype=max(types, key=lambda dtype: dtype.itemsize),
        )

    def split(self, x: np.ndarray) -> dict[str, Any]:
        """Splits the images and labels into the parts that are given.

        Args:
            x: The images, shape (n, ...).

        Returns:
            A dict of arrays: x_train, and for the other parts that are given x_validation and
            x_test; y_train, y_validation and y_test in the same way, or None without labels.
        """
        arrays: dict[str, Any] = {}
        start = 0
        for part, size in self.sizes.items():
            chosen = slice(start, start := start + size)
            arrays[f"x_{part}"] = x[chosen]
            arrays[f"y_{part}"] = None if self.labels is None else self.labels[chosen]
        return arrays


def find_images(folder: pathlib.Path, warn: Callable[[str], object] = print_warning) -> ImageFolder:
    """Finds the images in a folder by their suffixes.

    Args:
        folder: Path of the folder.
        warn: Function that is called with the text of a warning, such as the number of files that
            are left out.

    Returns:
        An `ImageFolder`.

    Raises:
        InputError: If the folder contains no images, or images both directly and in sub-folders.

    Example:
        >>> import pathlib, tempfile
        >>> from adversarial_autoencoder.data.images.folder import find_images
        >>> with tempfile.TemporaryDirectory() as path:
        ...     for name in ("cat", "dog"):
        ...         pathlib.Path(path, name).mkdir()
        ...         pathlib.Path(path, name, "1.png").touch()
        ...     found = find_images(pathlib.Path(path))
        >>> found.names, found.labels.tolist(), found.class_names
        (['cat/1.png', 'dog/1.png'], [0, 1], ['cat', 'dog'])
    """
    try:
        root = _Folder(folder)
        split = _split(root)
        parts = {part: found.classes for part, found in (split or {"train": root}).items()}
        left_out = _left_out(root, split)
    except OSError as error:
        raise InputError(f"{folder} must be a readable folder. Received: {error}") from error
    number = f"{len(left_out)} file{'s' if len(left_out) > 1 else ''}"
    example = left_out[0].relative_to(folder) if left_out else ""
    suffixes = ", ".join(SUFFIXES)
    if not any(parts.values()):
        received = f"none, but {number} elsewhere, such as {example}" if left_out else "none"
        raise InputError(
            f"{folder} must contain images, directly or in a folder for each class ({suffixes}). "
            f"Received: {received}"
        )
    for classes in parts.values():
        if "" in classes and len(classes) > 1:
            (image, *_), (other, *_) = list(classes.values())[:2]
            raise InputError(
                f"{folder} must contain images either directly or in sub-folders. "
                f"Received: {image} and {other}"
            )
    if left_out:
        warn(
            f"{number} in {folder} cannot be read as images, such as {example}. Images are in the "
            f"folder or in the folder of a class, with the suffix {suffixes}."
        )
    return _with_labels(folder, parts)


class _Folder:
    """The contents of a folder, sorted by name and without hidden files."""

    def __init__(self, path):
        self.path = path
        self.images, self.others, self.sub_folders = [], [], []
        for entry in sorted(path.iterdir()):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                self.sub_folders.append(entry)
            elif entry.suffix.lower() in SUFFIXES and entry.is_file():
                self.images.append(entry)
            else:
                self.others.append(entry)

    @functools.cached_property
    def folders(self):
        """The contents of the sub-folders, by name."""
        return {path.name: _Folder(path) for path in self.sub_folders}

    @property
    def classes(self):
        """The images by class; the class of images directly in the folder is ""."""
        found = {"": self.images} | {name: one.images for name, one in self.folders.items()}
        return {name: images for name, images in found.items() if images}


def _split(root):
    """The folders of a split, by part; None if the folder is not split."""
    parts = {}
    with_images = [name for name, one in root.folders.items() if one.classes]
    for name in with_images:
        if part := _PART_OF.get(name.lower()):
            if part in parts:
                raise InputError(
                    f"{root.path} must contain one folder of {part} images. "
                    f"Received: {parts[part].path.name} and {name}"
                )
            parts[part] = root.folders[name]
    # A class can have the name of a part. Two parts, or one that is alone, are a split.
    is_class = len(parts) == 1 and len(with_images) > 1
    return None if root.images or is_class else parts or None


def _left_out(root, split):
    """The files that are no images, or too deep in a folder."""
    left_out = list(root.others)
    for folder in root.folders.values():
        if split and folder in split.values():
            left_out += _left_out(folder, None)
        elif folder.images and not split:
            left_out += folder.others
            left_out += itertools.chain(*map(_files, folder.sub_folders))
        else:
            left_out += _files(folder.path)
    return left_out


def _files(path, depth=2):
    """The files in a folder that is left out, and in its sub-folders."""
    if path.is_symlink():  # It can lead to a folder that is read.
        return []
    try:
        folder = _Folder(path)
    except OSError:
        return []
    deeper = [_files(sub_folder, depth - 1) for sub_folder in folder.sub_folders if depth > 1]
    return [*folder.images, *folder.others, *itertools.chain(*deeper)]


def _with_labels(folder, parts):
    """Makes an `ImageFolder` of the images of each part by class."""
    parts = {part: parts[part] for part in PARTS if part in parts}
    class_names = [name for name in next(iter(parts.values())) if name]
    for part, classes in parts.items():
        for name in classes:
            if name and name not in class_names:
                raise InputError(
                    f"The folders of classes in {folder} must be the same in each part. "
                    f"Received: {name} for {part} only"
                )
    number = {name: k for k, name in enumerate(class_names)} | {"": UNLABELLED}
    groups = [pair for classes in parts.values() for pair in classes.items()]
    labels = [np.full(len(paths), number[name], "int64") for name, paths in groups]
    return ImageFolder(
        path=folder,
        paths=[path for _, paths in groups for path in paths],
        sizes={part: sum(map(len, classes.values())) for part, classes in parts.items()},
        labels=np.concatenate(labels) if class_names else None,
        class_names=class_names or None,
    )
