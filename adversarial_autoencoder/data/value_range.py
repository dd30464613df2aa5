"""Warns of images that use only a small part of the range of values."""

from collections.abc import Callable

from adversarial_autoencoder.data import hints

# A range that is narrower than this part of the possible one is probably a mistake.
NARROW = 1 / 4


def warn_if_narrow(
    what: str, name: str, low: float, high: float, limit: int, warn: Callable[[str], object]
) -> None:
    """Warns if images use only a small part of the range of values, such as masks of 0 and 1.

    Args:
        what: The images, for the text of the warning.
        name: Name of their array, for the line of NumPy that scales them.
        low: Their smallest value.
        high: Their largest value.
        limit: The largest possible value: 1 for floating-point numbers, otherwise 255 or 65535.
        warn: Function that is called with the text of a warning.

    Example:
        >>> from adversarial_autoencoder.data.value_range import warn_if_narrow
        >>> warn_if_narrow("x_train", "x_train", 0, 200, 255, print)
        >>> warn_if_narrow("x_train", "x_train", 7, 7, 255, print)
        All values of x_train are 7.
    """
    if low == high:
        warn(f"All values of {what} are {low:.7g}.")
    elif high - low <= NARROW * limit:
        warn(
            f"The values of {what} are {low:.7g} to {high:.7g}, a small part of 0 to {limit}, so "
            f"that all images are nearly {'black' if high <= limit / 2 else 'of one brightness'}."
            f"{hints.for_range(name, low, high, limit == 1)}"
        )
