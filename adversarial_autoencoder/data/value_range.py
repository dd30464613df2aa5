"""The range of the values of images: recognised, warned about, and scaled to [0, 1]."""

import math
import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from adversarial_autoencoder.config.image_form import AUTO, BY_TYPE, ImageForm, format_value
from adversarial_autoencoder.data import hints
from adversarial_autoencoder.errors import InputError

# A range that is narrower than this part of the possible one is probably a mistake.
NARROW = 1 / 4
# Values of -1 to 1 reach at least so far down. Less is noise around 0.
SIGNED = -0.75


def array_range(
    x: Mapping[str, np.ndarray],
    source: str | pathlib.Path,
    form: ImageForm,
    warn: Callable[[str], object],
    advise: bool = True,
) -> tuple[float, float] | str:
    """Chooses the values that become 0 and 1 for arrays of images, and checks their range.

    Args:
        x: The arrays by name, numbers or booleans, none of them empty.
        source: Where they come from.
        form: The form. Its range is the answer unless it is "auto".
        warn: Function that is called with the text of a warning.
        advise: Whether a warning can name the flag of another range.

    Returns:
        Two numbers, or "dtype" if the values need no scaling but that of their data type.

    Raises:
        InputError: If values are outside the range, or "auto" knows no range that fits.
    """
    what, types = f"{', '.join(x)} in {source}", _types(x)
    kinds = {array.dtype.kind for array in x.values()}
    if len({kind == "f" for kind in kinds}) > 1:
        raise InputError(
            f"{what} must all be integers or all be floating-point numbers. Received: {types}"
        )
    lows, highs = ({k: f(array).item() for k, array in x.items()} for f in (np.min, np.max))
    low, high = float(np.min([*lows.values()])), float(np.max([*highs.values()]))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(
            f"{what} must contain finite numbers.{hints.not_finite(', '.join(x))} "
            f"Received: values from {low} to {high}"
        )
    chosen = form.value_range
    if chosen == AUTO:
        recognised = _recognised(low, high, x)
        if recognised is None:
            raise InputError(
                f"The values of {what} must be in a usual range: integers from 0 to 65535, or "
                "floating-point numbers in 0 to 1, -1 to 1 or 0 to 255."
                f"{hints.for_range(low, high)} "
                f"Received: {types} from {format_value(low)} to {format_value(high)}"
            )
        chosen = recognised
        if not isinstance(chosen, str):
            warn(_says(f"The values of {what}", low, high, chosen))
    black, white = (0, 1 if kinds == {"f"} else 255) if isinstance(chosen, str) else chosen
    check_inside(low, high, (black, white), what)
    for name in x:
        warn_if_narrow(f"{name} in {source}", lows[name], highs[name], black, white, warn, advise)
    return chosen


def file_range(
    ranges: Mapping[int, tuple[int, int]],
    source: str | pathlib.Path,
    form: ImageForm,
    warn: Callable[[str], object],
    advise: bool = True,
) -> tuple[float, float] | str:
    """Chooses the values that become 0 and 1 for image files, and checks their range.

    Args:
        ranges: The smallest and the largest value, by the largest value that files can hold: 255 or
            65535.
        source: Where they come from.
        form: The form. Its range is the answer unless it is "auto".
        warn: Function that is called with the text of a warning.
        advise: Whether a warning can name the flag of another range.

    Returns:
        Two numbers, or "dtype" for the whole range of the files.

    Raises:
        InputError: If values are outside the range of the form.
    """
    chosen = form.value_range
    for limit, (low, high) in ranges.items():
        what = f"the {'16-bit ' if limit > 255 else ''}images in {source}"
        own = limit > 255 or _is_narrow(low, high, 0, limit)
        if chosen == AUTO and own and len(ranges) == 1 and low < high:
            warn(_says(f"The values of {what}", low, high, (low, high)))
            return low, high
        if isinstance(chosen, str):
            warn_if_narrow(what, low, high, 0, limit, warn, advise)
        else:
            check_inside(low, high, chosen, what)
            warn_if_narrow(what, low, high, *chosen, warn, advise)
    return BY_TYPE if chosen == AUTO else chosen


def scaled(x: np.ndarray, value_range: tuple[float, float] | str) -> np.ndarray:
    """Scales images.

    Args:
        x: Images: numbers or booleans inside the range.
        value_range: The values that become 0 and 1; or "dtype": 0 and 255 for integers of any type,
            0 and 1 for floats.

    Returns:
        uint8 in 0..255 where this keeps each value exactly, otherwise float32 in [0, 1].
    """
    if value_range == BY_TYPE:
        value_range = (0, 1 if x.dtype.kind == "f" else 255)
    assert not isinstance(value_range, str)
    low, high = value_range
    span = high - low
    if x.dtype.kind in "biu" and low == int(low) and span == int(span) and 255 % span == 0:
        if (low, span) == (0, 255):
            return x.astype("uint8", copy=False)
        return ((x.astype("int64") - int(low)) * (255 // int(span))).astype("uint8")
    if (low, high) == (0, 1):
        return x.astype("float32", copy=False)
    # float64 keeps all values of 32-bit integers; resizing may exceed the range by rounding.
    return np.clip((x.astype("float64") - low) / span, 0, 1).astype("float32")


def scaled_file(x: np.ndarray, value_range: tuple[float, float] | str) -> np.ndarray:
    """Scales an image of a file.

    Args:
        x: What an `images.files.ImageReader` yields: uint8, or uint16 of a 16-bit file.
        value_range: As in `scaled`, but "dtype" is 0 and 65535 for a 16-bit file.

    Returns:
        As `scaled`.
    """
    if value_range == BY_TYPE and x.dtype == np.uint16:
        value_range = (0, 65535)
    return scaled(x, value_range)


def unscaled(
    x: np.ndarray, value_range: tuple[float, float] | str, dtype: str = "uint8"
) -> np.ndarray:
    """Brings images back to the range of values of the training data: the inverse of `scaled`.

    Args:
        x: Images in [0, 1], a float array.
        value_range: The values that became 0 and 1; or "dtype".
        dtype: Type of the images of the training: "uint8", or "float32" in [0, 1].

    Returns:
        Images of the same shape. For "dtype": uint8 in 0..255 or float32 in [0, 1], like the images
        of the training. Otherwise uint8 or uint16 if the range consists of such numbers and is more
        than 0 to 1, and float32 if not.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.data.value_range import unscaled
        >>> unscaled(np.array([0.0, 0.5, 1.0]), (0, 4095))
        array([   0, 2048, 4095], dtype=uint16)
    """
    if isinstance(value_range, str):
        value_range = (0, 255) if dtype == "uint8" else (0, 1)
    low, high = value_range
    values = np.clip(low + np.asarray(x, "float64") * (high - low), low, high)
    if low == int(low) and high == int(high) and low >= 0 and 1 < high <= 65535:
        return np.round(values).astype("uint8" if high <= 255 else "uint16")
    return values.astype("float32")


def check_inside(low: float, high: float, value_range: tuple[float, float], what: str) -> None:
    """Checks that values are inside a range that was given.

    Args:
        low: The smallest value.
        high: The largest value.
        value_range: The range.
        what: The images, for the error.

    Raises:
        InputError: If they are not.
    """
    if not (value_range[0] <= low and high <= value_range[1]):
        expected = " to ".join(map(format_value, value_range))
        raise InputError(
            f"The values of {what} must be in the value_range {expected}. "
            f"Received: {format_value(low)} to {format_value(high)}"
        )


def warn_if_narrow(
    what: str,
    low: float,
    high: float,
    black: float,
    white: float,
    warn: Callable[[str], object],
    advise: bool = True,
) -> None:
    """Warns if images use only a small part of the range of values, such as masks of 0 and 1.

    Args:
        what: The images, for the text of the warning.
        low: Their smallest value.
        high: Their largest value.
        black: The smallest possible value.
        white: The largest possible value.
        warn: Function that is called with the text of a warning.
        advise: Whether the warning can name the flag of another range.

    Example:
        >>> from adversarial_autoencoder.data.value_range import warn_if_narrow
        >>> warn_if_narrow("x_train", 0, 200, 0, 255, print)
        >>> warn_if_narrow("x_train", 7, 7, 0, 255, print)
        All values of x_train are 7.
    """
    if low == high:
        warn(f"All values of {what} are {low:.7g}.")
    elif _is_narrow(low, high, black, white):
        dark = high <= (black + white) / 2
        warn(
            f"The values of {what} are {format_value(low)} to {format_value(high)}, a small part "
            f"of {format_value(black)} to {format_value(white)}, so that all images are nearly "
            f"{'black' if dark else 'of one brightness'}."
            f"{hints.for_range(low, high) if advise else ''}"
        )


def _recognised(
    low: float, high: float, x: Mapping[str, np.ndarray]
) -> tuple[float, float] | str | None:
    """The range of arrays with these values, "dtype" for the usual one, None if there is none."""
    is_float = any(array.dtype.kind == "f" for array in x.values())
    # Floats with the values of integers are integers, if there are more than 0 and 1.
    whole = not is_float or (high > 1 and all((a == np.round(a)).all() for a in x.values()))
    if low < 0:
        return (-1, 1) if -1 <= low <= (-1 if whole else SIGNED) and 0 < high <= 1 else None
    if is_float and high <= 1:
        return BY_TYPE
    narrow = _is_narrow(low, high, 0, 255)
    if high <= 255 and (not narrow or (low == high and not is_float)):
        return (0, 255) if is_float else BY_TYPE
    return (low, high) if whole and low < high <= 65535 else None


def _types(x: Mapping[str, np.ndarray]) -> str:
    return ", ".join(sorted({str(array.dtype) for array in x.values()}))


def _is_narrow(low: float, high: float, black: float, white: float) -> bool:
    return high - low <= NARROW * (white - black)


def _says(what: str, low: float, high: float, chosen: tuple[float, float]) -> str:
    black, white = map(format_value, chosen)
    return (
        f"{what} are {format_value(low)} to {format_value(high)}: {black} becomes black and "
        f"{white} white. --value_range LOW,HIGH sets another range."
    )
