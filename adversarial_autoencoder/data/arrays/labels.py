"""Labels as people have them: columns, one-hot, names of classes, numbers from 1."""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from adversarial_autoencoder.data.checks import UNLABELLED
from adversarial_autoencoder.errors import InputError, counted


def numbered_labels(
    arrays: dict[str, Any], source: str | pathlib.Path, warn: Callable[[str], object]
) -> tuple[dict[str, Any], list[str] | None]:
    """Converts labels to numbers of classes from 0.

    It takes one-hot rows, names of classes, numbers from 1, booleans, and floating-point numbers
    that are whole. Labels that need no conversion, or are in another form, stay unchanged.

    Args:
        arrays: Images and labels by name, such as x_train and y_train; None for a missing one.
        source: Where they come from.
        warn: Function that is called with the text of a warning, for labels that are converted.

    Returns:
        Two values. First, the arrays with other labels. Second, the names of the classes, or None
        if they are the numbers.

    Raises:
        InputError: If labels of other parts are not among those of y_train, or if names are no
            classes, because most of them occur once.
    """
    labels = {
        name: _flat(y, len(arrays[f"x{name[1:]}"]))
        for name, y in arrays.items()
        # The check of x refuses a single number.
        if name.startswith("y") and y is not None and np.ndim(arrays[f"x{name[1:]}"])
    }
    y_train = labels.get("y_train")
    if y_train is None or not y_train.size:
        return arrays | labels, None
    said, classes = None, None
    if all(_is_one_hot(y) for y in labels.values()):
        said = f"one-hot rows of {y_train.shape[1]} classes"
        labels = {name: y.argmax(axis=1) for name, y in labels.items()}
    elif y_train.ndim == 1 and y_train.dtype.kind in "US":
        classes = np.unique(y_train[~_is_unlabelled(y_train)])
        if not 0 < 2 * len(classes) <= len(y_train):
            raise InputError(
                f"y_train in {source} must contain names of classes that occur several times. "
                f"Received: {len(classes)} names for {counted(len(y_train), 'image')}"
            )
        said = f"names of {counted(len(classes), 'class')}"
    elif all(y.dtype.kind in "bf" and _is_whole(y) for y in labels.values()):
        labels = {name: y.astype("int64") for name, y in labels.items()}
        said = "booleans" if y_train.dtype.kind == "b" else "floating-point numbers"
        y_train = labels["y_train"]
    if y_train.ndim == 1 and y_train.dtype.kind in "iu":
        known = np.unique(y_train[y_train != UNLABELLED])
        if len(known) > 1 and np.array_equal(known, np.arange(1, len(known) + 1)):
            classes, said = known, f"numbers from 1 to {len(known)}"
    if classes is not None:
        labels = {name: _numbers(y, classes, f"{name} in {source}") for name, y in labels.items()}
    if said:
        names = ", ".join(labels)
        kept = "" if classes is None else ", and the names of the classes stay"
        warn(
            f"The labels {names} in {source} are {said}; they are numbered from 0 to "
            f"{labels['y_train'].max()}{kept}."
        )
    return arrays | labels, None if classes is None else [_text(name) for name in classes]


def _flat(y: np.ndarray, n: int) -> np.ndarray:
    """A column or a row of labels as a vector."""
    return y.reshape(n) if y.ndim == 2 and 1 in y.shape and y.size == n else y


def _is_one_hot(y: np.ndarray) -> bool:
    if y.ndim != 2 or y.dtype.kind not in "biuf" or not y.size:
        return False
    return bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def _is_unlabelled(y: np.ndarray) -> np.ndarray:
    """Where labels are -1, which is a text among names of classes."""
    text = str(UNLABELLED)
    return y == {"U": text, "S": text.encode()}.get(y.dtype.kind, UNLABELLED)


def _is_whole(y: np.ndarray) -> bool:
    return y.ndim == 1 and bool(np.isfinite(y).all() and (y == np.round(y)).all())


def _numbers(y: np.ndarray, classes: np.ndarray, name: str) -> np.ndarray:
    """The position of each label among the classes; -1 stays."""
    if y.ndim != 1 or (y.dtype.kind in "US") != (classes.dtype.kind in "US") or y.dtype.kind == "f":
        raise InputError(
            f"{name} must contain labels like those of y_train, {classes.dtype} of shape (n,). "
            f"Received: {y.dtype} of shape {y.shape}"
        )
    if y.dtype.kind != classes.dtype.kind:  # Text and bytes.
        y, classes = y.astype(str), classes.astype(str)
    hidden = _is_unlabelled(y)
    places = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = (classes[places] != y) & ~hidden
    if unknown.any():
        raise InputError(
            f"{name} must contain only labels of y_train. Received: {_text(y[unknown][0])!r}"
        )
    return np.where(hidden, UNLABELLED, places)


def _text(label: Any) -> str:
    return label.decode(errors="replace") if isinstance(label, bytes) else str(label)
