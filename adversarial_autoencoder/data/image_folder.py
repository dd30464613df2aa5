"""Readers for folders of image files."""

import concurrent.futures
import itertools
import pathlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from PIL import Image

from adversarial_autoencoder.errors import MALFORMED, InputError, first_line

_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")

# Pillow raises the last two for images with too many pixels.
_UNREADABLE: tuple[type[Exception], ...] = (
    *MALFORMED,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def read_image_folder(
    folder: pathlib.Path,
) -> tuple[np.ndarray, np.ndarray | None, list[str] | None]:
    """Reads the images of a folder into memory.

    The folder either contains the images itself (no labels), or one sub-folder of images for each
    class. Files in PNG, JPEG, BMP, GIF, TIFF and WebP format are found by their suffixes. Other
    files, hidden files, sub-folders without images and deeper levels are ignored.

    Transparent images are drawn on a white background. 16-bit greyscale is scaled to 8 bits. If
    every image is grey, the result has one channel, otherwise three.

    Args:
        folder: Path of the folder.

    Returns:
        Three values. First, the images, uint8 of shape (n, h, w, 1) or (n, h, w, 3), sorted by
        class and file name. Second, their labels, int64 of shape (n,), or None. Third, the sorted
        class names, or None.

    Raises:
        InputError: If the folder contains no images, or images both directly and in sub-folders, or
            if an image is damaged, is animated, has 32-bit pixels, or differs in size from the
            others.
    """
    flat, classes = _find_images(folder)
    x = _read_images(flat or list(itertools.chain(*classes.values())))
    if flat:
        return x, None, None
    return x, _labels(classes), list(classes)


def stream_image_folder(
    folder: pathlib.Path,
) -> tuple[
    Callable[[Iterable[int]], Iterator[np.ndarray]],
    tuple[int, ...],
    np.ndarray | None,
    list[str] | None,
]:
    """Reads the images of a folder one after the other, for folders that are larger than memory.

    It finds and converts images in the same way as `read_image_folder`. Every image is read twice:
    once here to find the common shape, and once when it is used.

    Args:
        folder: Path of the folder.

    Returns:
        Four values. First, a function that takes indices and returns an iterator over the images
        with these indices, in the same order. An image is a uint8 array of shape (h, w, c), where c
        can be 1 even if the common shape has 3 channels. Second, the common shape
        (n, height, width, channels). Third, the labels, int64 of shape (n,), or None. Fourth, the
        sorted class names, or None.

    Raises:
        InputError: If the folder contains no images, or images both directly and in sub-folders, or
            if an image is damaged, is animated, has 32-bit pixels, or differs in size from the
            others.
    """
    flat, classes = _find_images(folder)
    paths = flat or list(itertools.chain(*classes.values()))
    shapes = [image.shape for image in _each_image(paths)]
    shape = (len(paths), *shapes[0][:2], max(shape[2] for shape in shapes))

    def read(indices: Iterable[int]) -> Iterator[np.ndarray]:
        return _each_image([paths[i] for i in indices])

    if flat:
        return read, shape, None, None
    return read, shape, _labels(classes), list(classes)


def image_names(folder: pathlib.Path) -> list[str]:
    """Returns the names of the images in a folder, in the order of `read_image_folder`.

    Args:
        folder: Path of the folder.

    Returns:
        The paths of the image files relative to the folder.

    Raises:
        InputError: If the folder contains no images, or images both directly and in sub-folders.
    """
    flat, classes = _find_images(folder)
    paths = flat or list(itertools.chain(*classes.values()))
    return [str(path.relative_to(folder)) for path in paths]


def _find_images(
    folder: pathlib.Path,
) -> tuple[list[pathlib.Path], dict[str, list[pathlib.Path]]]:
    """Finds the images in a folder and those in its sub-folders. One of the two is empty."""
    try:
        flat = _image_files(folder)
        classes = {
            entry.name: files
            for entry in sorted(folder.iterdir())
            if entry.is_dir() and not entry.name.startswith(".") and (files := _image_files(entry))
        }
    except OSError as error:
        raise InputError(f"{folder} must be a readable folder. Received: {error}") from error
    if not flat and not classes:
        raise InputError(f"{folder} must contain images ({', '.join(_SUFFIXES)}). Received: none")
    if flat and classes:
        raise InputError(
            f"{folder} must contain images either directly or in sub-folders. "
            f"Received: {flat[0]} and {next(iter(classes.values()))[0]}"
        )
    return flat, classes


def _image_files(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _labels(classes: dict[str, list[pathlib.Path]]) -> np.ndarray:
    return np.repeat(np.arange(len(classes)), [len(paths) for paths in classes.values()])


def _read_images(paths: Sequence[pathlib.Path]) -> np.ndarray:
    images = list(_each_image(paths))
    size, channels = images[0].shape[:2], max(image.shape[2] for image in images)
    return np.stack([np.broadcast_to(image, (*size, channels)) for image in images])


def _each_image(paths: Sequence[pathlib.Path]) -> Iterator[np.ndarray]:
    """Reads image files in several threads and checks that they have the same size."""
    size: tuple[int, ...] | None = None
    with warnings.catch_warnings(), concurrent.futures.ThreadPoolExecutor() as pool:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # A pool starts all the work that it gets, so a chunk limits the images in memory.
        for start in range(0, len(paths), 1000):
            chunk = paths[start : start + 1000]
            for path, image in zip(chunk, pool.map(_read_image, chunk), strict=True):
                size = size or image.shape[:2]
                if image.shape[:2] != size:
                    raise InputError(
                        f"All images must have the size of {paths[0]}, {_format_size(size)}. "
                        f"Received: {path} of {_format_size(image.shape[:2])}"
                    )
                yield image


def _read_image(path: pathlib.Path) -> np.ndarray:
    try:
        # The decoders of other formats, such as EPS, start external programs.
        with Image.open(path, formats=_FORMATS) as image:
            if getattr(image, "is_animated", False):
                raise ValueError(f"{getattr(image, 'n_frames', 'several')} frames")
            return _pixels(image)
    except _UNREADABLE as error:
        raise InputError(
            f"{path} must be a readable image with one frame. Received: {first_line(error)}"
        ) from error


def _pixels(image: Image.Image) -> np.ndarray:
    """Converts an image to uint8 of shape (h, w, 1) if it is grey, otherwise (h, w, 3)."""
    if image.mode.startswith("I;16"):
        return np.round(np.asarray(image) / 257).astype("uint8")[..., np.newaxis]
    if image.mode in ("I", "F"):
        raise ValueError("32-bit pixels")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    rgb = np.asarray(image.convert("RGB"))
    grey = rgb[..., :1]
    return grey.copy() if (rgb == grey).all() else rgb


def _format_size(size: tuple[int, ...]) -> str:
    height, width = size
    return f"{width}x{height} pixels"
