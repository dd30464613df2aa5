"""Files of tables: what the readers infer, and what they write."""

import json

import numpy as np
import pytest

from adversarial_autoencoder import data
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.tables import Column, Schema
from adversarial_autoencoder.tables.arrow import stored_types
from adversarial_autoencoder.tables.frames import array_to_frame
from adversarial_autoencoder.tables.values import row_values

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

RNG = np.random.default_rng(0)


def load(tmp_path, text, name="t.csv", **options):
    """Loads a table from a text, without warnings."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    return data.load(tmp_path / name, warn=lambda text: None, options=data.TableOptions(**options))


def column(dataset, name):
    """A column of all rows, in no order."""
    i = dataset.schema.names.index(name)
    parts = (dataset.x_train, dataset.x_validation, dataset.x_test)
    return np.concatenate([part[:, i] for part in parts])


def test_types_are_inferred(tmp_path):
    text = "n,f,text,flag,zip,bit\n" + "".join(
        f"{i}, {i}.5,  {'ab'[i % 2]},{str(i % 2 == 0)},0{i:04d},{i % 2}\n" for i in range(30)
    )
    dataset = load(tmp_path, text)
    found = {c.name: (c.kind, c.dtype) for c in dataset.schema.columns}
    assert found == {
        "n": ("numeric", "int64"),
        "f": ("numeric", "float64"),
        "text": ("categorical", "str"),
        "flag": ("categorical", "bool"),
        "zip": ("categorical", "str"),
        "bit": ("categorical", "int64"),
    }
    assert dataset.schema.columns[2].categories == ("a", "b")
    assert dataset.x_train.dtype == np.float32


@pytest.mark.parametrize("missing", ["", "?", "NA", "NaN", " ? ", "null"])
def test_missing_values_are_nan_in_numbers_and_in_categories(tmp_path, missing):
    lines = [f"{i},{'xy'[i % 2]}" for i in range(20)]
    lines[3], lines[5] = f"{missing},x", f"7,{missing}"
    dataset = load(tmp_path, "n,c\n" + "\n".join(lines))
    assert [np.isnan(column(dataset, name)).sum() for name in "nc"] == [1, 1]
    assert all(c.missing for c in dataset.schema.columns)


def test_a_header_is_optional_and_spaces_and_a_bom_are_left_out(tmp_path):
    rows = "".join(f"{i}, {'xy'[i % 2]}\n" for i in range(20))
    assert load(tmp_path, rows).schema.names == ("column_1", "column_2")
    dataset = load(tmp_path, "\ufeff n , c \n" + rows)
    assert dataset.schema.names == ("n", "c")
    assert dataset.schema.columns[1].categories == ("x", "y")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_detected(tmp_path, delimiter):
    rows = "".join(f"{i}{delimiter}{i}.5\n" for i in range(20))
    assert load(tmp_path, f"a{delimiter}b\n{rows}").schema.names == ("a", "b")


def test_quoted_line_breaks_and_commas_are_values(tmp_path):
    texts = ("a\nb", "one, two")
    rows = "".join(f'{i},"{texts[i % 2]}"\n' for i in range(20))
    dataset = load(tmp_path, '"n","the\ntext"\n' + rows)
    assert dataset.schema.names == ("n", "the\ntext")
    assert dataset.schema.columns[1].categories == ("a\nb", "one, two")


def test_labels_are_a_column_and_can_be_missing(tmp_path):
    rows = "".join(f"{i},{'?' if i % 10 == 0 else ('no', 'yes')[i % 2]}\n" for i in range(60))
    dataset = load(tmp_path, "n,k\n" + rows, label_column="k")
    assert dataset.class_names == ("no", "yes")
    assert dataset.schema.names == ("n",)
    parts = dataset.y_train, dataset.y_validation, dataset.y_test
    labels = np.concatenate(parts)
    assert [np.count_nonzero(labels == value) for value in (-1, 0, 1)] == [6, 24, 30]


def test_kinds_are_declared_and_columns_are_dropped(tmp_path):
    rows = "".join(f"{i},{i % 4},{i % 2}\n" for i in range(40))
    (tmp_path / "kinds.json").write_text(json.dumps({"b": "categorical", "c": "numeric"}))
    options = {"columns": str(tmp_path / "kinds.json"), "drop_columns": "a"}
    dataset = load(tmp_path, "a,b,c\n" + rows, **options)
    assert [c.kind for c in dataset.schema.columns] == ["categorical", "numeric"]
    assert dataset.schema.columns[0].categories == (0, 1, 2, 3)


def test_test_rows_come_from_another_file_with_its_columns_in_any_order(tmp_path):
    rows = "".join(f"{i},{'xy'[i % 2]}\n" for i in range(40))
    (tmp_path / "test.csv").write_text("c,n\nx,3.5\ny,4\nz,5\n")
    warnings = []
    (tmp_path / "t.csv").write_text("n,c\n" + rows)
    options = data.TableOptions(test_dataset=str(tmp_path / "test.csv"))
    dataset = data.load(tmp_path / "t.csv", warn=warnings.append, options=options)
    np.testing.assert_array_equal(dataset.x_test, [[3.5, 0], [4, 1], [5, np.nan]])
    assert any("z" in text and "count as missing" in text for text in warnings)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize(("train", "test"), [("", "."), (".", "")])
def test_test_labels_can_differ_by_a_final_dot(tmp_path, suffix, train, test):
    for name, dot, n in (("a", train, 40), ("b", test, 6)):
        labels = [("<=50K", ">50K", None)[i % 3] for i in range(n)]
        labels = [label and label + dot for label in labels]
        frame = pd.DataFrame({"n": range(n), "class": pd.Categorical(labels)})
        write = frame.to_parquet if suffix == "parquet" else frame.to_csv
        write(tmp_path / f"{name}.{suffix}", index=False)
    options = {"label_column": "class", "test_dataset": str(tmp_path / f"b.{suffix}")}
    warnings = []
    dataset = data.load(
        tmp_path / f"a.{suffix}", warn=warnings.append, options=data.TableOptions(**options)
    )
    assert dataset.class_names == (f"<=50K{train}", f">50K{train}")
    np.testing.assert_array_equal(dataset.y_test, [0, 1, -1, 0, 1, -1])
    (line,) = [text for text in warnings if "final" in text]
    assert line.endswith(f"<=50K{test} counts as <=50K{train}.")


def test_what_is_probably_wrong_is_warned_about(tmp_path):
    rows = "".join(f"{i},1,{1.7e9 + i % 7:.0f},{(i * 7) % 5}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(",one,time,n\n" + rows)
    warnings = []
    data.load(tmp_path / "t.csv", warn=warnings.append)
    text = "\n".join(warnings)
    assert "column_1 numbers the rows" in text
    assert "constant in the training rows" in text and "one" in text
    assert "column time are large and lie close together" in text


def test_parquet_and_csv_give_the_same_table(tmp_path, people):
    frame = people.drop(columns=["size", "kids"])
    frame.to_parquet(tmp_path / "p.parquet")
    frame.to_csv(tmp_path / "c.csv", index=False)
    one, other = (
        data.load(tmp_path / name, warn=lambda text: None) for name in ("p.parquet", "c.csv")
    )
    np.testing.assert_allclose(one.x_train, other.x_train, rtol=1e-6)
    assert [c.kind for c in one.schema.columns] == [c.kind for c in other.schema.columns]


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_arrays_of_two_axes_are_tables_of_numbers(tmp_path, suffix):
    x = RNG.normal(size=(50, 5))
    path = tmp_path / f"x.{suffix}"
    np.save(path, x) if suffix == "npy" else np.savez(path, x_train=x, y_train=np.arange(50) % 2)
    dataset = data.load(path)
    assert dataset.image_shape == (5,)
    assert dataset.num_classes == (0 if suffix == "npy" else 2)
    assert not dataset.schema.frame
    expected = np.sort(x.astype("float32")[:, 1])
    np.testing.assert_array_equal(np.sort(column(dataset, "column_2")), expected)


def test_rows_are_written_with_the_types_of_the_file(tmp_path):
    texts = ("x", '"y,z"')
    text = "n,f,c,b\n" + "".join(
        f"{i},{i}.25,{texts[i % 2]},{('true', 'false')[i % 2]}\n" for i in range(20)
    )
    dataset = load(tmp_path, text)
    values = row_values(dataset.x_train, dataset.schema)
    assert {name: column.dtype for name, column in values.items()} == {
        "n": "int64",
        "f": "float32",
        "c": "object",
        "b": "object",
    }
    assert {*zip(values["c"], values["b"], strict=True)} == {("x", True), ("y,z", False)}
    assert all(values["f"] == values["n"] + 0.25)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64"])
def test_the_largest_whole_numbers_stay_the_largest(dtype):
    """float32 rounds them up, to numbers that their type does not have."""
    ends = np.iinfo(dtype)
    schema = Schema((Column("n", dtype=dtype),))
    x = np.array([ends.min, ends.max, 7], dtype).astype("float32")[:, None]
    assert row_values(x, schema)["n"].tolist() == [ends.min, ends.max, 7]
    assert array_to_frame(x, schema)["n"].tolist() == [ends.min, ends.max, 7]
    missing = array_to_frame(np.array([[np.nan], x[1]], "float32"), schema)["n"]
    assert missing.isna().tolist() == [True, False]
    assert missing[1] == ends.max


def test_delimiters_within_quotes_do_not_count(tmp_path):
    rows = "".join(f"{i};0.5;{'xy'[i % 2]}\n" for i in range(20))
    names = load(tmp_path, f'"size (w, h, d)";price;kind\n{rows}').schema.names
    assert names == ("size (w, h, d)", "price", "kind")
    rows = "".join(f"{i},5\t{'xy'[i % 2]}, {i}\n" for i in range(20))
    assert load(tmp_path, f"size (w, h)\tx, y\n{rows}", "t.tsv").schema.names == (
        "size (w, h)",
        "x, y",
    )


def test_hexadecimal_numbers_are_texts_in_training_and_as_input(tmp_path):
    text = "id,n\n" + "".join(f"0x{i:02x},{i}\n" for i in range(20))
    dataset = load(tmp_path, text)
    assert dataset.schema.columns[0].dtype == "str"
    ((_, x),) = data.open_input(tmp_path / "t.csv", schema=dataset.schema)
    np.testing.assert_array_equal(x[:, 0], np.arange(20))
    (tmp_path / "kinds.json").write_text('{"id": "numeric"}')
    with pytest.raises(InputError, match="must hold numbers only .* Received: 0x00 in row 1"):
        load(tmp_path, text, columns=str(tmp_path / "kinds.json"))


def test_a_parquet_file_of_rows_has_the_types_of_the_training():
    columns = (
        Column("bit", "categorical", "int8", categories=(0, 1)),
        Column("half", "categorical", "float32", categories=(0.0, 1.0)),
        Column("text", "categorical", "str", categories=("a", "b")),
        Column("flag", "categorical", "bool", categories=(False, True)),
    )
    types = {name: str(dtype) for name, dtype in stored_types(Schema(columns)).items()}
    assert types == {"bit": "int8", "half": "float", "text": "string", "flag": "bool"}
