"""Readers of tables: CSV and Parquet files, as columns of Arrow."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.config.small_files import read_json
from adversarial_autoencoder.data.text_files import (
    MISSING,
    check_last_quote,
    check_names,
    check_utf8,
    head,
)
from adversarial_autoencoder.errors import InputError, first_line, reading
from adversarial_autoencoder.tables.arrow import distinct, import_pyarrow
from adversarial_autoencoder.tables.column import KINDS
from adversarial_autoencoder.tables.texts import booleans, renamed

SUFFIXES = (".csv", ".tsv", ".parquet")
# Whole numbers that begin with 0 are codes, such as 02139.
NUMBER, CODE = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", r"^0\d+$"
# PyArrow reads 0x1f as a whole number, but not as a float.
HEXADECIMAL = r"^[+-]?0[xX]"
# Size of the parts in which a text file is read.
_BLOCK_BYTES = 4 * 2**20


def read(path: pathlib.Path) -> dict[str, Any]:
    """Reads a table.

    Args:
        path: Path of a CSV, TSV or Parquet file. In text files, the delimiter and a header are
            detected, spaces around values are left out, and `MISSING` are missing values.

    Returns:
        A dict from the names of the columns to `pyarrow.ChunkedArray`. Columns of a text file are
        texts. Without a header, they are called column_1, column_2 and so on.

    Raises:
        InputError: If the file is not readable.
    """
    pa = import_pyarrow(f"{path.name}")
    reader = _read_parquet if path.suffix.lower() == ".parquet" else _read_csv
    columns = reader(path, pa)
    if len(next(iter(columns.values()), ())) == 0:
        raise InputError(f"{path} must contain rows. Received: none")
    return columns


def typed(path: pathlib.Path, name: str, array: Any, kind: str | None = None) -> Any:
    """Finds the type of a column of texts: whole numbers, numbers, booleans or texts.

    Args:
        path: The file, for errors.
        name: Name of the column.
        array: A `pyarrow.ChunkedArray`. One that is not of texts from a CSV file stays unchanged.
        kind: "numeric" or "categorical", if the user declares it.

    Returns:
        A `pyarrow.ChunkedArray`.

    Raises:
        InputError: If some values are numbers and others are not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if path.suffix.lower() == ".parquet":
        return array
    array = _known(array)
    codes = pc.any(pc.match_substring_regex(array, CODE)).as_py()
    hexadecimal = pc.any(pc.match_substring_regex(array, HEXADECIMAL)).as_py()
    if not hexadecimal and not (codes and kind != "numeric"):
        for target in (pa.int64(), pa.float64()):
            try:
                return array.cast(target)
            except pa.ArrowException:
                continue
    lower = pc.utf8_lower(array)
    if kind is None and pc.all(pc.is_in(lower, value_set=pa.array(["true", "false"]))).as_py():
        return pc.equal(lower, "true")
    is_number = pc.match_substring_regex(array, NUMBER)
    share = (pc.sum(is_number).as_py() or 0) / max(len(array) - array.null_count, 1)
    if kind == "numeric" or (kind is None and 0.5 < share < 1):
        row = pc.index(is_number, False).as_py()
        raise InputError(
            f"Column {name} of {path} must hold numbers only or texts only; --columns declares one"
            f" as categorical. Received: {array[row]} in row {row + 1}"
        )
    return array


def typed_like(path: pathlib.Path, name: str, array: Any, dtype: Any) -> Any:
    """Gives a column of texts the type of the same column in the training rows.

    Args:
        path: The file, for errors.
        name: Name of the column.
        array: A `pyarrow.ChunkedArray`.
        dtype: The type in the training rows.

    Returns:
        A `pyarrow.ChunkedArray`.

    Raises:
        InputError: If a value has another type.
    """
    import pyarrow as pa

    if path.suffix.lower() == ".parquet":
        return array
    array = _known(array)
    if pa.types.is_boolean(dtype):
        return booleans(f"{name} of {path}", array)
    for target in (dtype, pa.float64()) if pa.types.is_integer(dtype) else (dtype,):
        try:
            return array.cast(target)
        except pa.ArrowException as error:
            failure = error
    raise InputError(
        f"Column {name} of {path} must hold numbers, as in the training rows. "
        f"Received: {first_line(failure)}"
    )


def without_dots(
    path: pathlib.Path,
    name: str,
    array: Any,
    classes: Sequence[Any],
    warn: Callable[[str], object],
) -> Any:
    """Replaces labels that differ by a final "." from classes, such as those of `adult.test`.

    Args:
        path: The file, for the warning.
        name: Name of the column.
        array: Labels of test rows, a `pyarrow.ChunkedArray`.
        classes: The classes of the training rows.
        warn: Function that is called with the text of a warning, if labels are replaced.

    Returns:
        A `pyarrow.ChunkedArray`; the same one if a label differs otherwise.
    """
    values = distinct(name, array)
    if set(values) <= set(classes) or not all(isinstance(value, str) for value in values):
        return array
    by_stem = {value.removesuffix("."): value for value in classes}
    same = {value: by_stem.get(value.removesuffix(".")) for value in values}
    if None in same.values() or len(by_stem) < len(classes):
        return array
    first = next(value for value in values if value not in classes)
    warn(
        f'The labels of {path} differ from those of the training rows by a final ".": '
        f"{first} counts as {same[first]}."
    )
    return renamed(array, same)


def read_kinds(path: str | None) -> dict[str, str]:
    """Reads the kinds of columns from a JSON file.

    Args:
        path: Path of the file, or None.

    Returns:
        A dict from names of columns to "numeric" or "categorical"; empty without a file.

    Raises:
        InputError: If the file cannot be read or has another content.
    """
    if path is None:
        return {}
    with reading(
        f"columns={path} must be a JSON file with an object from names of columns to "
        f'"{KINDS[0]}" or "{KINDS[1]}"'
    ):
        kinds = read_json(expand_home(path, "columns"))
        if not isinstance(kinds, dict):
            raise ValueError(type(kinds).__name__)
        wrong = [name for name, kind in kinds.items() if kind not in KINDS]
        if wrong:
            raise ValueError(f"{wrong[0]}: {kinds[wrong[0]]}")
        return kinds


def warn_of_row_numbers(name: str, array: Any, warn: Callable[[str], object]) -> None:
    """Warns of a column that numbers the rows, such as an index that pandas writes.

    Args:
        name: Name of the column.
        array: A `pyarrow.ChunkedArray`.
        warn: Function that is called with the text of a warning.
    """
    if str(array.type) == "int64" and not array.null_count and len(array) > 2:
        values = array.to_numpy()
        if values[0] in (0, 1) and (np.diff(values) == 1).all():
            warn(f"Column {name} numbers the rows: --drop_columns {name} leaves it out.")


def _known(array):
    """Texts without spaces around them, and null for missing ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pc.utf8_trim_whitespace(array)
    missing = pc.is_in(array, value_set=pa.array(MISSING))
    return pc.if_else(missing, pa.scalar(None, array.type), array)


def blocks(
    path: pathlib.Path, names: Sequence[str], rows: int
) -> Iterator[tuple[dict[str, Any], float]]:
    """Reads a table in parts, so that it can be larger than memory.

    Args:
        path: Path of a CSV, TSV or Parquet file, which is read as by `read`.
        names: Names of the columns to read.
        rows: Largest number of rows of a part of a Parquet file.

    Yields:
        Two values: a dict from the names to `pyarrow.ChunkedArray`, and the share of the file that
        is read, in [0, 1].

    Raises:
        InputError: If the file is not readable.
    """
    pa = import_pyarrow(f"{path.name}")
    is_parquet = path.suffix.lower() == ".parquet"
    with _reading_parquet(path, pa) if is_parquet else _reading_csv(path, pa):
        for batch, share in (_parquet_batches if is_parquet else _csv_batches)(path, names, rows):
            yield dict(zip(batch.schema.names, pa.table(batch).columns, strict=True)), share


def names_of(path: pathlib.Path) -> list[str]:
    """Reads the names of the columns of a table.

    Args:
        path: Path of a CSV, TSV or Parquet file.

    Returns:
        The names.

    Raises:
        InputError: If the file is not readable.
    """
    if path.suffix.lower() != ".parquet":
        return head(path)[0]
    pa = import_pyarrow(f"{path.name}")
    import pyarrow.parquet as pq

    with _reading_parquet(path, pa), pq.ParquetFile(path) as file:
        check_names(path, names := file.schema_arrow.names)
    return names


def _parquet_batches(path, names, rows):
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        done, total = 0, max(file.metadata.num_rows, 1)
        # PyArrow keeps what it has read of all row groups of one iterator.
        for group in range(file.num_row_groups):
            for batch in file.iter_batches(rows, [group], columns=list(names)):
                done += len(batch)
                yield batch, done / total


def _csv_batches(path, names, rows):
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    del rows
    every, skipped, delimiter = head(path)
    # The last column shows whether the last quote is closed.
    used = [*dict.fromkeys([*names, every[-1]])]
    options = _csv_options(every, skipped, delimiter, used)
    last, size = "", path.stat().st_size
    with pa.OSFile(str(path)) as file, arrow_csv.open_csv(file, *options) as reader:
        for batch in reader:
            if len(batch):
                last = batch.column(used.index(every[-1]))[-1].as_py()
                yield batch.select(list(names)), min(file.tell() / size, 1.0)
    check_last_quote(path, last)


def _csv_options(names, skipped, delimiter, used=()):
    """The options of the readers of PyArrow: all values are texts. Empty `used` reads all."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    return (
        arrow_csv.ReadOptions(
            column_names=names, skip_rows_after_names=skipped, block_size=_BLOCK_BYTES
        ),
        arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            include_columns=list(used),
        ),
    )


def _reading_parquet(path, pa):
    return reading(f"{path} must be a readable Parquet file", pa.ArrowException)


@contextlib.contextmanager
def _reading_csv(path, pa):
    expected = f"{path} must be a table with as many values in each line"
    with reading(expected, pa.ArrowException):
        try:
            yield
        except pa.ArrowException as error:
            if "UTF8" in str(error):
                check_utf8(path)
            raise


def _read_parquet(path, pa):
    import pyarrow.parquet as pq

    with _reading_parquet(path, pa):
        table = pq.ParquetFile(path).read()
    check_names(path, table.column_names)
    return dict(zip(table.column_names, table.columns, strict=True))


def _read_csv(path, pa):
    from pyarrow import csv as arrow_csv

    names, header, delimiter = head(path)
    with _reading_csv(path, pa):
        table = arrow_csv.read_csv(path, *_csv_options(names, header, delimiter))
    if len(table):
        check_last_quote(path, table.columns[-1][-1].as_py())
    return dict(zip(names, table.columns, strict=True))
