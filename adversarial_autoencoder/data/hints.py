"""The line of NumPy that converts an array of another layout. Error messages suggest it.

Each function returns " To convert X: CODE." with a leading space, or an empty string if it knows no
conversion.
"""

import math
import pathlib
import re
from collections.abc import Iterable

import numpy as np

# The arrays of a data set, each with usual names of it in lower case without punctuation.
USUAL_NAMES = {
    "x_train": ("xtrain", "trainx", "trainimages", "imagestrain", "traindata", "xtr")
    + ("x", "images", "image", "imgs", "img", "data", "arr0"),
    "y_train": ("ytrain", "trainy", "trainlabels", "labelstrain", "traintargets", "ytr")
    + ("y", "labels", "label", "labs", "targets", "target", "classes", "arr1"),
    "x_test": ("xtest", "testx", "testimages", "imagestest", "testdata", "xte", "arr2"),
    "y_test": ("ytest", "testy", "testlabels", "labelstest", "testtargets", "yte", "arr3"),
}


def for_names(path: pathlib.Path, names: Iterable[str]) -> str:
    """Suggests how to rename the arrays of an .npz file.

    Args:
        path: Path of the file.
        names: Names of its arrays.

    Returns:
        The suggestion.
    """
    found: dict[str, str] = {}
    plain = {re.sub("[^a-z0-9]", "", name.lower()): name for name in names}
    for array, usual in USUAL_NAMES.items():
        if match := next((plain[name] for name in usual if name in plain), None):
            found[array] = match
    if "x_train" not in found:
        return ""
    arguments = ", ".join(f"{array}=f[{name!r}]" for array, name in found.items())
    renamed = str(path.with_name(f"renamed_{path.name}"))
    return f" To convert the names: f = np.load({str(path)!r}); np.savez({renamed!r}, {arguments})."


def for_dtype(name: str, x: np.ndarray) -> str:
    """Suggests how to convert images of a data type that cannot be used.

    Args:
        name: Name of the array.
        x: The images.

    Returns:
        The suggestion.
    """
    if x.dtype.kind == "b":
        return _line("masks", name, f'{name}.astype("uint8") * 255')
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
    if len(shape) == 4 and shape[1] in (1, 3):
        return _line("channels first", name, f"np.moveaxis({name}, 1, -1)")
    if len(shape) == 4 and shape[2] in (1, 3):  # As the files of SVHN: (h, w, c, n).
        return _line("images on the last axis", name, f"np.moveaxis({name}, -1, 0)")
    if len(shape) == 4 and shape[-1] == 4:
        return _line("RGBA", name, f"{name}[..., :3]")
    if len(shape) == 4 and shape[-1] == 2:
        return _line("grey with alpha", name, f"{name}[..., :1]")
    if len(shape) == 5 and 1 in shape[1:]:
        axis = shape.index(1, 1)
        return _line("an axis of length 1", name, f"np.squeeze({name}, {axis})")
    if len(shape) == 2 and shape[1] not in (1, 2, 3, shape[0]):
        side, side_of_colour = math.isqrt(shape[1]), math.isqrt(shape[1] // 3)
        if side**2 == shape[1]:
            return _line("flat images", name, f"{name}.reshape(-1, {side}, {side})")
        if 3 * side_of_colour**2 == shape[1]:
            to_image = f"reshape(-1, 3, {side_of_colour}, {side_of_colour})"
            return _line("flat colour images", name, f"np.moveaxis({name}.{to_image}, 1, -1)")
        return _line("flat images", name, f"{name}.reshape(-1, height, width)")
    return ""


def for_range(name: str, low: float, high: float, is_float: bool) -> str:
    """Suggests how to scale images whose values are out of range, or in a narrow part of it.

    Args:
        name: Name of the array.
        low: Its smallest value.
        high: Its largest value.
        is_float: Whether the values are floating-point numbers.

    Returns:
        The suggestion.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return _line(
            "values that are not finite", name, f"np.nan_to_num({name}, posinf=0, neginf=0)"
        )
    if low == high:
        return ""
    if is_float and low >= 0 and 1 < high <= 255:
        return _line("0 to 255", name, f"{name} / 255")
    if is_float and -1 <= low < 0 and high <= 1:
        return _line("-1 to 1", name, f"({name} + 1) / 2")
    # NumPy subtracts integers of few bits without a carry.
    shifted = name if is_float else f'{name}.astype("float64")'
    shifted = f"({shifted} {'-' if low > 0 else '+'} {abs(low):.7g})" if low else name
    if is_float:
        return _line("the range", name, f"{shifted} / {high - low:.7g}")
    return _line("the range", name, f'np.round({shifted} * (255 / {high - low})).astype("uint8")')


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
    if y.shape == (n, 1):
        return _line("a column", name, f"{name}[:, 0]")
    if y.ndim == 2 and len(y) == n and kind in "biuf" and _is_one_hot(y):
        return _line("one-hot labels", name, f"{name}.argmax(axis=1)")
    if y.shape != (n,):
        return ""
    if kind == "b":
        return _line("booleans", name, f'{name}.astype("int64")')
    if kind == "f" and np.isnan(y).any():
        return _line("missing labels", name, f'np.nan_to_num({name}, nan=-1).astype("int64")')
    if kind == "f" and (y == np.round(y)).all():
        return _line("floating-point numbers", name, f'{name}.astype("int64")')
    if kind in "USO":
        return _numbered("names of classes", name)
    if kind not in "iu":
        return ""
    classes = np.unique(y).tolist()
    if classes == [-1, 1]:
        return _line("-1 and 1", name, f"({name} + 1) // 2")
    if classes == list(range(1, len(classes) + 1)):
        return _line("labels that start at 1", name, f"{name} - 1")
    return _numbered("other numbers", name, " - 1" if classes[0] == -1 else "")


def _numbered(what: str, name: str, unlabelled: str = "") -> str:
    """Numbers the classes of y_train; y_test has the same numbers, also if a class is missing."""
    if name == "y_test":
        return _line(what, name, f"np.searchsorted(classes, y_test){unlabelled}")
    code = f"classes, {name} = np.unique({name}, return_inverse=True)"
    return f" To convert {what}: {code}{f'; {name} -= 1' if unlabelled else ''}."


def _is_one_hot(y: np.ndarray) -> bool:
    return bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def _line(what: str, name: str, code: str) -> str:
    return f" To convert {what}: {name} = {code}."
