"""Resizes, crops and converts images, and checks that they fit in memory."""

import math

import numpy as np
from PIL import Image, ImageOps

from adversarial_autoencoder.data.array_files import MAX_NPZ_BYTES
from adversarial_autoencoder.errors import InputError

# The weights of red, green and blue in grey (ITU-R BT.601), as in Pillow.
LUMA = (0.299, 0.587, 0.114)


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes an image so that it covers a size, and crops it at the centre.

    The filter is bicubic. It averages over all pixels when it makes an image smaller.

    Args:
        image: An image of shape (h, w, c): numbers, c is 1 or 3.
        size: Height and width, in pixels.

    Returns:
        The image with the new height and width, of the same type; float64 becomes float32. Its
        values stay in the range of the image.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.data.images.resize import resize
        >>> resize(np.zeros((40, 30, 3), "uint8"), (16, 16)).shape
        (16, 16, 3)
    """
    if image.shape[:2] == size:
        return image

    def fit(channels):
        fitted = ImageOps.fit(Image.fromarray(channels), size[::-1], Image.Resampling.BICUBIC)
        return np.asarray(fitted)

    if image.dtype == np.uint8:
        return fit(image.squeeze(-1) if image.shape[-1] == 1 else image).reshape(*size, -1)
    # Pillow resizes floats of one channel only.
    planes = [fit(np.ascontiguousarray(plane, "float32")) for plane in np.moveaxis(image, -1, 0)]
    resized = np.stack(planes, axis=-1).clip(image.min(), image.max())
    return np.round(resized).astype(image.dtype) if image.dtype.kind in "iu" else resized


def convert(images: np.ndarray, channels: int) -> np.ndarray:
    """Converts colour to grey, or repeats grey for each colour.

    Args:
        images: Images of shape (..., c), where c is 1 or 3.
        channels: The wanted number of channels, 1 or 3.

    Returns:
        Images of shape (..., channels), of the same type.
    """
    if images.shape[-1] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=-1)
    grey = images @ np.array(LUMA, "float32")
    if images.dtype.kind in "iu":
        grey = np.round(grey)
    return grey.astype(images.dtype)[..., np.newaxis]


def check_memory(shape: tuple[int, ...], itemsize: int, source: object) -> None:
    """Checks that images fit in memory.

    Args:
        shape: Shape of all images together.
        itemsize: Bytes of a number.
        source: Where they come from.

    Raises:
        InputError: If they take more than `array_files.MAX_NPZ_BYTES` bytes.
    """
    needed = math.prod(shape) * itemsize
    if needed > MAX_NPZ_BYTES:
        n, height, width = shape[:3]
        raise InputError(
            f"The images of {source} must take at most {MAX_NPZ_BYTES / 2**30:.1f} GiB of memory. "
            f"A smaller --image_size takes less, and --mode prepare writes a folder of images as "
            f"files that a training streams. Received: {n} images of {height}x{width} pixels, "
            f"{needed / 2**30:.1f} GiB"
        )
