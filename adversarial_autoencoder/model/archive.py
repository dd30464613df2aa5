"""Checks a model file before Keras loads it, so that a damaged one cannot fill the memory.

Keras trusts the sizes in a file. A few bytes can name an array of any size, or a layer of any
number of units. `save` writes each array in full and packs nothing, so an intact file needs no more
memory than its own size.
"""

import io
import json
import math
import zipfile

import h5py
import keras
from keras.src.backend.common import global_state  # There is no public name.

from adversarial_autoencoder.config.small_files import MAX_BYTES, open_regular, parse_json
from adversarial_autoencoder.errors import InputError

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MAX_DEPTH = 64
# What prior and table can take of the configuration. The networks need less than the rest.
MAX_PARTS = MAX_BYTES * 3 // 4
# Keras's name for the variables that it initializes at the end of a scope.
PENDING = "uninitialized_variables"


def check_parts(parts):
    """Checks that parts of a model are small enough for a file that `check` accepts.

    Args:
        parts: Dict from the name of a part to its configuration, which Keras saves.

    Raises:
        InputError: If they are too large together.
    """
    size = sum(len(json.dumps(config)) for config in parts.values())
    if size > MAX_PARTS:
        raise InputError(
            f"{' and '.join(parts)} must take at most {MAX_PARTS} bytes in the description of a "
            f"saved model, where a number takes about 20. Received: {size} bytes"
        )


def check(path):
    """Checks that a model file holds each array in full, and a model of no more numbers.

    Args:
        path: Path of the .keras file.

    Raises:
        Exception: One of `errors.MALFORMED` or of the exceptions of Keras, if it does not.
    """
    document, stored = _read(path)
    document["compile_config"] = None
    needed = _numbers_of_model(document)
    if needed > stored:
        raise ValueError(f"a model of {needed} numbers, of which {stored} are stored")


def _numbers_of_model(document):
    """Counts the numbers in the variables of a model, without any memory for them."""
    pending = global_state.get_global_attribute(PENDING, [])
    global_state.set_global_attribute(PENDING, [])
    try:
        # In this scope variables have a shape and no values.
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(document)
        return sum(math.prod(variable.shape) for variable in model.variables)
    finally:
        # Keras would initialize the variables at the end of the next scope.
        global_state.set_global_attribute(PENDING, pending)


def check_weights(path):
    """Checks that a model file holds each array in full.

    Args:
        path: Path of the .keras file.

    Raises:
        Exception: One of `errors.MALFORMED`, if it does not.
    """
    _read(path)


def _read(path):
    """The configuration of the model, and how many numbers the file holds."""
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        size = file.seek(0, io.SEEK_END)
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ValueError("a packed member")
        if sum(member.file_size for member in members) > size:
            raise ValueError(f"members larger than the file of {size} bytes")
        if archive.getinfo(CONFIG).file_size > MAX_BYTES:
            raise ValueError(f"{CONFIG} of more than {MAX_BYTES} bytes")
        document = parse_json(archive.read(CONFIG), MAX_DEPTH)
        return document, _numbers_stored(archive.read(WEIGHTS))


def _numbers_stored(content):
    """Counts the numbers in an HDF5 file, which must hold each array in full and link no others."""
    sizes, numbers = [], []

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            size = item.id.get_storage_size()
            if item.dtype.hasobject or item.is_virtual or item.external or size < item.nbytes:
                raise ValueError(f"{name} of {item.nbytes} bytes, of which {size} are stored")
            sizes.append(item.nbytes)
            numbers.append(item.size)
        else:
            for link in item:
                if not isinstance(item.get(link, getlink=True), h5py.HardLink):
                    raise ValueError(f"{name}/{link}, which is in another place")

    with h5py.File(io.BytesIO(content)) as weights:
        visit("", weights)
        weights.visititems(visit)
    if sum(sizes) > len(content):
        raise ValueError(f"arrays of {sum(sizes)} bytes in {len(content)}")
    return sum(numbers)
