"""Folders of image files."""

import concurrent.futures
import itertools
import struct
import warnings
import zlib

import numpy as np
from PIL import Image

from adversarial_autoencoder.errors import InputError

_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")

# What Pillow raises on malformed files, and on those that unpack to too many pixels.
_MALFORMED = (
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def read_image_folder(folder):
    """Reads the images of a folder, either in it (no labels) or in one sub-folder for each class.

    It reads PNG, JPEG, BMP, GIF, TIFF and WebP files by their suffixes and ignores other files,
    hidden ones, sub-folders without images and whatever lies deeper. Transparent pixels are laid
    on white. If red, green and blue are equal in every pixel of every image, the images have one
    channel, else three. 16-bit greyscale is scaled to 8 bits.

    Args:
        folder: Its path, a `pathlib.Path`.

    Returns:
        Images, uint8 of shape (n, h, w, 1) or (n, h, w, 3), in the order of their names; labels,
        int64 of shape (n,), or None; and the list of the class names, sorted, or None.

    Raises:
        InputError: If the folder has no images, or has them both in it and in sub-folders, or if an
            image is damaged, animated or not of the size of the others.
    """
    flat, classes = _find_images(folder)
    x = _read_images(flat or list(itertools.chain(*classes.values())))
    if flat:
        return x, None, None
    return x, np.repeat(np.arange(len(classes)), [*map(len, classes.values())]), list(classes)


def stream_image_folder(folder):
    """As `read_image_folder`, but the images come one by one; each is read twice.

    Returns:
        A function from indices, in the order wanted, to an iterator over the images with these,
        whose last axis may be 1 where the shape says 3; the shape of all, (n, height, width,
        channels); labels and class names, as `read_image_folder`.
    """
    flat, classes = _find_images(folder)
    paths = flat or list(itertools.chain(*classes.values()))
    shapes = [image.shape for image in _each_image(paths)]
    shape = (len(paths), *shapes[0][:2], max(shape[2] for shape in shapes))

    def read(indices):
        return _each_image([paths[i] for i in indices])

    if flat:
        return read, shape, None, None
    labels = np.repeat(np.arange(len(classes)), [*map(len, classes.values())])
    return read, shape, labels, list(classes)


def image_names(folder):
    """The names of the images that `read_image_folder` reads, in its order, relative to the folder.

    Raises:
        InputError: As `read_image_folder`.
    """
    flat, classes = _find_images(folder)
    paths = flat or list(itertools.chain(*classes.values()))
    return [str(path.relative_to(folder)) for path in paths]


def _find_images(folder):
    """The image files in a folder, and a dict of those in its sub-folders; one of them is empty."""
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
        raise InputError(f"{folder} must hold images ({', '.join(_SUFFIXES)}). Received: none")
    if flat and classes:
        raise InputError(
            f"{folder} must hold images either directly or in sub-folders. "
            f"Received: {flat[0]} and {next(iter(classes.values()))[0]}"
        )
    return flat, classes


def _image_files(folder):
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _read_images(paths):
    images = list(_each_image(paths))
    size, channels = images[0].shape[:2], max(image.shape[2] for image in images)
    return np.stack([np.broadcast_to(image, (*size, channels)) for image in images])


def _each_image(paths):
    """Reads image files, some at once, and checks that they have one size."""
    size = None
    with warnings.catch_warnings(), concurrent.futures.ThreadPoolExecutor() as pool:
        warnings.simplefilter("error", Image.DecompressionBombWarning)
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


def _read_image(path):
    try:
        # Only the decoders of these formats: others, such as EPS, start external programs.
        with Image.open(path, formats=_FORMATS) as image:
            if getattr(image, "is_animated", False):
                raise ValueError(f"{image.n_frames} frames")
            return _pixels(image)
    except _MALFORMED as error:
        raise InputError(
            f"{path} must be a readable image with one frame. "
            f"Received: {str(error) or type(error).__name__}"
        ) from error


def _pixels(image):
    """A uint8 array of shape (h, w, 1) if the image has no colour, else (h, w, 3)."""
    if image.mode.startswith("I;16"):
        return np.round(np.asarray(image) / 257).astype("uint8")[..., np.newaxis]
    if image.mode in ("I", "F"):
        raise ValueError("pixels of 32 bits")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    rgb = np.asarray(image.convert("RGB"))
    grey = rgb[..., :1]
    return grey.copy() if (rgb == grey).all() else rgb


def _format_size(size):
    height, width = size
    return f"{width}x{height} pixels"
