"""Measures of the rows of a table: their reconstruction, and how generated rows resemble real ones.

Rows are float32 arrays of shape (n, columns), as `tables.Schema` describes.
"""

import numpy as np
from scipy.stats import ks_2samp

from adversarial_autoencoder.evaluation.checks import check_same_shape, check_same_width
from adversarial_autoencoder.tables import Schema


def reconstruction(x: np.ndarray, reconstructed: np.ndarray, schema: Schema) -> dict[str, float]:
    """Computes the errors of reconstructed rows.

    Args:
        x: Rows.
        reconstructed: Their reconstructions, same shape.
        schema: The schema.

    Returns:
        "numeric_error", the mean squared error of numbers in variances of their column (1 for a
        reconstruction by the mean), and "category_error", the fraction of wrong categories. A
        measure without columns is left out.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(x, reconstructed)
    numeric, categorical = [], []
    for column, real, other in zip(schema.columns, x.T, reconstructed.T, strict=True):
        if not column.numeric:
            same = (real == other) | (np.isnan(real) & np.isnan(other))
            categorical.append(1 - same.mean())
            continue
        known = ~np.isnan(real) & ~np.isnan(other)
        variance = np.var(real[known], dtype="float64") if known.any() else 0
        if variance > 0:
            error = np.mean(np.square(real[known] - other[known], dtype="float64"))
            numeric.append(error / variance)
    measures = {"numeric_error": numeric, "category_error": categorical}
    return {name: float(np.mean(values)) for name, values in measures.items() if values}


def column_distances(x: np.ndarray, other: np.ndarray, schema: Schema) -> np.ndarray:
    """Compares the distribution of each column in two sets of rows.

    The distance of a numeric column is the Kolmogorov-Smirnov statistic, the largest difference of
    the cumulative distributions, or the difference of the fractions of missing values if that is
    larger. The distance of a categorical column is the total variation, half the sum of the
    differences of the fractions of the categories.

    Args:
        x: Rows, shape (n, columns).
        other: Other rows, shape (m, columns).
        schema: The schema.

    Returns:
        A float array of shape (columns,), values in [0, 1].

    Raises:
        ValueError: If the numbers of columns differ.
    """
    check_same_width(x, other)
    distances = []
    for column, real, generated in zip(schema.columns, x.T, other.T, strict=True):
        parts = [part[~np.isnan(part)] for part in (real, generated)]
        missing = [
            1 - len(part) / len(whole) for part, whole in zip(parts, (real, generated), strict=True)
        ]
        difference = abs(missing[0] - missing[1])
        if not column.numeric:
            k = len(column.categories)
            shares = [
                np.bincount(part.astype("int64"), minlength=k) / len(whole)
                for part, whole in zip(parts, (real, generated), strict=True)
            ]
            distances.append((np.abs(shares[0] - shares[1]).sum() + difference) / 2)
        elif all(map(len, parts)):
            distances.append(max(ks_2samp(*parts).statistic, difference))
        else:
            distances.append(difference)
    return np.array(distances)


def correlation_difference(x: np.ndarray, other: np.ndarray, schema: Schema) -> float:
    """Compares the correlations between columns in two sets of rows.

    A category counts as a column of 0 and 1. A missing number counts as the mean of its column.

    Args:
        x: Rows, shape (n, columns).
        other: Other rows, shape (m, columns).
        schema: The schema.

    Returns:
        The mean absolute difference of the correlation coefficients of two columns, in [0, 2]. Only
        columns that vary in both sets count, and no two categories of one column. 0 if there are no
        such pairs.

    Raises:
        ValueError: If the numbers of columns differ.
    """
    check_same_width(x, other)
    (real, column), (generated, _) = (_numbers(part, schema) for part in (x, other))
    varies = (real.std(axis=0) > 1e-6) & (generated.std(axis=0) > 1e-6)
    column = column[varies]
    pairs = np.triu(column[:, None] != column, 1)
    if not pairs.any():
        return 0.0
    difference = np.abs(
        np.corrcoef(real[:, varies], rowvar=False) - np.corrcoef(generated[:, varies], rowvar=False)
    )
    return float(difference[pairs].mean())


def generation(
    x: np.ndarray, generated: np.ndarray, schema: Schema
) -> tuple[dict[str, float], np.ndarray]:
    """Compares generated rows with real ones.

    Args:
        x: Real rows, shape (n, columns).
        generated: Generated rows, shape (m, columns).
        schema: The schema.

    Returns:
        Two values: the measures by name, and what `column_distances` returns.
    """
    distances = column_distances(x, generated, schema)
    measures = {
        "num_rows": len(generated),
        "column_distance": float(distances.mean()),
        "column_distance_max": float(distances.max()),
        "correlation_difference": correlation_difference(x, generated, schema),
    }
    return measures, distances


def _numbers(x, schema):
    """Numbers in standard deviations and one-hot categories, and the column of each."""
    parts, places = [], []
    for i, (column, values) in enumerate(zip(schema.columns, x.T, strict=True)):
        if column.numeric:
            u = (values.astype("float64") - column.centre) / column.unit
            u = (np.arcsinh(u) if column.heavy else u)[:, None]
            parts.append(np.where(np.isnan(u), np.nanmean(u) if (u == u).any() else 0, u))
        else:
            parts.append(values[:, None] == np.arange(len(column.categories)))
        places += [i] * parts[-1].shape[1]
    return np.concatenate(parts, axis=1, dtype="float64"), np.array(places)
