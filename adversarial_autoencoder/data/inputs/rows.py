"""Reads rows of a table for a trained model."""

import pathlib
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from adversarial_autoencoder.data import table_files
from adversarial_autoencoder.data.inputs.images import read_array
from adversarial_autoencoder.data.inputs.source import ROW, Source, slices
from adversarial_autoencoder.data.tables import check_vectors, checked_vectors, read_numbers
from adversarial_autoencoder.errors import InputError, counted, did_you_mean
from adversarial_autoencoder.tables import Schema, arrow, default_names
from adversarial_autoencoder.tables.values import with_indices

SUFFIXES = (*table_files.SUFFIXES, ".npy", ".npz", ".mat")


def open_rows(
    path: pathlib.Path,
    schema: Schema,
    unused: Collection[str],
    batch_size: int,
    warn: Callable[[str], object],
) -> Source:
    """Opens the rows of a table.

    Args:
        path: A CSV, TSV, Parquet, .npy, .npz or .mat file.
        schema: The schema of the training.
        unused: Names of columns that the training left out.
        batch_size: Largest number of rows of a batch.
        warn: Function that is called with the text of a warning.

    Returns:
        A `Source`.

    Raises:
        InputError: If the file cannot be read, or its columns do not fit.
    """
    if path.suffix.lower() in table_files.SUFFIXES and arrow.is_installed():
        names = table_files.names_of(path)
        _check_columns(path, names, schema, unused, warn)
        return Source(ROW, _of_table(path, schema, batch_size, warn))
    if path.suffix.lower() in table_files.SUFFIXES:
        x, names = read_numbers(path)
        _check_columns(path, names, schema, unused, warn)
    else:
        x = read_array(path, warn)
        check_vectors(x, path)
        names = _names_by_place(path, x.shape[1], schema, unused, warn)
    places = [names.index(name) for name in schema.names]
    return Source(ROW, _of_array(x, places, schema, path, batch_size, warn))


def _names_by_place(path, n, schema, unused, warn):
    """The names of the n columns of an array, which are known by their places only."""
    names = [*default_names(n)]
    if n == len(schema.names) and not set(names) & {*schema.names, *unused}:
        warn(
            f"The columns of {path} have no names. They count in the order of the training: "
            f"{', '.join(schema.names[:5])}{', ...' if n > 5 else ''}."
        )
        return [*schema.names]
    if others := set(names) - {*schema.names, *unused}:
        raise InputError(
            f"{path} must have the {len(schema.names)} columns of the training, in their order, "
            f"because an array has no names of columns. Received: {n} columns, {len(others)} more"
        )
    _check_columns(path, names, schema, unused, warn)
    return names


def _check_columns(path, names, schema, unused, warn):
    """Checks that a file has the columns of the schema, and says which ones are left out."""
    if missing := [name for name in schema.names if name not in names]:
        raise InputError(
            f"{path} must have the column {missing[0]} of the training."
            f"{did_you_mean(missing[0], set(names) - set(schema.names))} "
            f"Received: {', '.join(names[:20])}"
        )
    if others := [name for name in names if name not in {*schema.names, *unused}]:
        shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
        warn(f"Columns of {path} that the training did not have are left out: {shown}.")


def _of_table(path, schema, batch_size, warn) -> Iterator[tuple[Any, np.ndarray, float]]:
    """Batches of a file that PyArrow reads."""
    types, unseen, start = arrow.types_of(schema), _Unseen(), 0
    missing = np.zeros(len(schema.columns), "int64")
    for columns, share in table_files.blocks(path, schema.names, batch_size):
        try:
            typed = {
                name: table_files.typed_like(path, name, array, types[name])
                for name, array in columns.items()
            }
            x = arrow.rows_of(typed, schema, unseen)
        except InputError as error:
            raise _counted_from(start, error) from error
        for part in slices(len(x), batch_size):
            yield np.arange(start + part.start, start + part.stop) + 1, x[part], share
        start += len(x)
        missing += np.isnan(x).sum(axis=0)
    if not start:
        raise InputError(f"{path} must contain rows. Received: none")
    unseen.report(warn)
    _warn_of_missing(schema, missing, unseen, warn)


def _of_array(x, places, schema, path, batch_size, warn) -> Iterator[tuple[Any, np.ndarray, float]]:
    """Batches of an array of numbers."""
    warned: list[str] = []
    unseen, is_text = _Unseen(), path.suffix.lower() in table_files.SUFFIXES
    form = f"{path} must be {'read with PyArrow' if is_text else 'a CSV or Parquet file'}"
    missing = np.zeros(len(schema.columns), "int64")
    for part in slices(len(x), batch_size):
        try:
            # A large array has the same problem in many batches.
            used = with_indices(np.asarray(x[part])[:, places], schema, form, unseen)
            once = (lambda text: None) if warned else warned.append
            rows = checked_vectors(used, path, once, schema.names)
        except InputError as error:
            raise _counted_from(part.start, error) from error
        missing += np.isnan(rows).sum(axis=0)
        yield np.arange(part.start, part.stop) + 1, rows, part.stop / len(x)
    for text in warned:
        warn(text)
    unseen.report(warn)
    _warn_of_missing(schema, missing, unseen, warn)


def _warn_of_missing(schema, missing, unseen, warn):
    """Warns of missing values in columns that had none in training."""
    for column, number in zip(schema.columns, missing.tolist(), strict=True):
        number -= unseen.count(column.name)
        if number and not column.missing:
            mean = " The mean of the column replaces a missing value."
            warn(
                f"{counted(number, 'value')} of column {column.name} "
                f"{'is' if number == 1 else 'are'} missing, which did not occur in training."
                f"{mean if column.numeric else ' For the networks it has no category.'}"
            )


def _counted_from(start, error):
    """An error about rows after others, whose numbers it does not know."""
    return InputError(f"{error}, counted from row {start + 1}") if start else error


class _Unseen:
    """Counts the categories that did not occur in training, over all batches."""

    def __init__(self):
        self.found = {}

    def __call__(self, name, number, first):
        before, example = self.found.get(name, (0, first))
        self.found[name] = before + number, example

    def count(self, name):
        return self.found.get(name, (0, None))[0]

    def report(self, warn):
        for name, (number, first) in self.found.items():
            warn(arrow.unseen_text(name, number, first))
