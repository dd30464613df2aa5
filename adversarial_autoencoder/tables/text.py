"""Rows of a table as texts, for CSV files."""

from collections.abc import Iterator

import numpy as np

from adversarial_autoencoder.tables.column import Column
from adversarial_autoencoder.tables.schema import Schema


def rows_as_text(x: np.ndarray, schema: Schema) -> Iterator[tuple[str, ...]]:
    """Writes rows with the types and categories of a schema.

    Args:
        x: Rows, float32 of shape (n, columns).
        schema: The schema.

    Yields:
        The values of one row; a missing value is an empty text.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.tables import Column, Schema
        >>> from adversarial_autoencoder.tables.text import rows_as_text
        >>> age = Column("age", dtype="int64")
        >>> sex = Column("sex", "categorical", "str", categories=("f", "m"))
        >>> list(rows_as_text(np.array([[31, 1], [np.nan, 0]]), Schema((age, sex))))
        [('31', 'm'), ('', 'f')]
    """
    yield from zip(
        *(_texts(column, values) for column, values in zip(schema.columns, x.T, strict=True)),
        strict=True,
    )


def _texts(column: Column, values: np.ndarray) -> list[str]:
    if not column.numeric:
        names = [*map(str, column.categories), ""]
        return [names[-1 if np.isnan(value) else int(value)] for value in values]
    if column.integer:
        return ["" if np.isnan(value) else str(int(value)) for value in values]
    # The shortest text of a float32 that is read as the same number.
    return ["" if np.isnan(value) else str(value) for value in values.astype("float32")]
