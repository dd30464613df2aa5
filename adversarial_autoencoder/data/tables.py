"""Data sets of rows: vectors of numbers, and tables."""

import dataclasses
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.data import hints, table_files, text_files
from adversarial_autoencoder.data.array_files import read_npy
from adversarial_autoencoder.data.arrays.labels import numbered_labels
from adversarial_autoencoder.data.checks import UNLABELLED, checked_arrays
from adversarial_autoencoder.data.dataset import PARTS, Dataset, checksum, split
from adversarial_autoencoder.errors import InputError, counted, did_you_mean
from adversarial_autoencoder.tables import Column, Schema, arrow, default_names
from adversarial_autoencoder.tables.column import check_numbers, warn_if_rounded

# More classes than this share of the rows are suspicious.
MAX_SHARE = 0.2


@dataclasses.dataclass(frozen=True)
class TableOptions:
    """What a user says of a table.

    Args:
        label_column: Name of the column of the labels, or None.
        drop_columns: Names of columns to leave out, separated by commas; or None.
        columns: Path of a JSON file with an object from names of columns to "numeric" or
            "categorical", for columns whose inferred kind is wrong; or None.
        test_dataset: Path of a file with the test rows, or None.
    """

    label_column: str | None = None
    drop_columns: str | None = None
    columns: str | None = None
    test_dataset: str | None = None

    @property
    def given(self) -> list[str]:
        """Names of the options that are not None."""
        return [name for name, value in dataclasses.asdict(self).items() if value is not None]


def load_table(path: pathlib.Path, options: TableOptions, warn: Callable[[str], object]) -> Dataset:
    """Loads a table from a CSV or Parquet file, or vectors from an .npy file.

    Args:
        path: Path of the file.
        options: What the user says of the table.
        warn: Function that is called with the text of a warning.

    Returns:
        A `Dataset` with a schema.

    Raises:
        InputError: If a file cannot be read or used.
    """
    kinds = table_files.read_kinds(options.columns)
    paths = [path]
    if options.test_dataset is not None:
        paths.append(expand_home(options.test_dataset, "test_dataset"))
        if not paths[1].is_file() or paths[1].suffix.lower() != path.suffix.lower():
            raise InputError(
                f"test_dataset must be a {path.suffix} file, as dataset is. Received: {paths[1]}"
            )
    if path.suffix.lower() == ".npy" or not arrow.is_installed():
        return _from_numbers(paths, options, kinds, warn)
    return _from_arrow(paths, options, kinds, warn)


def _from_arrow(paths, options, kinds, warn):
    """Makes a data set of files that PyArrow reads."""
    read = [table_files.read(path) for path in paths]
    names, label = _chosen(list(read[0]), options)
    used = [*names, label] if label else names
    if missing := [name for name in used if name not in read[-1]]:
        raise InputError(
            f"{paths[-1]} must have the column {missing[0]} of {paths[0].name}. "
            f"Received: {', '.join(list(read[-1])[:20])}"
        )
    columns, types = {}, {}
    for name in names:
        columns[name] = table_files.typed(paths[0], name, read[0].pop(name), kinds.get(name))
        types[name] = columns[name].type
        table_files.warn_of_row_numbers(name, columns[name], warn)
    arrays: dict[str, Any] = {}
    y = table_files.typed(paths[0], label, read[0].pop(label), "categorical") if label else None
    del read[0]
    arrays["x_train"], schema = arrow.infer(columns, kinds, warn)
    classes = ()
    if y is not None:
        classes = arrow.distinct(label, y)
        _check_classes(label, classes, len(y), warn)
        column = Column(label, "categorical", categories=classes)
        arrays["y_train"] = _labels(arrow.values_of(column, y))
    if read:
        test = {
            name: table_files.typed_like(paths[1], name, read[0].pop(name), types[name])
            for name in names
        }
        arrays["x_test"] = arrow.rows_of(
            test, schema, lambda *found: warn(arrow.unseen_text(*found))
        )
        if y is not None:
            found = table_files.typed_like(paths[1], label, read[0].pop(label), y.type)
            found = table_files.without_dots(paths[1], label, found, classes, warn)
            if unknown := set(arrow.distinct(label, found)) - set(classes):
                raise InputError(
                    f"The labels of {paths[1]} must be classes of the training rows, such as "
                    f"{classes[0]}. Received: {min(unknown)}"
                )
            arrays["y_test"] = _labels(arrow.values_of(column, found))
    arrow.free_memory()
    # Rows that models take and give are DataFrames if pandas is there, as the extra requires.
    schema = dataclasses.replace(schema, frame=True)
    return table(paths[0], arrays, schema, warn, [str(value) for value in classes])


def _from_numbers(paths, options, kinds, warn):
    """Makes a data set of .npy files, or of CSV files of numbers without PyArrow."""
    if "categorical" in kinds.values():
        arrow.import_pyarrow("A categorical column")
    read = [read_numbers(path) for path in paths]
    names, label = _chosen(read[0][1], options)
    if read[-1][1] != read[0][1]:
        raise InputError(
            f"{paths[-1]} must have the columns of {paths[0].name}, {', '.join(read[0][1][:20])}. "
            f"Received: {', '.join(read[-1][1][:20])}"
        )
    arrays: dict[str, Any] = {}
    places, classes = [read[0][1].index(name) for name in names], []
    for part, path, (x, all_names) in zip(("train", "test"), paths, read, strict=False):
        used = x if places == list(range(x.shape[1])) else x[:, places]
        arrays[f"x_{part}"] = checked_vectors(used, f"{path}", warn)
        if not label:
            continue
        y = x[:, all_names.index(label)]
        if part == "train":
            values = np.unique(y[~np.isnan(y)])
            classes = [f"{value:.10g}" for value in values]
            _check_classes(label, classes, len(y), warn)
        found = np.searchsorted(values, y).clip(0, len(values) - 1)
        known = values[found] == y
        if (unknown := ~known & ~np.isnan(y)).any():
            raise InputError(
                f"The labels of {path} must be classes of the training rows, {values[0]:.10g} to "
                f"{values[-1]:.10g}. Received: {y[unknown][0]:.10g}"
            )
        arrays[f"y_{part}"] = np.where(known, found, UNLABELLED).astype("int64")
    x, is_text = read[0][0], paths[0].suffix.lower() != ".npy"
    columns = [
        Column(name, dtype=_number_type(x[:, i], is_text))
        for name, i in zip(names, places, strict=True)
    ]
    return table(paths[0], arrays, Schema(tuple(columns)), warn, classes)


def _number_type(values, is_text):
    """The type of numbers: that of an array, or the one that fits the numbers of a text."""
    if values.dtype.kind in "iu":
        return values.dtype.name
    whole = is_text and (values == np.round(values)).all()
    return "int64" if whole else "float64" if is_text else "float32"


def read_numbers(path: pathlib.Path) -> tuple[np.ndarray, list[str]]:
    """Reads an .npy file, or a CSV file of numbers without PyArrow.

    Args:
        path: Path of the file.

    Returns:
        The numbers, shape (n, columns), and the names of the columns.

    Raises:
        InputError: If the file cannot be read, or needs PyArrow.
    """
    if path.suffix.lower() == ".npy":
        x = read_npy(path)
        check_vectors(x, path)
        return x, list(default_names(x.shape[1]))
    found = text_files.read_numbers(path) if path.suffix.lower() != ".parquet" else None
    if found is None:
        arrow.import_pyarrow(f"{path.name}, which has other values than numbers,")
    assert found is not None  # The import has failed.
    return found


def _chosen(names, options):
    """The names of the columns to use, and that of the label or None."""
    dropped = [name.strip() for name in (options.drop_columns or "").split(",") if name.strip()]
    label = options.label_column
    for setting, wanted in (("drop_columns", dropped), ("label_column", [label] if label else [])):
        for name in wanted:
            if name not in names:
                raise InputError(
                    f"{setting} must name a column.{did_you_mean(name, names)} Received: {name}, "
                    f"not one of {', '.join(names[:20])}"
                )
    used = [name for name in names if name not in dropped and name != label]
    if not used:
        raise InputError(
            "A table must have a column that is not dropped and no label. Received: none"
        )
    return used, label


def _check_classes(label, classes, rows, warn):
    """Checks the number of classes of a label column; warns of labels that look like numbers."""
    if not 2 <= len(classes) <= arrow.MAX_CATEGORIES:
        raise InputError(
            f"label_column {label} must have at least two classes, and at most "
            f"{arrow.MAX_CATEGORIES}. Received: {counted(len(classes), 'class')}"
        )
    if len(classes) > MAX_SHARE * rows:
        warn(
            f"Column {label} has {len(classes)} classes in {rows} rows. If it is a number to "
            "model, leave --label_column out."
        )


def _labels(values):
    return np.where(np.isnan(values), UNLABELLED, values).astype("int64")


def vectors(path: pathlib.Path, arrays: dict[str, Any], warn: Callable[[str], object]) -> Dataset:
    """Makes a data set of the vectors in an .npz file, which are rows of numeric columns.

    Args:
        path: The file.
        arrays: x_train, shape (n, columns); optionally y_train, x_test and y_test, as in
            `make_dataset`.
        warn: Function that is called with the text of a warning.

    Returns:
        A `Dataset` with a schema.

    Raises:
        InputError: If an array cannot be used.
    """
    x = arrays["x_train"]
    check_vectors(x, f"x_train in {path}")
    hint = hints.for_flat("x_train", x.shape[1])
    if "height" not in hint and x.shape[1] >= 64 and x.min() >= 0 and x.max() <= 255:
        warn(f"x_train in {path} is read as a table of {x.shape[1]} columns.{hint}")
    arrays, class_names = numbered_labels(arrays, path, warn)
    checked = checked_arrays(path, arrays, lambda x, name: checked_vectors(x, name, warn))
    names, dtype = default_names(x.shape[1]), _number_type(x[:1], is_text=False)
    schema = Schema(tuple(Column(name, dtype=dtype) for name in names))
    return table(path, checked, schema, warn, class_names)


def table(
    path: pathlib.Path,
    arrays: dict[str, Any],
    schema: Schema,
    warn: Callable[[str], object],
    class_names: Sequence[str] | None = None,
) -> Dataset:
    """Splits the rows of a table, and fits its schema to the training rows.

    Args:
        path: The file, whose name is that of the data set.
        arrays: Checked rows and labels: "x_train", "y_train" and so on for each given part.
        schema: Names and types of the columns.
        warn: Function that is called with the text of a warning.
        class_names: One string for each class. The default is the numbers of the classes.

    Returns:
        A `Dataset` with a schema.
    """
    missing = 3 - len(
        [name for name in arrays if name.startswith("x_") and arrays[name] is not None]
    )
    if len(arrays["x_train"]) <= missing:
        raise InputError(
            f"{path} must contain at least {missing + 1} rows, because training, validation and "
            f"test each need one. Received: {len(arrays['x_train'])}"
        )
    config = json.dumps(schema.get_config()).encode()
    digest = checksum(np.frombuffer(config, "uint8"), *arrays.values())
    parts = [f"{kind}_{part}" for part in PARTS for kind in ("x", "y")]
    arrays = dict.fromkeys(parts) | arrays
    dataset = split(path.stem, arrays, digest, class_names or None)
    schema = schema.fitted(dataset.x_train[:])
    if constant := [column.name for column in schema.columns if column.constant]:
        shown = ", ".join(constant[:5]) + (", ..." if len(constant) > 5 else "")
        number = f"{len(constant)} of {len(schema.columns)} columns"
        if len(constant) == len(schema.columns):
            raise InputError(f"{path} must have a column that varies. Received: constant {shown}")
        warn(f"{number} are constant in the training rows and tell nothing: {shown}.")
    return dataclasses.replace(dataset, schema=schema)


def checked_vectors(
    x: np.ndarray,
    name: str | pathlib.Path,
    warn: Callable[[str], object],
    columns: Sequence[str] = (),
) -> np.ndarray:
    """Checks vectors of numbers.

    Args:
        x: Numbers, shape (n, columns), NaN for missing ones.
        name: Name of the array. Error messages quote it.
        warn: Function that is called with the text of a warning.
        columns: Names of the columns. Default: column_1, column_2, ...

    Returns:
        A float32 array of the same shape.

    Raises:
        InputError: If the array does not meet these conditions or is empty.
    """
    check_vectors(x, name)
    rounded = np.ascontiguousarray(x, "float32")
    columns = columns or default_names(x.shape[1])
    for column, values, after in zip(columns, x.T, rounded.T, strict=True):
        check_numbers(values, f"{column} of {name}")
        if x.dtype.itemsize > 4 or x.dtype.kind in "iu":
            warn_if_rounded(f"{column} of {name}", values.astype("float64"), after, warn)
    return rounded


def check_vectors(x: np.ndarray, name: str | pathlib.Path) -> None:
    """Checks the type and the shape of vectors of numbers.

    Args:
        x: An array.
        name: Name of the array. Error messages quote it.

    Raises:
        InputError: If it is not of numbers, of shape (n, columns), or is empty.
    """
    if x.dtype.kind not in "biu" and not (x.dtype.kind == "f" and x.dtype.itemsize <= 8):
        variable = str(name).partition(" in ")[0]
        raise InputError(
            f"{name} must contain numbers of at most 64 bits.{hints.for_dtype(variable, x)} "
            f"Received: {x.dtype}"
        )
    if x.ndim != 2 or 0 in x.shape:
        raise InputError(
            f"{name} must have the shape (n, columns), with at least one row and one column. "
            f"Received: {x.shape}"
        )
