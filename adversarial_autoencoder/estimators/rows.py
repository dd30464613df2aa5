"""The tables that an estimator takes, as rows with a schema."""

import dataclasses
import warnings
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from adversarial_autoencoder.data.tables import checked_vectors
from adversarial_autoencoder.errors import InputError, counted
from adversarial_autoencoder.tables import Column, Schema, arrow, default_names
from adversarial_autoencoder.tables.schema import check_different
from adversarial_autoencoder.tables.values import with_indices


def learn(estimator: Any, x: Any, min_rows: int = 2) -> tuple[np.ndarray, Schema]:
    """Checks training rows, and learns their columns.

    A column of an array whose values are all 0 or 1, such as one of a one-hot encoding, is
    categorical.

    Args:
        estimator: The estimator, whose `n_features_in_` and `feature_names_in_` are set.
        x: Numbers of shape (n, columns), NaN for missing ones; or a `pandas.DataFrame`, also with
            texts, categories and booleans.
        min_rows: How many rows are needed, >= 2.

    Returns:
        The rows, float32 of shape (n, columns), and their fitted schema.

    Raises:
        ValueError: If `x` is no table of at least `min_rows` rows.
    """
    estimator._names = None
    if _is_pandas(x):
        check_different([str(name) for name in x.columns])
        estimator._names = list(x.columns)
    if _is_mixed(x):
        from adversarial_autoencoder.tables.frames import columns_of

        validate_data(estimator, x, skip_check_array=True)
        if len(x) < min_rows:
            raise InputError(
                f"X must have at least {min_rows} rows. Received: {counted(len(x), 'row')}"
            )
        rows, schema = arrow.infer(columns_of(x), warn=_warn)
    else:
        is_frame = _is_pandas(x)
        dtypes = [dtype.name for dtype in x.dtypes] if is_frame else None
        x = _numbers(estimator, x, min_rows)
        dtypes = dtypes or [x.dtype.name if x.dtype.kind in "iu" else "float32"] * x.shape[1]
        names = getattr(estimator, "feature_names_in_", default_names(x.shape[1]))
        columns = zip(names, dtypes, x.T, strict=True)
        schema = Schema(tuple(_column(str(name), *column) for name, *column in columns), is_frame)
        rows = _rows(x, schema)
    schema = schema.fitted(rows)
    return rows, dataclasses.replace(schema, frame=_is_pandas(x) or schema.frame)


def convert(estimator: Any, x: Any, schema: Schema) -> np.ndarray:
    """Converts rows to those of a fitted estimator.

    Args:
        estimator: The fitted estimator.
        x: A table with the columns of the training.
        schema: Their schema.

    Returns:
        Rows, float32 of shape (n, columns). A category that did not occur in the training is
        missing, with a warning.

    Raises:
        ValueError: If the columns do not fit.
    """
    if _is_mixed(x):
        from adversarial_autoencoder.tables.frames import columns_of

        validate_data(estimator, x, skip_check_array=True, reset=False)
        return arrow.rows_of(columns_of(x), schema, _unseen)
    return _rows(_numbers(estimator, x), schema)


def _is_pandas(x):
    return hasattr(x, "iloc") and hasattr(x, "columns")


def _is_mixed(x):
    """Whether a table has other values than the numbers and booleans of NumPy."""
    return _is_pandas(x) and not all(
        isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in x.dtypes
    )


def _numbers(estimator, x, min_rows=None):
    """The numbers of a table: with `min_rows`, that of a fit."""
    return validate_data(
        estimator,
        x,
        reset=min_rows is not None,
        dtype="numeric",
        ensure_all_finite="allow-nan",
        ensure_min_samples=min_rows or 1,
    )


def _column(name, dtype, values):
    """A column of an array, categorical if its values are all 0 or 1."""
    missing = bool(np.isnan(values).any())
    found = np.unique(values[~np.isnan(values)])
    if len(found) != 2 or not (found == [0, 1]).all():
        return Column(name, dtype=dtype, missing=missing)
    kind = bool if dtype == "bool" else float if "float" in dtype else int
    return Column(name, "categorical", dtype, missing, categories=(kind(0), kind(1)))


def _rows(x, schema):
    """Converts numbers to rows: a category to its index."""
    rows = with_indices(x, schema, "X must be a DataFrame", _unseen)
    return checked_vectors(rows, "X", _warn, schema.names)


def _unseen(*found):
    _warn(arrow.unseen_text(*found))


def _warn(message):
    warnings.warn(message, UserWarning, stacklevel=5)
