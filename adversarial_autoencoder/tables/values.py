"""The values of rows, with the types and categories of a schema, for files."""

import numpy as np

from adversarial_autoencoder.tables.column import Column
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
    whole = np.where(missing, 0, values).astype(column.dtype)
    return np.ma.masked_array(whole, missing) if missing.any() else whole
