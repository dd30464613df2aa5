"""Tables that cannot be used: one clear line each, status 2, and nothing written."""

import json

import numpy as np
import pytest

from adversarial_autoencoder import data
from adversarial_autoencoder.tables import arrow

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

ROWS = "a,b,kind\n3,2.5,x\n1,3.5,y\n4,4.5,x\n1,5.5,y\n5,6.5,x\n9,7.5,y\n"


NUMBERS = np.arange(60.0).reshape(20, 3)


def parquet(**columns):
    """A function that writes columns to a Parquet file."""
    return lambda path: pq.write_table(pa.table(columns), path)


def array(x):
    """A function that writes an array to an .npy file."""
    return lambda path: np.save(path, x, allow_pickle=x.dtype.hasobject)


def archive(x_train, x_test=NUMBERS, **labels):
    """A function that writes arrays to an .npz file, with labels of 20 training rows."""
    arrays = {"y_train": np.arange(20) % 2} | labels if labels else {}
    return lambda path: np.savez(path, x_train=x_train, x_test=x_test, **arrays)


def truncated(path):
    parquet(a=list(range(1000)))(path)
    path.write_bytes(path.read_bytes()[:-20])


def truncated_array(path):
    np.save(path, np.zeros((100, 3)))
    path.write_bytes(path.read_bytes()[:-8])


NESTED = [{"u": 1}, {"u": 2}, {"u": 3}, {"u": 4}]
MANY = "a,name\n" + "".join(f"{i},n{i}\n" for i in range(10_000))

# The name of a file; its content, or a function that writes it; and a part of the message.
FILES = {
    "empty": ("t.csv", "", "an empty file"),
    "only_spaces": ("t.csv", "  \n\n", "an empty file"),
    "only_a_bom": ("t.csv", "\ufeff\r\n", "an empty file"),
    "header_only": ("t.csv", "a,b\n", "must contain rows"),
    "short_line": ("t.csv", "a,b\n1,2\n3\n", "as many values in each line"),
    "long_line": ("t.csv", "a,b\n1,2\n3,4,5\n", "as many values in each line"),
    "open_quote": ("t.csv", 'a,b\n1,"x\n2,y\n3,z\n', "must close each quote"),
    "latin_1": ("t.csv", "a,b\n1,caf\xe9\n2,x\n".encode("latin-1"), "the byte 0xe9 in line 2"),
    "latin_1_header": ("t.csv", "caf\xe9,b\n1,2\n".encode("latin-1"), "the byte 0xe9 in line 1"),
    "late_latin_1": (
        "t.csv",
        b"a,b\n" + b"1,x\n" * 400_000 + b"2,\xe9\n",
        "the byte 0xe9 in line 400002",
    ),
    "utf_16": ("t.csv", ROWS.encode("utf-16"), "UTF-16"),
    "byte_0": ("t.csv", b"a,b\n1,\0\n", "a byte 0"),
    "binary": ("t.csv", bytes(range(256)) * 4, "UTF-8"),
    "mixed": ("t.csv", "a,b\n1,2\n2,3\nsoon,4\n5,6\n", "Received: soon in row 3"),
    "formula": ("t.csv", "a,b\n1,2\n2,3\n=A1*2,4\n5,6\n", "Received: =A1*2 in row 3"),
    "thousands": ("t.csv", 'a,b\n1,2\n2,3\n"1,000",4\n5,6\n', "Received: 1,000 in row 3"),
    "duplicate_names": ("t.csv", "a,a\n1,2\n3,4\n5,6\n", "Received: a twice"),
    "empty_column": ("t.csv", "a,b\n1,\n2,\n3,\n4,\n", "Column b must have a value"),
    "trailing_commas": ("t.csv", "a,b,\n1,2,\n3,4,\n5,6,\n", "Column column_3 must have a value"),
    "unknown_only": ("t.csv", "a,b\n1,?\n2,NA\n3,?\n4,?\n", "Column b must have a value"),
    "categories": ("t.csv", MANY, "at most 1000 categories"),
    "infinite": ("t.csv", "a,b\n1,2\ninf,3\n4,5\n6,7\n", "Received: inf in row 2"),
    "huge": ("t.csv", "a,b\n1,2\n1e300,3\n4,5\n6,7\n", "Received: 1e+300 in row 2"),
    "huge_integer": ("t.csv", f"a,b\n1,2\n{10**40},3\n4,5\n6,7\n", "Received: 1e+40 in row 2"),
    "constant": ("t.csv", "a,b\n1,2\n1,2\n1,2\n1,2\n", "must have a column that varies"),
    "one_row": ("t.csv", "a,b\n1,2\n", "at least 3 rows"),
    "two_rows": ("t.csv", "a,b\n1,2\n3,4\n", "at least 3 rows"),
    "field_limit": ("t.csv", "a,b\n" + "x" * 140_000 + ",1\n", ""),
    "parquet_text": ("t.parquet", "a,b\n1,2\n", "readable Parquet file"),
    "parquet_empty": ("t.parquet", "", "readable Parquet file"),
    "parquet_truncated": ("t.parquet", truncated, "readable Parquet file"),
    "parquet_nested": ("t.parquet", parquet(a=[1, 2, 3, 4], b=NESTED), "Column b must hold"),
    "parquet_lists": ("t.parquet", parquet(a=[1, 2, 3], b=[[1], [2], [3]]), "Column b must hold"),
    "parquet_dates": (
        "t.parquet",
        parquet(a=[1, 2, 3], b=np.array(["2020-01-01"] * 3, "datetime64[s]")),
        "Column b must hold",
    ),
    "parquet_bytes": ("t.parquet", parquet(a=[1, 2, 3], b=[b"x", b"y", b"z"]), "Column b must"),
    "parquet_null": ("t.parquet", parquet(a=[1, 2, 3], b=[None] * 3), "Column b must have a"),
    "parquet_infinite": ("t.parquet", parquet(a=[1.0, np.inf, 3.0, 4.0]), "Received: inf in row 2"),
    "parquet_without_rows": ("t.parquet", parquet(a=pa.array([], "int64")), "must contain rows"),
    "parquet_without_columns": ("t.parquet", parquet(), "must have columns"),
    "npy_text": ("t.npy", "1,2\n", "readable .npy file"),
    "npy_truncated": ("t.npy", truncated_array, "readable .npy file"),
    "npy_objects": ("t.npy", array(np.array([[1, "x"]] * 4, object)), "readable .npy file"),
    "npy_texts": ("t.npy", array(np.array([["1", "x"]] * 4)), "numbers of at most 64 bits"),
    "npy_complex": ("t.npy", array(NUMBERS * 1j), "numbers of at most 64 bits"),
    "npy_one_axis": ("t.npy", array(np.zeros(9)), "the shape (n, columns)"),
    "npy_images": ("t.npy", array(np.zeros((9, 4, 4))), "the shape (n, columns)"),
    "npy_empty": ("t.npy", array(np.zeros((0, 3))), "the shape (n, columns)"),
    "npy_infinite": ("t.npy", array(np.where(NUMBERS == 30, np.inf, NUMBERS)), "inf in row 11"),
    "npz_texts": ("t.npz", archive(np.full((10, 64), "a")), "numbers of at most 64 bits"),
    "npz_empty": ("t.npz", archive(np.zeros((0, 64))), "x_train in"),
    "npz_without_columns": ("t.npz", archive(np.zeros((10, 0))), "the shape (n, columns)"),
    "npz_one_number": ("t.npz", archive(NUMBERS, np.float64(3), y_test=np.zeros(3)), "x_test in"),
    "npy_constant": ("t.npy", array(np.ones((9, 2))), "must have a column that varies"),
}


def write(path, content):
    """Writes a file."""
    if callable(content):
        content(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used_is_refused(refused, tmp_path, name):
    file, content, expected = FILES[name]
    write(tmp_path / file, content)
    assert expected in refused(f"--dataset=TMP/{file}")


# Flags for a table that can be used, and a part of the message.
FLAGS = {
    "unknown_label": (["--label_column=kid"], "Did you mean kind?"),
    "unknown_dropped": (["--drop_columns=a,c"], "drop_columns must name a column"),
    "all_dropped": (["--drop_columns=a,b,kind"], "must have a column"),
    "test_of_another_kind": (["--test_dataset=TMP/t.npy"], "test_dataset must be a .csv file"),
    "missing_test": (["--test_dataset=TMP/none.csv"], "test_dataset must be a .csv file"),
    "missing_columns": (["--columns=TMP/none.json"], "none.json must be a JSON file"),
    "test_without_column": (["--test_dataset=TMP/other.csv"], "must have the column b"),
    "test_with_text": (["--test_dataset=TMP/text.csv"], "Column b of"),
    "test_with_class": (
        ["--test_dataset=TMP/class.csv", "--label_column=kind"],
        "must be classes of the training rows",
    ),
    "test_with_one_dot": (
        ["--test_dataset=TMP/dot.csv", "--label_column=kind"],
        "must be classes of the training rows",
    ),
    "one_class": (["--label_column=one", "--dataset=TMP/one.csv"], "at least two classes"),
    "one_class_of_numbers": (["--label_column=column_3", "--dataset=TMP/n.npy"], "two classes"),
    "no_class_of_numbers": (["--label_column=column_4", "--dataset=TMP/n.npy"], "0 classes"),
    "conv": (["--network=conv"], "network=conv needs images"),
    "augment": (
        ["--model=clustering_aae", "--consistency=augment", "--num_clusters=2"],
        "consistency augment shifts and rotates images",
    ),
    "loss_of_images": (["--reconstruction_loss=mse"], "--reconstruction_loss needs images"),
    "loss_of_images_of_vectors": (
        ["--reconstruction_loss=bce", "--dataset=TMP/t.npy", "--model=vae"],
        "--reconstruction_loss needs images",
    ),
    "no_labels": (["--model=supervised_aae"], "need a data set with labels"),
    "options_of_images": (["--dataset=digits", "--label_column=kind"], "needs a table"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_flags_that_do_not_fit_a_table_are_refused(refused, tmp_path, name):
    flags, expected = FLAGS[name]
    (tmp_path / "t.csv").write_text(ROWS)
    np.save(tmp_path / "t.npy", NUMBERS)
    np.save(tmp_path / "n.npy", np.c_[NUMBERS[:, :2], np.ones(20), np.full(20, np.nan)])
    (tmp_path / "other.csv").write_text("a,kind\n1,x\n")
    (tmp_path / "text.csv").write_text("a,b,kind\n1,soon,x\n")
    (tmp_path / "class.csv").write_text("a,b,kind\n1,2,z\n")
    (tmp_path / "dot.csv").write_text("a,b,kind\n1,2,x.\n1,2,z.\n")
    (tmp_path / "one.csv").write_text("a,one\n1,x\n2,x\n3,x\n4,x\n")
    assert expected in refused("--dataset=TMP/t.csv", *flags)


def test_a_table_that_no_saved_model_could_describe_is_refused(refused, tmp_path, monkeypatch):
    """Each of prior and table is small enough alone."""
    monkeypatch.setattr("adversarial_autoencoder.model.archive.MAX_PARTS", 1200)
    (tmp_path / "t.csv").write_text(ROWS)
    np.save(tmp_path / "p.npy", np.random.default_rng(0).normal(size=(20, 2)))
    flags = ["--dataset=TMP/t.csv", "--prior=TMP/p.npy"]
    assert "p.npy and the table t must take at most 1200 bytes in" in refused(*flags)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"a": "text"}',
        '{"a": 3}',
        '{"c": "numeric"}',
        '{"kind": "numeric"}',
        "\xff",
        json.dumps({"a": ["numeric"]}),
    ],
)
def test_a_columns_file_that_cannot_be_used_is_refused(refused, tmp_path, content):
    (tmp_path / "t.csv").write_text(ROWS)
    (tmp_path / "columns.json").write_text(content, encoding="latin-1")
    assert "olumn" in refused("--dataset=TMP/t.csv", "--columns=TMP/columns.json")


@pytest.mark.parametrize("suffix", ["csv", "npy"])
def test_labels_that_are_most_likely_numbers_are_a_warning(tmp_path, suffix):
    rows = np.c_[NUMBERS, np.arange(20)]
    np.save(tmp_path / "t.npy", rows)
    np.savetxt(tmp_path / "t.csv", rows, delimiter=",")
    warnings = []
    options = data.TableOptions(label_column="column_4")
    data.load(tmp_path / f"t.{suffix}", warn=warnings.append, options=options)
    assert warnings[0].startswith("Column column_4 has 20 classes in 20 rows.")


def test_without_pyarrow_a_table_names_the_extra(refused, tmp_path, monkeypatch):
    monkeypatch.setattr(arrow, "is_installed", lambda: False)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "t.csv").write_text(ROWS)
    assert "adversarial-autoencoder[tables]" in refused("--dataset=TMP/t.csv")


def test_without_pyarrow_a_csv_of_numbers_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow, "is_installed", lambda: False)
    (tmp_path / "t.csv").write_text(
        "u,v,k\n" + "".join(f"{i},{i * i}.5,{i % 3}\n" for i in range(30))
    )
    dataset = data.load(tmp_path / "t.csv", options=data.TableOptions(label_column="k"))
    assert dataset.schema.names == ("u", "v")
    assert dataset.class_names == ("0", "1", "2")
    assert not dataset.schema.frame
