"""The names that people give to the arrays of a data set."""

import pathlib
import re
from collections.abc import Iterable

from adversarial_autoencoder.errors import InputError

# The arrays of a data set, each with usual names of it in lower case without punctuation.
USUAL_NAMES = {
    "x_train": ("xtrain", "trainx", "trainimages", "imagestrain", "traindata", "xtr")
    + ("x", "images", "image", "imgs", "img", "data", "arr0"),
    "y_train": ("ytrain", "trainy", "trainlabels", "labelstrain", "traintargets", "ytr")
    + ("y", "labels", "label", "labs", "targets", "target", "classes", "arr1"),
    "x_validation": ("xvalidation", "xval", "xvalid", "valx", "valimages", "imagesval")
    + ("validationimages", "valdata"),
    "y_validation": ("yvalidation", "yval", "yvalid", "valy", "vallabels", "labelsval")
    + ("validationlabels", "valtargets"),
    "x_test": ("xtest", "testx", "testimages", "imagestest", "testdata", "xte"),
    "y_test": ("ytest", "testy", "testlabels", "labelstest", "testtargets", "yte"),
}


def find_arrays(path: pathlib.Path, names: Iterable[str]) -> dict[str, str]:
    """Finds the arrays of a data set by their names.

    Args:
        path: Path of the file. Errors quote it.
        names: Names of its arrays.

    Returns:
        A dict from "x_train" and other names in `USUAL_NAMES` to the names in the file.

    Raises:
        InputError: If there is no array of training images, or if several names fit and none of
            them is exactly one in `USUAL_NAMES`.

    Example:
        >>> from adversarial_autoencoder.data.arrays.names import find_arrays
        >>> find_arrays("digits.npz", ["images", "labels", "notes"])
        {'x_train': 'images', 'y_train': 'labels'}
    """
    names = sorted(names)
    found = {}
    for array, usual in USUAL_NAMES.items():
        fitting = [name for name in names if _plain(name) in usual]
        if array in fitting:
            fitting = [array]
        if len(fitting) > 1:
            raise InputError(
                f"{path} must contain one array that can be {array}; give it this name. "
                f"Received: {', '.join(fitting)}"
            )
        if fitting:
            found[array] = fitting[0]
    if "x_train" not in found:
        raise InputError(
            f"{path} must contain the array x_train, or a usual name of it such as x, images, "
            f"train_images or data. Received: {', '.join(names) or 'no arrays'}"
        )
    return found


def _plain(name):
    """The letters and digits of a name; nothing for a path."""
    return "" if "/" in name else re.sub("[^a-z0-9]", "", name.lower())
