"""The form into which images are brought: size, channels and range of values."""

import dataclasses
import math
import re
from typing import Any

from adversarial_autoencoder.errors import InputError

AUTO, BY_TYPE = "auto", "dtype"
CHANNELS = ("auto", "1", "3")


@dataclasses.dataclass(frozen=True)
class ImageForm:
    """The form into which images are brought when they are read.

    Args:
        size: Height and width. Larger and smaller images are resized and cropped at the centre.
            None: all images must have one size.
        channels: Number of channels, 1 or 3. None: 3 if an image is in colour, otherwise 1.
        value_range: The values that become 0 and 1, a pair. "auto": it follows from the data.
            "dtype": integers are in 0..255, those of 16-bit files in 0..65535, and floats in 0..1.

    Example:
        >>> from adversarial_autoencoder.config.image_form import ImageForm
        >>> form = ImageForm.of(image_size="32", channels="1", value_range="0,16")
        >>> form.size, form.channels, form.value_range
        ((32, 32), 1, (0.0, 16.0))
        >>> form.settings()
        {'image_size': '32x32', 'channels': '1', 'value_range': '0,16'}
    """

    size: tuple[int, int] | None = None
    channels: int | None = None
    value_range: tuple[float, float] | str = AUTO

    @classmethod
    def of(
        cls, image_size: str | None = None, channels: str = AUTO, value_range: str = AUTO
    ) -> "ImageForm":
        """Reads the settings with these names.

        Args:
            image_size: "H" or "HxW", in pixels; None for any size.
            channels: "auto", "1" or "3".
            value_range: "auto", "dtype" or "LOW,HIGH".

        Returns:
            An `ImageForm`.

        Raises:
            InputError: If a text has another form.
        """
        return cls(
            None if image_size is None else _size(image_size),
            None if channels == AUTO else int(channels),
            value_range if value_range in (AUTO, BY_TYPE) else _range(value_range),
        )

    def settings(self) -> dict[str, Any]:
        """The settings that `of` reads, in one form for the same meaning."""
        size, low_high = self.size, self.value_range
        return {
            "image_size": f"{size[0]}x{size[1]}" if size else None,
            "channels": str(self.channels or AUTO),
            "value_range": (
                low_high if isinstance(low_high, str) else ",".join(map(format_value, low_high))
            ),
        }

    def resizing(self) -> str:
        """A sentence for the log, about what happens to the size of images."""
        size = self.settings()["image_size"]
        return f"Images are resized so that they cover {size} pixels, and cropped at the centre."


# Images of any common size, with a range that follows from the data; and without any conversion.
ANY_FORM, UNCHANGED = ImageForm(), ImageForm(value_range=BY_TYPE)


def in_one_form(given: dict[str, Any]) -> dict[str, Any]:
    """Writes settings of equal meaning in the same way, such as 32 and 32x32.

    Args:
        given: Settings by name.

    Returns:
        The same settings, with `image_size` and `value_range` as `ImageForm.settings` writes them.

    Raises:
        InputError: If one of them has another form.
    """
    texts = {
        name: given[name]
        for name in ("image_size", "value_range")
        if isinstance(given.get(name), str)
    }
    if not texts:
        return given
    settings = ImageForm.of(**texts).settings()
    return given | {name: settings[name] for name in texts}


def format_value(value: float) -> str:
    """Writes a number in the shortest way that keeps its value.

    Args:
        value: The number.

    Returns:
        Its text, such as "0.5" or "255".
    """
    short = f"{value:.10g}"
    return short if float(short) == value else repr(float(value))


def _size(text: str) -> tuple[int, int]:
    parts = re.fullmatch(r"([0-9]{1,9})(?:x([0-9]{1,9}))?", text.strip().lower())
    height, width = (int(parts[1]), int(parts[2] or parts[1])) if parts else (0, 0)
    if not height or not width:
        raise InputError(
            "image_size must be the height, or height and width as HxW, in pixels, such as 64 or "
            f"64x48. Received: image_size={text!r}"
        )
    return height, width


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InputError(
            f"value_range must be {AUTO}, {BY_TYPE} or two numbers LOW,HIGH with LOW below HIGH, "
            f"such as 0,4095 or -1,1. Received: value_range={text!r}"
        )
    return low, high
