"""A user's files are read in batches, like those of the training, or refused in one line."""

import numpy as np
import pytest
from PIL import Image

from adversarial_autoencoder import data
from adversarial_autoencoder.config.image_form import ImageForm
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.tables import Column, Schema

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (7, 6, 5, 1), "uint8")


@pytest.fixture
def texts():
    return []


@pytest.fixture
def read(tmp_path, texts):
    """Reads a file in batches of 3; returns the key, the names and x."""

    def call(path, **kwargs):
        source = data.open_input(tmp_path / path, batch_size=3, warn=texts.append, **kwargs)
        names, parts = zip(*source, strict=True)
        assert all(len(part) <= 3 for part in parts)
        assert source.share == 1
        return source.key, [name for part in names for name in part], np.concatenate(parts)

    return call


@pytest.fixture
def refused(read, tmp_path):
    def call(path, message, **kwargs):
        with pytest.raises(InputError, match=message) as error:
            read(path, **kwargs)
        assert "Received: " in str(error.value)

    return call


def save_images(folder, x, suffix="png"):
    folder.mkdir()
    for i, image in enumerate(x):
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(
            folder / f"{i}.{suffix}"
        )


@pytest.mark.parametrize("kind", ["folder", "npz", "npy", "mat"])
def test_every_form_of_images_gives_the_same_batches(tmp_path, read, texts, kind):
    if kind == "folder":
        save_images(tmp_path / "a", X)
    elif kind == "npz":
        np.savez(tmp_path / "a", images=X)
    elif kind == "npy":
        np.save(tmp_path / "a", X[..., 0])
    else:
        pytest.importorskip("scipy.io").savemat(tmp_path / "a.mat", {"x": X})
    key, names, x = read("a" if kind == "folder" else f"a.{kind}", shape=(6, 5, 1))
    assert (x == X).all()
    assert x.dtype == np.uint8
    assert texts == []
    if kind == "folder":
        assert (key, names) == ("file", [f"{i}.png" for i in range(7)])
    else:
        assert (key, names) == ("index", list(range(7)))


@pytest.mark.parametrize("dtype", ["uint16", "int32", "int64"])
def test_integers_of_an_array_are_0_to_255(tmp_path, read, texts, dtype):
    np.save(tmp_path / "a.npy", X.astype(dtype))
    _, _, x = read("a.npy", shape=(6, 5, 1))
    assert x.dtype == np.uint8
    assert (x == X).all()
    assert texts == []


def test_images_are_prepared_as_at_the_training(tmp_path, read):
    """Size, channels and range of values are those of the form."""
    x = RNG.integers(0, 4096, (5, 12, 10), "uint16")
    np.save(tmp_path / "a.npy", x)
    form = ImageForm.of("6x5", "auto", "0,4095")
    _, _, small = read("a.npy", shape=(6, 5, 3), form=form)
    assert small.shape == (5, 6, 5, 3)  # A model of colour images takes grey ones.
    assert small.dtype == np.float32
    assert (small[..., 0] == small[..., 2]).all()
    assert abs(small.mean() - x.mean() / 4095) < 0.01
    save_images(tmp_path / "b", x[..., None])
    _, _, files = read("b", shape=(6, 5, 3), form=form)
    np.testing.assert_allclose(files, small, atol=2e-3)


def test_of_an_archive_only_the_training_images_are_read(tmp_path, read, texts):
    np.savez(tmp_path / "a.npz", x_train=X, x_test=X)
    assert len(read("a.npz", shape=(6, 5, 1))[2]) == 7
    assert texts == [f"Only x_train of {tmp_path / 'a.npz'} is used. Left out: x_test."]


def test_images_that_do_not_fit_are_refused(tmp_path, refused):
    save_images(tmp_path / "a", X)
    refused("a", r"shape \(6, 6, 1\) .* Received: \(6, 5, 1\)", shape=(6, 6, 1))
    form = ImageForm.of(value_range="0,100")
    refused("a", "value_range 0 to 100", shape=(6, 5, 1), form=form)
    # The last image is read in the last batch.
    Image.new("RGB", (5, 6), "red").save(tmp_path / "a" / "9.png")
    refused("a", r"Received: \(6, 5, 3\)", shape=(6, 5, 1))
    Image.new("L", (4, 6)).save(tmp_path / "a" / "9.png")
    refused("a", "must have the size of .*, 5x6 pixels. Received: ", shape=(6, 5, 1))
    (tmp_path / "a" / "9.png").write_bytes(b"no image")
    refused("a", "readable image", shape=(6, 5, 1))
    (tmp_path / "empty").mkdir()
    refused("empty", "must contain images", shape=(6, 5, 1))
    np.save(tmp_path / "none.npy", X[:0])
    refused("none.npy", "none.npy", shape=(6, 5, 1))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "none.npy").read_bytes()[:40])
    refused("cut.npy", "a readable .npy file", shape=(6, 5, 1))


def test_what_is_no_input_is_refused(tmp_path, refused):
    refused("missing", "a file or a folder that exists", shape=(6, 5, 1))
    (tmp_path / "a.csv").write_text("x\n1\n")
    refused("a.csv", "images, as in training", shape=(6, 5, 1))
    (tmp_path / "folder").mkdir()
    schema = Schema.of_array(np.eye(2, dtype="float32"))
    refused("folder", "a table, as in training", schema=schema)
    refused("missing.csv", "a file or a folder that exists", schema=schema)


@pytest.fixture
def schema():
    rows = np.array([[1, 0.5, 0], [2, 1.5, 1], [3, np.nan, 1]], "float32")
    pytest.importorskip("pyarrow")
    columns = (
        Column("n", dtype="int64"),
        Column("f", dtype="float64"),
        Column("c", "categorical", "str", categories=("x", "y")),
    )
    return Schema(columns).fitted(rows)


TABLE = "c,other,f,n\n" + "".join(
    f"{'xy'[i % 2]},o,{'' if i == 4 else i / 2},{i}\n" for i in range(8)
)


@pytest.fixture
def expected():
    x = np.array([[i, i / 2, i % 2] for i in range(8)], "float32")
    x[4, 1] = np.nan
    return x


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_every_form_of_a_table_gives_the_same_batches(
    tmp_path, read, schema, expected, texts, kind
):
    path = tmp_path / f"a.{kind}"
    if kind == "parquet":
        from pyarrow import csv, parquet

        (tmp_path / "a.csv").write_text(TABLE)
        parquet.write_table(csv.read_csv(tmp_path / "a.csv"), path, row_group_size=5)
    else:
        path.write_text(TABLE.replace(",", "\t") if kind == "tsv" else TABLE)
    key, names, x = read(path, schema=schema)
    assert (key, names) == ("row", list(range(1, 9)))
    np.testing.assert_array_equal(x, expected)
    assert texts == [f"Columns of {path} that the training did not have are left out: other."]
    texts.clear()
    read(path, schema=schema, unused=["other"])
    assert texts == []


@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_numbers_without_names_have_the_columns_of_the_training(tmp_path, read, refused, kind):
    x = RNG.normal(size=(8, 4))
    schema = Schema.of_array(x)
    np.savez(tmp_path / "a.npz", x=x)
    np.save(tmp_path / "a.npy", x)
    _, names, rows = read(f"a.{kind}", schema=schema)
    assert names == list(range(1, 9))
    assert (rows == x.astype("float32")).all()
    narrow = Schema.of_array(x[:, :3])
    refused(f"a.{kind}", "Received: 4 columns, 1 more", schema=narrow)
    assert read(f"a.{kind}", schema=narrow, unused=["column_4"])[2].shape == (8, 3)
    refused(f"a.{kind}", "must have the column column_5", schema=Schema.of_array(np.eye(5)))
    x[6, 2] = np.inf
    np.save(tmp_path / "a.npy", x)
    refused("a.npy", "row 1, counted from row 7", schema=schema)


@pytest.mark.parametrize("kind", ["npz", "npy", "mat", "csv"])
def test_categories_in_an_array_are_values_and_not_indices(
    tmp_path, read, refused, texts, monkeypatch, kind
):
    from adversarial_autoencoder.tables import arrow

    monkeypatch.setattr(arrow, "is_installed", lambda: False)
    names, path = ("column_1", "column_2", "column_3"), tmp_path / f"a.{kind}"
    categories = [(30, 10, 2**24 + 1), (False, True), ("02139", "02140")]
    columns = [
        Column(name, "categorical", categories=c) for name, c in zip(names, categories, strict=True)
    ]
    x = np.array([[10, 0], [2**24 + 1, 1], [1, np.nan], [30, 1], [2**24, 1]])

    def write(x):
        if kind == "csv":
            np.savetxt(path, x, "%.0f", ",", header=",".join(names[: x.shape[1]]), comments="")
        elif kind == "mat":
            pytest.importorskip("scipy.io").savemat(path, {"x": x})
        else:
            (np.save if kind == "npy" else np.savez)(path, x)

    write(x)
    _, _, rows = read(path, schema=Schema(tuple(columns[:2])))
    np.testing.assert_array_equal(rows[:, 0], [1, 2, np.nan, 0, np.nan])
    np.testing.assert_array_equal(rows[:, 1], [0, 1, np.nan, 1, 1])
    assert texts == [
        "2 values of column column_1 did not occur in training, such as 1. They count as missing.",
        "1 value of column column_2 is missing, which did not occur in training. For the networks "
        "it has no category.",
    ]
    write(np.column_stack([x, [np.nan] * 3 + [2139, np.nan]]))
    message = "with texts in column column_3, as in training. Received: the number 2139, counted"
    refused(path, message, schema=Schema(tuple(columns)))


def test_booleans_are_texts_or_0_and_1(tmp_path, read, refused, texts):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    schema = Schema((Column("b", "categorical", "bool", True, categories=(False, True)),))
    (tmp_path / "a.csv").write_text('b\nTrue\nfalse\n""\n1\n0\n')
    np.testing.assert_array_equal(read("a.csv", schema=schema)[2][:, 0], [1, 0, np.nan, 1, 0])
    message = "Column b .*must hold true or false, .* Received: banana in row 2"
    (tmp_path / "a.csv").write_text("b\ntrue\nbanana\n")
    refused("a.csv", message, schema=schema)
    pd.DataFrame({"b": ["TRUE", "banana"]}).to_parquet(tmp_path / "a.parquet")
    refused("a.parquet", message, schema=schema)
    pd.DataFrame({"b": [1, 0.5, np.nan, 0]}).to_parquet(tmp_path / "a.parquet")
    rows = read("a.parquet", schema=schema)[2]
    np.testing.assert_array_equal(rows[:, 0], [1, np.nan, np.nan, 0])
    assert [text.partition(" did")[0] for text in texts] == ["1 value of column b"]


def test_unseen_categories_are_counted_over_all_batches(tmp_path, read, schema, texts):
    """A small block is a batch of its own; the file has several of 4 MiB."""
    n = 690_000
    lines = (f"{i},0.5,{'z' if i % (n // 3) == 7 else 'x'}\n" for i in range(n))
    (tmp_path / "a.csv").write_text("n,f,c\n" + "".join(lines))
    assert (tmp_path / "a.csv").stat().st_size > 8 * 2**20
    rows, batches = 0, 0
    for names, x in data.open_input(tmp_path / "a.csv", schema=schema, warn=texts.append):
        assert names[0] == rows + 1
        assert x[0, 0] == rows
        rows, batches = rows + len(x), batches + 1
    assert rows == n
    assert batches >= 690
    (text,) = texts
    assert text.startswith("3 values of column c did not occur in training, such as z.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n,f\n1,2\n", r"must have the column c of the training\. Received: n, f"),
        ("n,f,cc\n1,2,x\n", "Did you mean cc"),
        ("n,f,c\n", "must contain rows"),
        ("", "must contain rows"),
        ("n,f,c\n1,2,x\n1,high,x\n", "Column f .* must hold numbers"),
        ("n,f,c\n1,2,x\n1,1e39,x\n", "finite"),
        ("n,f,c\n1,2\n", "as many values in each line"),
        ("n,f,c,c\n1,2,x,y\n", "different names"),
        ('n,f,c\n1,2,"x\n1,2,y\n', "close each quote|as many values"),
        ("n,f,c\n1,2,\u00e9\n", "UTF-8"),
    ],
    ids=["missing", "similar", "no rows", "empty", "text", "large", "short", "twice", "quote", "x"],
)
def test_tables_that_do_not_fit_are_refused(tmp_path, refused, schema, text, message):
    (tmp_path / "a.csv").write_bytes(text.encode("latin1"))
    refused("a.csv", message, schema=schema)


def test_missing_numbers_are_named_if_the_training_had_none(tmp_path, read, schema, texts):
    (tmp_path / "a.csv").write_text("n,f,c\n" + "1,,x\n,2,y\n" * 4)
    _, _, x = read("a.csv", schema=schema)
    assert np.isnan(x).sum(axis=0).tolist() == [4, 4, 0]
    assert len(texts) == 1
    assert texts[0].startswith("4 values of column n are missing, which did not occur in training")


def test_missing_categories_are_named_if_the_training_had_none(tmp_path, read, schema, texts):
    (tmp_path / "a.csv").write_text("n,f,c\n" + "1,2,\n1,2,NA\n1,2,new\n1,2,x\n")
    _, _, x = read("a.csv", schema=schema)
    assert np.isnan(x).sum(axis=0).tolist() == [0, 0, 3]
    assert texts[0].startswith("1 value of column c did not occur in training, such as new")
    assert texts[1:] == [
        "2 values of column c are missing, which did not occur in training. For the networks it "
        "has no category."
    ]


def test_nan_is_a_missing_category(tmp_path, read, texts):
    schema = Schema((Column("i", "categorical", "int64", categories=(0, 1), missing=True),))
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table({"i": pa.array([0.0, float("nan"), 1.0])}), tmp_path / "a.parquet")
    np.testing.assert_array_equal(read("a.parquet", schema=schema)[2][:, 0], [0, np.nan, 1])
    assert texts == []


def test_the_columns_of_an_array_count_in_the_order_of_the_training(tmp_path, read, refused, texts):
    schema = Schema((Column("height"), Column("weight")))
    x = RNG.normal(size=(5, 2)).astype("float32")
    np.savez(tmp_path / "a.npz", x=x)
    np.testing.assert_array_equal(read("a.npz", schema=schema)[2], x)
    assert texts[0].endswith("They count in the order of the training: height, weight.")
    np.save(tmp_path / "b.npy", np.column_stack([x, x]))
    refused("b.npy", "no names of columns. Received: 4 columns, 4 more", schema=schema)


def test_a_warning_names_no_flag_that_a_run_refuses(tmp_path, read, texts):
    np.save(tmp_path / "a.npy", X > 99)
    read("a.npy", shape=(6, 5, 1))
    (text,) = texts
    assert text.startswith("The values of x_train in")
    assert "--value_range" not in text


def test_a_damaged_parquet_file_is_refused(tmp_path, refused, schema):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    refused("a.parquet", "readable Parquet file", schema=schema)
