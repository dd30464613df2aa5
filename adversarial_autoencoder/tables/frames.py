"""Conversion between rows and pandas.DataFrame."""

import dataclasses
import typing
from collections.abc import Mapping

import numpy as np

from adversarial_autoencoder.errors import InputError, first_line, print_warning
from adversarial_autoencoder.tables import arrow
from adversarial_autoencoder.tables.column import whole_numbers
from adversarial_autoencoder.tables.extra import import_extra
from adversarial_autoencoder.tables.schema import Schema, check_different


def columns_of(frame: typing.Any) -> dict[str, typing.Any]:
    """The columns of a DataFrame as Arrow columns.

    Args:
        frame: A `pandas.DataFrame`, whose index is left out.

    Returns:
        A dict from names to `pyarrow.ChunkedArray`.

    Raises:
        InputError: If a column has values of several types, or two columns have one name.
    """
    pa = arrow.import_pyarrow("A DataFrame")
    names = [str(name) for name in frame.columns]
    check_different(names)
    columns = {}
    for i, name in enumerate(names):
        try:
            array = pa.array(frame.iloc[:, i], from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise InputError(
                f"Column {name} must hold values of one type. Received: {first_line(error)}"
            ) from error
        columns[name] = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    return columns


def infer_frame(frame: typing.Any, kinds: Mapping[str, str] | None = None) -> Schema:
    """Infers the schema of a DataFrame, and fits it to its rows.

    Args:
        frame: A `pandas.DataFrame`.
        kinds: "numeric" or "categorical" for columns whose inferred kind is wrong, by name.

    Returns:
        A `Schema`.

    Raises:
        InputError: If a column can be no column of a table.
    """
    rows, schema = arrow.infer(columns_of(frame), kinds)
    return dataclasses.replace(schema.fitted(rows), frame=True)


def frame_to_array(frame: typing.Any, schema: Schema) -> np.ndarray:
    """Converts a DataFrame to rows.

    Args:
        frame: A `pandas.DataFrame` with the columns of the schema. Others are left out.
        schema: The schema.

    Returns:
        Rows, float32 of shape (n, columns).

    Raises:
        InputError: If the columns do not fit.
    """
    missing = set(schema.names) - {str(name) for name in frame.columns}
    if missing:
        raise InputError(
            f"A table must have the columns of the training. Received: no column {min(missing)}"
        )
    used = frame[[name for name in frame.columns if str(name) in set(schema.names)]]
    return arrow.rows_of(
        columns_of(used), schema, lambda *found: print_warning(arrow.unseen_text(*found))
    )


def array_to_frame(x: np.ndarray, schema: Schema) -> typing.Any:
    """Converts rows to a DataFrame with the names, types and categories of a schema.

    Args:
        x: Rows, float32 of shape (n, columns).
        schema: The schema.

    Returns:
        A `pandas.DataFrame`. A column of whole numbers with missing values has a nullable type.

    Raises:
        InputError: If pandas is not installed.
    """
    pd = import_extra("pandas", "A DataFrame")
    series = {}
    for column, values in zip(schema.columns, np.asarray(x).T, strict=True):
        known = np.isfinite(values)
        # Nullable types are called Int64, UInt8 and so on. Floats have NaN.
        nullable = column.dtype.replace("i", "I", 1).replace("u", "U", 1)
        nullable = column.dtype if column.dtype.startswith("float") else nullable
        if column.integer:
            whole = pd.Series(whole_numbers(np.where(known, values, 0), column.dtype))
            series[column.name] = whole if known.all() else whole.astype(nullable).mask(~known)
        elif column.numeric:
            series[column.name] = pd.Series(values).astype(column.dtype)
        else:
            codes = np.where(known, values, -1).astype("int64")
            category = pd.Categorical.from_codes(codes, list(column.categories))
            whole = pd.Series(category)
            if column.dtype != "category" and (known.all() or column.dtype == "str"):
                whole = whole.astype(column.dtype)
            elif column.dtype != "category":
                whole = whole.astype("boolean" if column.dtype == "bool" else nullable)
            series[column.name] = whole
    return pd.DataFrame(series)
