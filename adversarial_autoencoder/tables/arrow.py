"""Columns of Arrow tables: their types, and their values as numbers.

Arrow is the form that CSV files, Parquet files and DataFrames have in common.
"""

import dataclasses
import importlib.util
import typing
from collections.abc import Callable, Mapping

import numpy as np

from adversarial_autoencoder.errors import InputError, counted, first_line, print_warning
from adversarial_autoencoder.tables.column import KINDS, Column, check_numbers, warn_if_rounded
from adversarial_autoencoder.tables.extra import import_extra
from adversarial_autoencoder.tables.schema import Schema
from adversarial_autoencoder.tables.texts import booleans

# More categories are probably names or identifiers, and cost as many outputs of the decoder.
MAX_CATEGORIES = 1000


def import_pyarrow(what: str) -> typing.Any:
    """Imports PyArrow.

    Args:
        what: What needs it, for the error.

    Returns:
        The module.

    Raises:
        InputError: If it is not installed.
    """
    import_extra("pyarrow.compute", what)  # An attribute of the package from here on.
    return import_extra("pyarrow", what)


def is_installed() -> bool:
    """Whether PyArrow is installed."""
    return importlib.util.find_spec("pyarrow") is not None


def free_memory() -> None:
    """Returns the memory of Arrow columns that no longer exist, which Arrow keeps for new ones."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


def infer(
    columns: dict[str, typing.Any],
    kinds: Mapping[str, str] | None = None,
    warn: Callable[[str], object] = print_warning,
) -> tuple[np.ndarray, Schema]:
    """Infers the schema of Arrow columns, and converts them to numbers.

    Numbers are numeric columns, except whole numbers that are all 0 or 1. Texts, booleans and
    dictionaries are categorical.

    Args:
        columns: A dict from names to `pyarrow.ChunkedArray`. It is emptied to free the memory.
        kinds: "numeric" or "categorical" for columns whose inferred kind is wrong, by name.
        warn: Function that is called with the text of a warning.

    Returns:
        The rows, float32 of shape (n, columns), and the schema, which is not fitted yet.

    Raises:
        InputError: If a column can be no column of a table.
    """
    import pyarrow as pa

    kinds = dict(kinds or {})
    names = list(columns)
    if unknown := [name for name in kinds if name not in names]:
        raise InputError(
            f"The columns {', '.join(names[:20])} must include each one that is declared. "
            f"Received: {unknown[0]}"
        )
    n = len(columns[names[0]])
    x = np.empty((n, len(names)), "float32")
    found = []
    for i, name in enumerate(names):
        array = columns.pop(name)
        column = _inferred(name, array, kinds.get(name))
        x[:, i] = values_of(column, array)
        if column.numeric and not pa.types.is_dictionary(array.type):
            warn_if_rounded(name, _as_numbers(name, array), x[:, i], warn)
        found.append(dataclasses.replace(column, missing=bool(np.isnan(x[:, i]).any())))
    return x, Schema(tuple(found))


def values_of(
    column: Column, array: typing.Any, unseen: Callable[[str, int, str], object] | None = None
) -> np.ndarray:
    """Converts an Arrow column to numbers.

    Args:
        column: The `Column`.
        array: A `pyarrow.ChunkedArray`.
        unseen: Function that is called if the column lacks some of the categories, which become
            missing values: with its name, their number, and the first one.

    Returns:
        A float32 array of shape (n,), NaN for missing values.

    Raises:
        InputError: If the values do not fit.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if column.numeric:
        values = _as_numbers(column.name, array)
        check_numbers(values, column.name)
        return values.astype("float32", copy=False)
    categories = pa.array(column.categories)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    if pa.types.is_boolean(categories.type) and _is_text(array.type):
        array = booleans(column.name, array.cast(pa.string()))
    elif pa.types.is_boolean(categories.type) and _is_number(array.type):
        # As booleans, all numbers but 0 would be True.
        array, categories = array.cast(pa.float64()), categories.cast(pa.float64())
    try:
        index = pc.index_in(array.cast(categories.type), value_set=categories, skip_nulls=True)
    except pa.ArrowException as error:
        raise InputError(
            f"Column {column.name} must hold categories such as {column.categories[0]}. "
            f"Received: {first_line(error)}"
        ) from error
    if unseen and (number := index.null_count - array.null_count):
        first = array.filter(pc.and_(pc.is_valid(array), pc.is_null(index)))[0]
        unseen(column.name, number, str(first))
    return index.cast(pa.float32()).to_numpy()


def unseen_text(name: str, number: int, first: str) -> str:
    """A warning of categories that a column of the training does not have.

    Args:
        name: Name of the column.
        number: Number of values.
        first: The first one.

    Returns:
        The text.
    """
    return (
        f"{counted(number, 'value')} of column {name} did not occur in training, such as {first}. "
        "They count as missing."
    )


def rows_of(
    columns: Mapping[str, typing.Any],
    schema: Schema,
    unseen: Callable[[str, int, str], object] | None = None,
) -> np.ndarray:
    """Converts Arrow columns to rows of a schema. Other columns are left out.

    Args:
        columns: A dict from names to `pyarrow.ChunkedArray`.
        schema: The schema.
        unseen: As in `values_of`.

    Returns:
        The rows, float32 of shape (n, columns).

    Raises:
        InputError: If a column is missing, or its values do not fit.
    """
    if missing := [name for name in schema.names if name not in columns]:
        raise InputError(
            f"A table must have the columns of the training. Received: no column {missing[0]}"
        )
    values = [values_of(column, columns[column.name], unseen) for column in schema.columns]
    return np.stack(values, axis=1)


def types_of(schema: Schema) -> dict[str, typing.Any]:
    """The Arrow types of the columns of a schema, by name."""
    import pyarrow as pa

    return {
        column.name: pa.float64() if column.numeric else pa.array(column.categories).type
        for column in schema.columns
    }


def stored_types(schema: Schema) -> dict[str, typing.Any]:
    """The Arrow types with which the columns of a schema are written to a file, by name."""
    import pyarrow as pa

    types = types_of(schema)
    for column in schema.columns:
        if column.numeric:
            types[column.name] = pa.type_for_alias(column.dtype)
        elif column.dtype == "category":
            types[column.name] = pa.dictionary(pa.int32(), types[column.name])
        elif column.dtype != "str":
            types[column.name] = pa.type_for_alias(column.dtype)
    return types


def distinct(name: str, array: typing.Any, limit: int = MAX_CATEGORIES) -> tuple:
    """The different values of an Arrow column: sorted, or in the order of a dictionary.

    Args:
        name: Name of the column.
        array: A `pyarrow.ChunkedArray`.
        limit: Largest number of different values.

    Returns:
        The values, without None.

    Raises:
        InputError: If there are too many.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = array.unify_dictionaries()
        values = (
            array.chunk(0).dictionary if array.num_chunks else array.combine_chunks().dictionary
        )
        found = [value for value in values.to_pylist() if value is not None]
    else:
        values = pc.unique(array)
        found = sorted(values.drop_null().to_pylist()) if len(values) <= limit + 1 else values
    if len(found) > limit:
        raise InputError(
            f"Column {name} must have at most {limit} categories; --drop_columns leaves a column "
            f"out. Received: {len(found)} different values in {len(array)} rows"
        )
    return tuple(found)


def _inferred(name, array, kind):
    """The kind, type and categories of an Arrow column."""
    import pyarrow as pa

    if kind is not None and kind not in KINDS:
        raise InputError(f"Column {name} must be {' or '.join(KINDS)}. Received: {kind}")
    dtype, types = array.type, pa.types
    if array.null_count == len(array):
        raise InputError(
            f"Column {name} must have a value; --drop_columns leaves a column out. "
            "Received: missing values only"
        )
    is_dictionary = types.is_dictionary(dtype)
    inner = dtype.value_type if is_dictionary else dtype
    is_number, is_text = _is_number(inner), _is_text(inner)
    if not (is_number or is_text or types.is_boolean(inner)):
        raise InputError(
            f"Column {name} must hold numbers, texts or booleans; --drop_columns leaves a column "
            f"out. Received: {inner}"
        )
    if kind is None:
        kind = "numeric" if is_number and not is_dictionary else "categorical"
        if types.is_integer(inner) and not is_dictionary and _is_binary(array):
            kind = "categorical"
    if kind == "numeric":
        whole = types.is_integer(inner)
        short = "float32" if types.is_float32(inner) else "float64"
        return Column(name, dtype=str(inner) if whole else short)
    written = "str" if is_text else "bool" if types.is_boolean(inner) else _number_type(inner)
    return Column(
        name,
        "categorical",
        "category" if is_dictionary else written,
        categories=distinct(name, array),
    )


def _is_number(dtype):
    from pyarrow import types

    return types.is_integer(dtype) or types.is_floating(dtype) or types.is_decimal(dtype)


def _is_text(dtype):
    from pyarrow import types

    return types.is_string(dtype) or types.is_large_string(dtype) or types.is_string_view(dtype)


def _number_type(dtype):
    import pyarrow as pa

    return str(dtype) if pa.types.is_integer(dtype) else "float64"


def _is_binary(array):
    """Whether whole numbers are all 0 or 1, and both occur."""
    import pyarrow.compute as pc

    ends = pc.min_max(array).as_py()
    return (ends["min"], ends["max"]) == (0, 1)


def _as_numbers(name, array):
    """The numbers of a column as float64, NaN for missing ones."""
    import pyarrow as pa

    try:
        return array.cast(pa.float64(), safe=False).to_numpy()
    except (pa.ArrowException, ValueError) as error:
        raise InputError(
            f"Column {name} must hold numbers. Received: {first_line(error)}"
        ) from error
