"""Reads image files, and remembers the range of their values."""

import concurrent.futures
import functools
import pathlib
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import ExifTags, Image

from adversarial_autoencoder.data.images.resize import resize
from adversarial_autoencoder.errors import MALFORMED, InputError, reading

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

# Pillow raises them for images with too many pixels.
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)

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
    """Reads image files in several threads, and brings them to one size.

    Transparent images are drawn on a white background. The orientation in the EXIF data is applied.
    Of several pictures in an MPO file, which phones write, the first is read.

    Args:
        size: Height and width to which the images are resized and cropped. None: they must have the
            same size.
        advise: Whether the error about another size names the flag that brings all to one.

    Attributes:
        ranges: The smallest and the largest value that were read, by the largest value that the
            files can hold, 255 or 65535.
        enlarged: Number of images that were smaller than `size`.
    """

    def __init__(self, size: tuple[int, int] | None = None, advise: bool = True) -> None:
        self.size, self.advise = size, advise
        self.ranges: dict[int, tuple[int, int]] = {}
        self.enlarged = 0

    def __call__(self, paths: Sequence[pathlib.Path]) -> Iterator[np.ndarray]:
        """Reads files.

        Args:
            paths: Paths of the files.

        Yields:
            For each file an array: (h, w, 1) if the image is grey, otherwise (h, w, 3). It is uint8
            for 8-bit files, and uint16 for 16-bit files.

        Raises:
            InputError: If an image is damaged, is animated, has 32-bit pixels, or differs in size
                from the first one.
        """
        size = self.size
        read_image = functools.partial(_read_image, size=size)
        with warnings.catch_warnings(), concurrent.futures.ThreadPoolExecutor() as pool:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Damaged EXIF data, which other programs ignore as well.
            warnings.filterwarnings("ignore", category=UserWarning, module="PIL.TiffImagePlugin")
            # A pool starts all the work that it gets, so a chunk limits the images in memory.
            for start in range(0, len(paths), 1000):
                chunk = paths[start : start + 1000]
                read = pool.map(read_image, chunk)
                for path, (image, original, *values) in zip(chunk, read, strict=True):
                    size = size or original
                    if image.shape[:2] != size:
                        flag = f"; --image_size {min(size)} resizes and crops them"
                        raise InputError(
                            f"All images must have the size of {paths[0]}, {_format_size(size)}"
                            f"{flag if self.advise else ''}. "
                            f"Received: {path} of {_format_size(original)}"
                        )
                    self.enlarged += original[0] < size[0] or original[1] < size[1]
                    self._remember(*values)
                    yield image

    def _remember(self, low, high, limit):
        known = self.ranges.get(limit, (low, high))
        self.ranges[limit] = min(known[0], low), max(known[1], high)


def _read_image(
    path: pathlib.Path, size: tuple[int, int] | None
) -> tuple[np.ndarray, tuple[int, int], int, int, int]:
    """Reads an image. Returns it, its size before resizing, and its range.

    The range is the smallest, the largest and the possible value in the file.
    """
    with (
        reading(f"{path} must be a readable image with one frame", *_TOO_LARGE),
        # The decoders of other formats, such as EPS, start external programs. With a path instead
        # of a stream, Pillow maps some files into memory, and mixes up their pixels if they are
        # turned.
        path.open("rb") as stream,
        Image.open(stream, formats=_FORMATS) as image,
    ):
        if getattr(image, "is_animated", False) and image.format != "MPO":
            raise ValueError(f"{getattr(image, 'n_frames', 'several')} frames")
        pixels, low, high, limit = _pixels(_upright(image))
        height, width = pixels.shape[:2]
        resized = resize(pixels, size or (height, width))
        return resized, (height, width), low, high, limit


def _upright(image: Image.Image) -> Image.Image:
    """Turns an image as its EXIF data says."""
    image.load()  # It turns a TIFF image, and then removes the orientation.
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except MALFORMED:  # Damaged EXIF data.
        orientation = None
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _pixels(image: Image.Image) -> tuple[np.ndarray, int, int, int]:
    """Converts an image to uint8 or uint16, and finds the range of its values."""
    # Pillow reads 16-bit PGM with 32 bits, scaled to 0..65535.
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        grey = np.asarray(image)
        low, high, limit = int(grey.min()), int(grey.max()), 65535
        return grey.astype("uint16")[..., np.newaxis], low, high, limit
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
