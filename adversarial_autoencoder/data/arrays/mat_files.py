"""Reader for MATLAB files (.mat) of arrays."""

import math
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from adversarial_autoencoder.data.array_files import check_size, reading, warn_of_others
from adversarial_autoencoder.data.arrays.names import USUAL_NAMES, find_arrays
from adversarial_autoencoder.errors import InputError, print_warning

# Bytes of a number, by the class in MATLAB. Other classes, such as cells, hold no numbers.
_BYTES = {
    **dict.fromkeys(("int8", "uint8", "logical", "char"), 1),
    **dict.fromkeys(("int16", "uint16"), 2),
    **dict.fromkeys(("int32", "uint32", "single"), 4),
    **dict.fromkeys(("int64", "uint64", "double"), 8),
}


def read_mat(path: pathlib.Path, warn: Callable[[str], object] = print_warning) -> dict[str, Any]:
    """Reads the arrays of a data set from a MATLAB file of version 7 or below.

    Args:
        path: Path of the file.
        warn: Function that is called with the text of a warning, about arrays with other names.

    Returns:
        A dict as for `array_files.read_npz`.

    Raises:
        InputError: If the file is not a MATLAB file, is damaged, is of version 7.3, lacks training
            images or contains them in another form than an array, or if its arrays need more than
            `array_files.MAX_NPZ_BYTES` bytes.
    """
    from scipy import io  # The import takes a tenth of a second.

    with reading(path, "a readable .mat file"), path.open("rb") as file:
        if b"MATLAB 7.3" in file.read(128):
            raise InputError(
                f"{path} must be a MATLAB file of version 7 or below: save(file, ..., '-v7') in "
                "MATLAB. Received: version 7.3"
            )
        file.seek(0)
        variables = {name: (shape, kind) for name, shape, kind in io.whosmat(file)}
        found = find_arrays(path, variables)
        for array, name in found.items():
            if variables[name][1] not in _BYTES:
                raise InputError(
                    f"{name} in {path} must be an array of numbers. "
                    f"Received: {variables[name][1]} for {array}"
                )
        sizes = (
            math.prod(variables[name][0]) * _BYTES[variables[name][1]] for name in found.values()
        )
        check_size(path, found.values(), sum(sizes))
        warn_of_others(path, found, variables, warn)
        file.seek(0)
        content = io.loadmat(file, variable_names=list(found.values()))
        arrays: dict[str, Any] = dict.fromkeys(USUAL_NAMES)
        for array, name in found.items():
            if not isinstance(content.get(name), np.ndarray) or content[name].dtype.hasobject:
                raise InputError(
                    f"{name} in {path} must be a full array of numbers. Received: other"
                )
            arrays[array] = content[name]
        return arrays
