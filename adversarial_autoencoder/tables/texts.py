"""Columns of Arrow tables that hold texts."""

import typing
from collections.abc import Mapping

from adversarial_autoencoder.errors import InputError


def renamed(array: typing.Any, names: Mapping[str, str | None]) -> typing.Any:
    """Replaces texts.

    Args:
        array: A `pyarrow.ChunkedArray` of texts.
        names: A dict from each text to the new one.

    Returns:
        A `pyarrow.ChunkedArray`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    index = pc.index_in(array, value_set=pa.array(list(names), array.type), skip_nulls=True)
    return pc.take(pa.array(list(names.values()), array.type), index)


def booleans(name: str, array: typing.Any) -> typing.Any:
    """Converts texts to booleans.

    Args:
        name: Name of the column, for the error.
        array: A `pyarrow.ChunkedArray` of texts: true or false in any case, 1 or 0.

    Returns:
        A `pyarrow.ChunkedArray`, null for missing values.

    Raises:
        InputError: If there is another text.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.array(["false", "0", "true", "1"])
    index = pc.index_in(pc.utf8_lower(array), value_set=known)
    wrong = pc.and_(pc.is_null(index), pc.is_valid(array))
    if (row := pc.index(wrong, True).as_py()) >= 0:
        raise InputError(
            f"Column {name} must hold true or false, as in the training rows. "
            f"Received: {array[row]} in row {row + 1}"
        )
    return pc.greater(index, 1)
