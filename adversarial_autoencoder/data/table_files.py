"""Readers of tables: CSV and Parquet files, as columns of Arrow."""

import codecs
import csv
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.config.texts import is_number
from adversarial_autoencoder.errors import MALFORMED, InputError, did_you_mean, first_line
from adversarial_autoencoder.tables.arrow import distinct, import_pyarrow, renamed
from adversarial_autoencoder.tables.column import KINDS
from adversarial_autoencoder.tables.schema import default_names

SUFFIXES = (".csv", ".tsv", ".parquet")
# Texts that mean "missing".
MISSING = ("", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>")
DELIMITERS = (",", ";", "\t", "|")
# Whole numbers that begin with 0 are codes, such as 02139.
NUMBER, CODE = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", r"^0\d+$"
_HEAD_BYTES = 2**20


def read(path: pathlib.Path, like: dict[str, Any] | None = None) -> dict[str, Any]:
    """Reads a table.

    Args:
        path: Path of a CSV, TSV or Parquet file. In text files, the delimiter and a header are
            detected, spaces around values are left out, and `MISSING` are missing values.
        like: Columns of another file that this one must have; or None.

    Returns:
        A dict from the names of the columns to `pyarrow.ChunkedArray`. Columns of a text file are
        texts. Without a header, they are called column_1, column_2 and so on.

    Raises:
        InputError: If the file is not readable, or has other columns than `like`.
    """
    pa = import_pyarrow(f"{path.name}")
    reader = _read_parquet if path.suffix.lower() == ".parquet" else _read_csv
    columns = reader(path, pa)
    if len(next(iter(columns.values()), ())) == 0:
        raise InputError(f"{path} must contain rows. Received: none")
    if like is not None and set(like) - set(columns):
        missing = next(name for name in like if name not in columns)
        raise InputError(
            f"{path} must have the column {missing} of the training rows."
            f"{did_you_mean(missing, columns)} Received: {', '.join(list(columns)[:20])}"
        )
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
    if not (codes and kind != "numeric"):
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
    import pyarrow.compute as pc

    if path.suffix.lower() == ".parquet":
        return array
    array = _known(array)
    if pa.types.is_boolean(dtype):
        return pc.equal(pc.utf8_lower(array), "true")
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
    try:
        kinds = json.loads(expand_home(path, "columns").read_text())
        wrong = [name for name, kind in kinds.items() if kind not in KINDS]
        if wrong:
            raise ValueError(f"{wrong[0]}: {kinds[wrong[0]]}")
    except MALFORMED as error:
        raise InputError(
            f"columns must be a JSON file with an object from names of columns to "
            f'"{KINDS[0]}" or "{KINDS[1]}". Received: {first_line(error)} in {path}'
        ) from error
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


def read_numbers(path: pathlib.Path) -> tuple[np.ndarray, list[str]] | None:
    """Reads a CSV file of numbers without PyArrow.

    Args:
        path: Path of the file.

    Returns:
        The numbers, float64 of shape (n, columns), and the names of the columns; None if the file
        has other values.

    Raises:
        InputError: If the file is not readable.
    """
    names, header, delimiter = _head(path)
    try:
        x = np.loadtxt(path, delimiter=delimiter, skiprows=header, ndmin=2, encoding="utf-8-sig")
    except ValueError:
        return None
    return (x, names) if x.size and x.shape[1] == len(names) else None


def _known(array):
    """Texts without spaces around them, and null for missing ones."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pc.utf8_trim_whitespace(array)
    missing = pc.is_in(array, value_set=pa.array(MISSING))
    return pc.if_else(missing, pa.scalar(None, array.type), array)


def _read_parquet(path, pa):
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, *MALFORMED) as error:
        raise InputError(
            f"{path} must be a readable Parquet file. Received: {first_line(error)}"
        ) from error
    _check_names(path, table.column_names)
    return dict(zip(table.column_names, table.columns, strict=True))


def _read_csv(path, pa):
    from pyarrow import csv as arrow_csv

    names, header, delimiter = _head(path)
    try:
        table = arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(column_names=names, skip_rows_after_names=header),
            arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, *MALFORMED) as error:
        if "UTF8" in str(error):
            _check_utf8(path)
        raise InputError(
            f"{path} must be a table with as many values in each line. "
            f"Received: {first_line(error)}"
        ) from error
    _check_last_quote(path, table)
    return dict(zip(names, table.columns, strict=True))


def _check_last_quote(path, table):
    """Checks that the last value has an end: an open quote would hide all lines after it."""
    if not len(table) or "\n" not in (last := table.columns[-1][-1].as_py()):
        return
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 1000), 2)
        closed = file.read().rstrip().endswith(b'"')
    if not closed:
        raise InputError(
            f"{path} must close each quote. Received: an open quote before {last[:40]!r}"
        )


def _head(path):
    """Names of the columns, the number of lines up to the header, or 0, and the delimiter."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path} must be a readable file. Received: {error}") from error
    if not head.strip():
        raise InputError(f"{path} must contain rows. Received: an empty file")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head:
        kind = "a byte 0" if b"\0" in head[2:] and head[0] < 0xFE else "UTF-16"
        raise InputError(f"{path} must be a text file in UTF-8. Received: {kind}")
    try:
        # A character can be cut at the end.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        _check_utf8(path)
        raise
    if not text.strip():
        raise InputError(f"{path} must contain rows. Received: an empty file")
    first = text.strip().splitlines()[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        # The second line is not cut if there is a third one.
        rows = csv.reader(text.splitlines(True), delimiter=delimiter)
        empty, row = next((i, row) for i, row in enumerate(rows) if row)
    except csv.Error as error:
        raise InputError(f"{path} must be a readable table. Received: {error}") from error
    row, names = [value.strip() for value in row], list(default_names(len(row)))
    # A name may be empty, as that of the index that pandas writes.
    if not any(row) or any(is_number(value) or value in MISSING[1:] for value in row):
        return names, 0, delimiter
    names = [name or default for name, default in zip(row, names, strict=True)]
    _check_names(path, names)
    return names, empty + 1, delimiter


def _check_names(path, names):
    if not names:
        raise InputError(f"{path} must have columns. Received: none")
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"The columns of {path} must have different names. Received: {name} twice"
            )


def _check_utf8(path):
    """Raises InputError with the first byte that is not UTF-8."""
    data = path.read_bytes()
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path} must be encoded in UTF-8. To convert Latin-1: iconv -f latin1 -t utf-8 FILE. "
            f"Received: the byte 0x{data[error.start]:02x} in line {line}"
        ) from error
