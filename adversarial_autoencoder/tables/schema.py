"""The schema of a table: its columns, and where the networks see them."""

import dataclasses
import typing
from collections.abc import Mapping, Sequence

import numpy as np

from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.tables.column import Column, check_numbers


@dataclasses.dataclass(frozen=True)
class Schema:
    """The columns of a table.

    In memory a table is a float32 array of shape (n, columns). It holds the numbers of numeric
    columns and the indices of categories. NaN is a missing value.

    Args:
        columns: The columns.
        frame: Whether models take and give tables as `pandas.DataFrame` instead of arrays.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.tables import Schema
        >>> schema = Schema.of_array(np.array([[1.5, 0.0], [2.5, np.nan]], "float32"))
        >>> schema.names, schema.width
        (('column_1', 'column_2'), 3)
    """

    columns: tuple[Column, ...]
    frame: bool = False

    @classmethod
    def of_array(cls, x: np.ndarray, names: Sequence[str] = ()) -> "Schema":
        """Makes the schema of an array of numbers.

        Args:
            x: Numbers, shape (n, columns), NaN for missing ones.
            names: Names of the columns. Default: column_1, column_2, ...

        Returns:
            A `Schema`.

        Raises:
            InputError: If a number is infinite.
        """
        names = names or default_names(x.shape[1])
        dtype = x.dtype.name if x.dtype.kind in "iu" else "float32"
        schema = cls(tuple(Column(name, dtype=dtype) for name in names))
        for name, values in zip(names, x.T, strict=True):
            check_numbers(values, name)
        return schema.fitted(x.astype("float32", copy=False))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def width(self) -> int:
        """Number of numbers by which the networks see a row."""
        return sum(column.width for column in self.columns)

    def indices(self, numeric: bool) -> list[int]:
        """Indices of the numeric or of the categorical columns."""
        return [i for i, column in enumerate(self.columns) if column.numeric == numeric]

    def fitted(self, x: np.ndarray) -> "Schema":
        """Computes the numbers that prepare the columns, from training rows.

        Args:
            x: Rows, float32 of shape (n, columns).

        Returns:
            A `Schema`.
        """
        columns = (column.fitted(values) for column, values in zip(self.columns, x.T, strict=True))
        return dataclasses.replace(self, columns=tuple(columns))

    def get_config(self) -> dict[str, typing.Any]:
        """The constructor's arguments, for saving as JSON."""
        return {"columns": [column.get_config() for column in self.columns], "frame": self.frame}

    @classmethod
    def from_config(cls, config: Mapping[str, typing.Any]) -> "Schema":
        """Makes the schema that `get_config` describes."""
        return cls(tuple(map(Column.from_config, config["columns"])), config["frame"])


def default_names(n: int) -> tuple[str, ...]:
    """The names of columns that have none."""
    return tuple(f"column_{i + 1}" for i in range(n))


def check_different(names: Sequence[str]) -> None:
    """Checks that no two columns have one name.

    Args:
        names: Names of columns.

    Raises:
        InputError: If two have.
    """
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"The columns of a table must have different names. Received: {twice}")


def check_rows(x: np.ndarray, schema: Schema) -> None:
    """Checks rows that a user gives as an array.

    Args:
        x: Rows, shape (n, columns).
        schema: Their schema.

    Raises:
        InputError: If the shape does not fit, a number is infinite, or there is no such category.
    """
    if x.ndim != 2 or x.shape[1] != len(schema.columns):
        raise InputError(
            f"Rows must have the shape (n, {len(schema.columns)}), one number for each column. "
            f"Received: {x.shape}"
        )
    for column, values in zip(schema.columns, x.T, strict=True):
        check_numbers(values, column.name)
        if column.numeric or not len(values):
            continue
        known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
        k = len(column.categories)
        if len(known) and not ((known >= 0) & (known < k) & (known == np.round(known))).all():
            raise InputError(
                f"Column {column.name} must hold the indices of its {k} categories, or NaN. "
                f"Received: {known.min():.6g} to {known.max():.6g}"
            )
