"""A column of a table: its name, its type, and the numbers that prepare it for the networks."""

import dataclasses
import typing
from collections.abc import Callable, Mapping

import numpy as np

from adversarial_autoencoder.errors import InputError

KINDS = ("numeric", "categorical")
# Numbers beyond it leave no room for arithmetic in float32.
MAX_NUMBER = 1e30
# A numeric column whose largest distance from the mean has so many standard deviations has heavy
# tails. 1 000 000 normal numbers reach about 5, 10 000 exponential ones about 8.
HEAVY = 10.0
# float32 must not round numbers by more than this fraction of their standard deviation.
ROUNDED = 0.01
# A number in at least this fraction of the rows, such as 0 in most of them, is the frequent one.
FREQUENT = 0.1


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a table.

    The networks see a numeric column as `(u - mean) / std`, where `u = (value - centre) / unit`, or
    `u = arcsinh((value - centre) / unit)` if the column has heavy tails. A missing number is 0 and,
    if the column has missing values, has an indicator. The frequent number of a column has an
    indicator too. A categorical column is one-hot, and "missing" is one more category.

    Args:
        name: Its name.
        kind: "numeric" or "categorical".
        dtype: Type of its values: "int64", "float64" or "float32" for numbers; "str", "bool" or
            "int64" for categories.
        missing: Whether it has missing values.
        categories: The categories, in the order of their numbers.
        frequent: The most frequent number, if it is in at least a fraction `FREQUENT` of the rows;
            otherwise None.
        low: Smallest number.
        high: Largest number.
        centre: Number that becomes 0.
        unit: Number that becomes 1, above `centre`; > 0.
        heavy: Whether the column has heavy tails.
        mean: Mean of u.
        std: Standard deviation of u, > 0; larger if u has values beyond `HEAVY` of them.
    """

    name: str
    kind: str = "numeric"
    dtype: str = "float32"
    missing: bool = False
    categories: tuple[typing.Any, ...] = ()
    frequent: float | None = None
    low: float = 0.0
    high: float = 0.0
    centre: float = 0.0
    unit: float = 1.0
    heavy: bool = False
    mean: float = 0.0
    std: float = 1.0

    @property
    def numeric(self) -> bool:
        """Whether it is numeric."""
        return self.kind == "numeric"

    @property
    def integer(self) -> bool:
        """Whether its values are whole numbers."""
        return self.numeric and self.dtype.startswith(("int", "uint"))

    @property
    def constant(self) -> bool:
        """Whether all its values are equal."""
        return self.low == self.high if self.numeric else len(self.values) < 2

    @property
    def values(self) -> tuple[typing.Any, ...]:
        """The categories, with None for "missing" at the end if there are missing values."""
        return (*self.categories, None) if self.missing else self.categories

    @property
    def width(self) -> int:
        """Number of numbers by which the networks see a value."""
        if not self.numeric:
            return len(self.values)
        return 1 + self.missing + (self.frequent is not None)

    def fitted(self, values: np.ndarray) -> "Column":
        """Computes the numbers that prepare a numeric column.

        Args:
            values: Its values, float32 of shape (n,), NaN for missing ones.

        Returns:
            A `Column`; a categorical one unchanged.
        """
        if not self.numeric:
            return self
        known = values[np.isfinite(values)].astype("float64")
        if not len(known):
            return dataclasses.replace(self, missing=True)
        missing = self.missing or len(known) < len(values)
        low, high = known.min().item(), known.max().item()
        # In a unit of this size, other numbers than the constant one are 0, too.
        fitted = dataclasses.replace(
            self, low=low, high=high, centre=low, unit=MAX_NUMBER, missing=missing
        )
        if low == high:
            return fitted
        fitted = dataclasses.replace(fitted, frequent=_frequent(known))
        mean, std = known.mean().item(), known.std().item()
        if max(high - mean, mean - low) <= HEAVY * std:
            return dataclasses.replace(fitted, centre=mean, unit=std)
        lower, centre, upper = np.quantile(known, [0.25, 0.5, 0.75]).tolist()
        distances = np.abs(known - centre)
        unit = upper - lower or np.median(distances[distances > 0]).item()
        # So that the largest distance in units is finite in float32.
        unit = max(unit, distances.max().item() / MAX_NUMBER)
        u = np.arcsinh((known - centre) / unit)
        mean = u.mean().item()
        # One of many equal numbers can still lie far outside.
        std = max(u.std().item(), np.abs(u - mean).max().item() / HEAVY)
        return dataclasses.replace(fitted, centre=centre, unit=unit, heavy=True, mean=mean, std=std)

    def describe(self) -> str:
        """What the column holds, and what is done with it, in a few words."""
        if not self.numeric:
            shown = ", ".join(str(value) for value in self.categories[:4])
            text = f"{len(self.categories)} categories: {shown}"
            text += ", ..." if len(self.categories) > 4 else ""
            return text + ("; missing values are one more" if self.missing else "")
        text = f"{self.low:.6g} to {self.high:.6g}"
        if self.constant:
            text = f"always {self.low:.6g}"
        text += "" if self.frequent is None else f", often {self.frequent:.6g}"
        text += ", heavy tails: arcsinh scale" if self.heavy else ""
        return text + (", missing values" if self.missing else "")

    def get_config(self) -> dict[str, typing.Any]:
        """The fields that differ from their defaults, for saving."""
        return {
            field.name: list(value) if isinstance(value, tuple) else value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }

    @classmethod
    def from_config(cls, config: Mapping[str, typing.Any]) -> "Column":
        """Makes the column that `get_config` describes."""
        return cls(**{**config, "categories": tuple(config.get("categories", ()))})


def _frequent(known):
    """The frequent number of a column, or None."""
    numbers, counts = np.unique(known, return_counts=True)
    is_frequent = counts.max() >= max(FREQUENT * len(known), 2)
    return numbers[counts.argmax()].item() if is_frequent else None


def whole_numbers(values: np.ndarray, dtype: str) -> np.ndarray:
    """Converts whole float32 numbers to a type of integers.

    float32 rounds the largest integers up, to numbers that the type does not have.

    Args:
        values: Whole numbers, without NaN.
        dtype: The type, such as "int64".

    Returns:
        An array of the type. Numbers beyond its range are its ends.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.tables.column import whole_numbers
        >>> whole_numbers(np.array([7, 2**31], "float32"), "int32").tolist()
        [7, 2147483647]
    """
    ends, wide = np.iinfo(dtype), values.astype("float64")
    below, above = wide <= float(ends.min), wide >= float(ends.max)
    whole = np.where(below | above, 0, wide).astype(dtype)
    whole[below], whole[above] = ends.min, ends.max
    return whole


def check_numbers(values: np.ndarray, name: str) -> None:
    """Checks that numbers are finite or missing, and not too large.

    Args:
        values: Numbers, shape (n,), NaN for missing ones.
        name: Name of their column.

    Raises:
        InputError: If they are not.
    """
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(np.abs(values) >= MAX_NUMBER)
    if len(wrong):
        raise InputError(
            f"The numbers of column {name} must be finite and below {MAX_NUMBER:.0e}. "
            f"Received: {values[wrong[0]]} in row {wrong[0] + 1}"
        )


def warn_if_rounded(
    name: str, values: np.ndarray, rounded: np.ndarray, warn: Callable[[str], object]
) -> None:
    """Warns if float32 rounds the differences between numbers away.

    Args:
        name: Name of their column.
        values: Numbers, float64 of shape (n,).
        rounded: The same numbers in float32.
        warn: Function that is called with the text of a warning.
    """
    known = np.isfinite(values)
    if known.any() and np.abs(values - rounded)[known].max() > ROUNDED * values[known].std() > 0:
        low, high = values[known].min(), values[known].max()
        warn(
            f"The numbers of column {name} are large and lie close together, {low:.12g} to "
            f"{high:.12g}: float32 rounds them. Subtract the smallest one, or leave the column out."
        )
