"""The values of rows, with the types and categories of a schema, for files."""

from collections.abc import Callable

import numpy as np

from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.tables.column import Column, whole_numbers
from adversarial_autoencoder.tables.schema import Schema


def row_values(x: np.ndarray, schema: Schema) -> dict[str, np.ndarray]:
    """Converts rows to columns of values, the inverse of reading a table.

    Args:
        x: Rows, float32 of shape (n, columns).
        schema: The schema.

    Returns:
        A dict from the names of the columns to arrays of shape (n,): integers, masked where they
        are missing; float32 numbers, NaN where they are missing; and the categories as objects,
        None where they are missing.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.tables import Column, Schema
        >>> from adversarial_autoencoder.tables.values import row_values
        >>> age = Column("age", dtype="int64")
        >>> sex = Column("sex", "categorical", "str", categories=("f", "m"))
        >>> rows = row_values(np.array([[31, 1], [np.nan, 0]], "float32"), Schema((age, sex)))
        >>> rows["age"].tolist(), rows["sex"].tolist()
        ([31, None], ['m', 'f'])
    """
    return {
        column.name: _values(column, values)
        for column, values in zip(schema.columns, x.T, strict=True)
    }


def _values(column: Column, values: np.ndarray) -> np.ndarray:
    missing = np.isnan(values)
    if not column.numeric:
        categories = np.array([*column.categories, None], "object")
        return categories[np.where(missing, -1, values).astype("int64")]
    if not column.integer:
        return values.astype("float32", copy=False)
    whole = whole_numbers(np.where(missing, 0, values), column.dtype)
    return np.ma.masked_array(whole, missing) if missing.any() else whole


def with_indices(
    x: np.ndarray, schema: Schema, form: str, unseen: Callable[[str, int, str], object]
) -> np.ndarray:
    """Replaces the categories in a table of numbers by their indices.

    Args:
        x: Numbers, shape (n, columns), NaN for missing ones.
        schema: The schema.
        form: What a table with texts must be, for the error, such as "X must be a DataFrame".
        unseen: As in `arrow.values_of`.

    Returns:
        An array of numbers of shape (n, columns); `x` itself without categorical columns.

    Raises:
        InputError: If a column has texts as categories, and `x` has numbers there.
    """
    if not (places := schema.indices(numeric=False)):
        return x
    rows = x.astype(np.result_type(x, "float32"))
    for i in places:
        column, values = schema.columns[i], rows[:, i].copy()
        known = ~np.isnan(values)
        if isinstance(column.categories[0], str):
            if known.any():
                raise InputError(
                    f"{form} with texts in column {column.name}, as in training. "
                    f"Received: the number {values[known][0]:.6g}"
                )
            continue
        categories = np.array(column.categories).astype(rows.dtype)
        order = categories.argsort()
        index = order[np.searchsorted(categories[order], values).clip(max=len(order) - 1)]
        seen = categories[index] == values
        if len(others := values[known & ~seen]):
            unseen(column.name, len(others), f"{others[0]:.6g}")
        rows[:, i] = np.where(seen, index, np.nan)
    return rows
