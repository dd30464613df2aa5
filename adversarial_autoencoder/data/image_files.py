"""Reads image files, and remembers the range of their values."""

import concurrent.futures
import pathlib
import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PIL import ExifTags, Image

from adversarial_autoencoder.data.value_range import warn_if_narrow
from adversarial_autoencoder.errors import MALFORMED, InputError, first_line

# MPO files, which phones write, are JPEG files with several pictures.
_SUFFIXES_OF = {
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "GIF": (".gif",),
    "JPEG": (".jfif", ".jpe", ".jpeg", ".jpg", ".mpo"),
    "PNG": (".png",),
    "PPM": (".pbm", ".pgm", ".pnm", ".ppm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
SUFFIXES = tuple(sorted(suffix for suffixes in _SUFFIXES_OF.values() for suffix in suffixes))
_FORMATS = tuple(_SUFFIXES_OF)

# Pillow raises the last two for images with too many pixels.
_UNREADABLE: tuple[type[Exception], ...] = (
    *MALFORMED,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

# How a camera that was held in another way makes the image upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageReader:
    """Reads image files in several threads, and checks that they have the same size.

    Transparent images are drawn on a white background. 16-bit grey is scaled to 8 bits. The
    orientation in the EXIF data is applied. Of several pictures in an MPO file, which phones write,
    the first is read.

    Attributes:
        ranges: The smallest and the largest value that were read, by the largest value that the
            files can hold, 255 or 65535.
    """

    def __init__(self) -> None:
        self.ranges: dict[int, tuple[int, int]] = {}

    def __call__(self, paths: Sequence[pathlib.Path]) -> Iterator[np.ndarray]:
        """Reads files.

        Args:
            paths: Paths of the files.

        Yields:
            For each file a uint8 array: (h, w, 1) if the image is grey, otherwise (h, w, 3).

        Raises:
            InputError: If an image is damaged, is animated, has 32-bit pixels, or differs in size
                from the first one.
        """
        size: tuple[int, ...] | None = None
        with warnings.catch_warnings(), concurrent.futures.ThreadPoolExecutor() as pool:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Damaged EXIF data, which other programs ignore as well.
            warnings.filterwarnings("ignore", category=UserWarning, module="PIL.TiffImagePlugin")
            # A pool starts all the work that it gets, so a chunk limits the images in memory.
            for start in range(0, len(paths), 1000):
                chunk = paths[start : start + 1000]
                read = pool.map(_read_image, chunk)
                for path, (image, *values) in zip(chunk, read, strict=True):
                    size = size or image.shape[:2]
                    if image.shape[:2] != size:
                        raise InputError(
                            f"All images must have the size of {paths[0]}, {_format_size(size)}. "
                            f"Received: {path} of {_format_size(image.shape[:2])}"
                        )
                    self._remember(*values)
                    yield image

    def warn_if_narrow(self, source: str | pathlib.Path, warn: Callable[[str], object]) -> None:
        """Warns if the images that were read use only a small part of the range of their files.

        Args:
            source: Where the images come from.
            warn: Function that is called with the text of a warning.
        """
        for limit, (low, high) in self.ranges.items():
            bits = "16-bit images" if limit > 255 else "images"
            warn_if_narrow(f"the {bits} in {source}", "x", low, high, limit, warn)

    def _remember(self, low, high, limit):
        known = self.ranges.get(limit, (low, high))
        self.ranges[limit] = min(known[0], low), max(known[1], high)


def _read_image(path: pathlib.Path) -> tuple[np.ndarray, int, int, int]:
    """Reads an image. Returns its pixels, and smallest, largest and possible value in the file."""
    try:
        # The decoders of other formats, such as EPS, start external programs. With a path instead
        # of a stream, Pillow maps some files into memory, and mixes up their pixels if they are
        # turned.
        with path.open("rb") as stream, Image.open(stream, formats=_FORMATS) as image:
            if getattr(image, "is_animated", False) and image.format != "MPO":
                raise ValueError(f"{getattr(image, 'n_frames', 'several')} frames")
            return _pixels(_upright(image))
    except _UNREADABLE as error:
        raise InputError(
            f"{path} must be a readable image with one frame. Received: {first_line(error)}"
        ) from error


def _upright(image: Image.Image) -> Image.Image:
    """Turns an image as its EXIF data says."""
    image.load()  # It turns a TIFF image, and then removes the orientation.
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except MALFORMED:  # Damaged EXIF data.
        orientation = None
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _pixels(image: Image.Image) -> tuple[np.ndarray, int, int, int]:
    """Converts an image to uint8, and finds the range of its values."""
    # Pillow reads 16-bit PGM with 32 bits, scaled to 0..65535.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        grey = np.asarray(image)
        low, high, limit = int(grey.min()), int(grey.max()), 65535
        return np.round(grey / 257).astype("uint8")[..., np.newaxis], low, high, limit
    if image.mode in ("I", "F"):
        raise ValueError("32-bit pixels")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    rgb = np.asarray(image.convert("RGB"))
    low, high = int(rgb.min()), int(rgb.max())
    grey = rgb[..., :1]
    return grey.copy() if (rgb == grey).all() else rgb, low, high, 255


def _format_size(size: tuple[int, ...]) -> str:
    height, width = size
    return f"{width}x{height} pixels"
