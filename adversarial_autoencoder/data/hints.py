"""How to convert an array of another layout: a flag or a line of NumPy. Error messages suggest it.

Each function returns a sentence such as " To convert X: CODE." with a leading space, or an empty
string if it knows no conversion.
"""

import math

import numpy as np

from adversarial_autoencoder.config.image_form import format_value


def for_dtype(name: str, x: np.ndarray) -> str:
    """Suggests how to convert images of a data type that cannot be used.

    Args:
        name: Name of the array.
        x: The images.

    Returns:
        The suggestion.
    """
    if x.dtype.kind in "USO":
        return _line("text or objects", name, f'np.array({name}.tolist(), "float32")')
    if x.dtype.kind == "c":
        return _line("complex numbers", name, f'np.abs({name}).astype("float32")')
    if x.dtype.kind == "f":
        return _line("long floating-point numbers", name, f'{name}.astype("float32")')
    return ""


def for_shape(name: str, shape: tuple[int, ...]) -> str:
    """Suggests how to convert images of a shape that cannot be used.

    Args:
        name: Name of the array.
        shape: Its shape.

    Returns:
        The suggestion.
    """
    if len(shape) == 4 and shape[1] in (1, 3) and shape[-1] not in (1, 3):
        return _line("channels first", name, f"np.moveaxis({name}, 1, -1)")
    if len(shape) == 4 and shape[-1] == 4:
        return _line("RGBA", name, f"{name}[..., :3]")
    if len(shape) == 4 and shape[-1] == 2:
        return _line("grey with alpha", name, f"{name}[..., :1]")
    if len(shape) == 5 and 1 in shape[1:]:
        axis = shape.index(1, 1)
        return _line("an axis of length 1", name, f"np.squeeze({name}, {axis})")
    if len(shape) == 2 and shape[1] not in (1, 2, 3, shape[0]):
        return for_flat(name, shape[1])
    return ""


def for_flat(name: str, length: int) -> str:
    """Suggests how to read vectors as images.

    Args:
        name: Name of the array.
        length: Length of a vector.

    Returns:
        The suggestion.
    """
    side, side_of_colour = math.isqrt(length), math.isqrt(length // 3)
    if side**2 == length:
        return f" To read flat images: --image_size {side}."
    if 3 * side_of_colour**2 == length:
        to_image = f"reshape(-1, 3, {side_of_colour}, {side_of_colour})"
        return _line("flat colour images", name, f"np.moveaxis({name}.{to_image}, 1, -1)")
    return _line("flat images", name, f"{name}.reshape(-1, height, width)")


def for_strip(shape: tuple[int, ...]) -> str:
    """Suggests how to read images that are one pixel high or wide, if they look like flat ones.

    Args:
        shape: Shape of the images, (n, h, w, c).

    Returns:
        The suggestion.
    """
    n, height, width, channels = shape
    pixels = height * width
    if channels == 1 and 1 in (height, width) and pixels not in (1, 2, 3, n):
        side = math.isqrt(pixels)
        if side**2 == pixels:
            return (
                f" To read them as {side}x{side} pixels: give vectors, shape ({n}, {pixels}), and "
                f"--image_size {side}."
            )
    return ""


def not_finite(name: str) -> str:
    """Suggests how to replace values that are not finite.

    Args:
        name: Name of the array.

    Returns:
        The suggestion.
    """
    return _line("values that are not finite", name, f"np.nan_to_num({name}, posinf=0, neginf=0)")


def for_range(low: float, high: float) -> str:
    """Suggests how to scale images whose values are out of range, or in a narrow part of it.

    Args:
        low: Their smallest value.
        high: Their largest value.

    Returns:
        The suggestion.
    """
    if low == high:
        return ""
    return f" To use their range: --value_range={format_value(low)},{format_value(high)}."


def for_labels(name: str, y: np.ndarray, n: int) -> str:
    """Suggests how to convert labels of another form.

    Args:
        name: Name of the array.
        y: The labels.
        n: Number of images.

    Returns:
        The suggestion.
    """
    kind = y.dtype.kind
    if y.shape != (n,):
        return ""
    if kind == "f" and np.isnan(y).any():
        return _line("missing labels", name, f'np.nan_to_num({name}, nan=-1).astype("int64")')
    if kind == "O":
        return _numbered("objects", name)
    if kind not in "iu":
        return ""
    classes = np.unique(y).tolist()
    if classes == [-1, 1]:
        return _line("-1 and 1", name, f"({name} + 1) // 2")
    return _numbered("other numbers", name, " - 1" if classes[0] == -1 else "")


def _numbered(what: str, name: str, unlabelled: str = "") -> str:
    """Numbers the classes of y_train; y_test has the same numbers, also if a class is missing."""
    if name == "y_test":
        return _line(what, name, f"np.searchsorted(classes, y_test){unlabelled}")
    code = f"classes, {name} = np.unique({name}, return_inverse=True)"
    return f" To convert {what}: {code}{f'; {name} -= 1' if unlabelled else ''}."


def _line(what: str, name: str, code: str) -> str:
    return f" To convert {what}: {name} = {code}."
