"""Tables: what the readers infer, what the networks see, and what a model gives back."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, data, load_model, networks
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.observations import Columns, Pixels
from adversarial_autoencoder.tables import Column, Schema
from adversarial_autoencoder.tables.text import rows_as_text

pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")

RNG = np.random.default_rng(0)
N = 240
FRAME = pd.DataFrame(
    {
        "age": RNG.integers(18, 90, N),
        "income": np.exp(3 * RNG.normal(size=N)),
        "job": RNG.choice(["none", "farmer", "doctor"], N, p=[0.5, 0.3, 0.2]),
        "owner": RNG.random(N) < 0.4,
        "size": pd.Categorical(RNG.choice(["s", "m", "l"], N), ["s", "m", "l"]),
        "zero": np.zeros(N),
        "weight": RNG.normal(70, 9, N).astype("float32"),
        "kids": pd.array(RNG.integers(0, 4, N), "Int64"),
    }
)
FRAME.loc[::9, "weight"] = np.nan
FRAME.loc[::7, "kids"] = pd.NA
FRAME.loc[::11, "job"] = None


def load(tmp_path, text, name="t.csv", **options):
    """Loads a table from a text, without warnings."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    return data.load(tmp_path / name, warn=lambda text: None, options=data.TableOptions(**options))


def column(dataset, name):
    """A column of all rows, in no order."""
    i = dataset.schema.names.index(name)
    parts = (dataset.x_train, dataset.x_validation, dataset.x_test)
    return np.concatenate([part[:, i] for part in parts])


def model_of(schema, **kwargs):
    """A small model of a table."""
    keras.utils.set_random_seed(3)
    shape = (schema.width,)
    model = AdversarialAutoencoder(
        networks.encoder(shape, 2, hidden_units=16),
        networks.decoder(shape, 2, hidden_units=16),
        networks.discriminator(2, hidden_units=16),
        observation=Columns(schema),
        **kwargs,
    )
    model.compile("adam")
    return model


@pytest.fixture(scope="module")
def schema():
    """The schema of FRAME."""
    return Columns.of(FRAME).schema


@pytest.fixture(scope="module")
def trained(schema):
    """A model that was trained on FRAME."""
    model = model_of(schema)
    model.fit(FRAME, epochs=2, batch_size=40, verbose=0)
    return model


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


def test_what_is_probably_wrong_is_warned_about(tmp_path):
    rows = "".join(f"{i},1,{1.7e9 + i % 7:.0f},{(i * 7) % 5}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(",one,time,n\n" + rows)
    warnings = []
    data.load(tmp_path / "t.csv", warn=warnings.append)
    text = "\n".join(warnings)
    assert "column_1 numbers the rows" in text
    assert "constant in the training rows" in text and "one" in text
    assert "column time are large and lie close together" in text


def test_parquet_and_csv_give_the_same_table(tmp_path):
    frame = FRAME.drop(columns=["size", "kids"])
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


def test_numbers_are_standardized_and_restored(schema):
    observation = Columns(schema)
    x = observation.to_array(FRAME)
    seen = observation.prepare(x).numpy()
    assert seen.shape == (N, schema.width)
    assert np.isfinite(seen).all()
    numeric = seen[:, : len(schema.indices(numeric=True))]
    for i, place in enumerate(schema.indices(numeric=True)):
        if not schema.columns[place].constant:
            known = np.isfinite(x[:, place])
            np.testing.assert_allclose(numeric[known, i].mean(), 0, atol=1e-4)
            np.testing.assert_allclose(numeric[known, i].std(), 1, atol=1e-3)
    # Logits that name the categories and the missing values, and the numbers.
    logits = np.where(seen > 0.5, 30.0, -30.0)
    logits[:, : numeric.shape[1]] = numeric
    np.testing.assert_allclose(observation.restore(logits), x, rtol=2e-5, atol=1e-5)


def test_heavy_tails_do_not_leave_the_other_numbers_without_a_spread():
    values = np.concatenate([RNG.normal(size=1000), [1e9]]).astype("float32")
    fitted = Column("a").fitted(values)
    assert fitted.heavy
    observation = Columns(Schema((fitted,)))
    seen = observation.prepare(values[:, None]).numpy()
    assert seen[:1000].std() > 0.3
    np.testing.assert_allclose(observation.restore(seen)[:, 0], values, rtol=1e-4, atol=1e-4)


def test_one_number_among_many_equal_ones_stays_near_them():
    values = np.zeros((10_000, 1), "float32")
    values[7] = 5
    observation = Columns(Schema.of_array(values))
    seen = observation.prepare(values).numpy()
    assert 1 < seen.max() <= 10.01
    np.testing.assert_allclose(observation.restore(seen), values, atol=1e-4)


def test_a_constant_column_is_0_and_stays_constant():
    observation = Columns(Schema.of_array(np.array([[3.0, 1], [3, 2], [3, 3]])))
    seen = observation.prepare(np.array([[3.0, 1], [1e9, 2]], "float32")).numpy()
    np.testing.assert_allclose(seen[:, 0], 0, atol=1e-9)
    np.testing.assert_array_equal(observation.restore(seen + 4)[:, 0], [3, 3])


def test_a_table_of_categories_alone(tmp_path):
    frame = pd.DataFrame({"a": list("xyzx") * 20, "b": [True, False] * 40})
    model = model_of(Columns.of(frame).schema)
    model.fit(frame, batch_size=20, verbose=0)
    assert set(model.generate(20)["a"]) <= set("xyz")
    model.export(tmp_path / "exported")
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    assert loaded.serve(np.array([[0, 1]], "float32")).shape == (1, 2)


@pytest.mark.parametrize("scale", [1e-25, 1e-9, 1, 1e9, 1e25])
def test_numbers_of_any_unit_are_standardized(scale):
    values = (RNG.normal(5, 1, (500, 1)) * scale).astype("float32")
    observation = Columns(Schema.of_array(values))
    seen = observation.prepare(values).numpy()
    np.testing.assert_allclose(seen.std(), 1, rtol=1e-3)
    np.testing.assert_allclose(observation.restore(seen), values, rtol=1e-4)


def test_the_loss_has_a_closed_form():
    columns = (
        Column("a", mean=0.0, std=1.0, low=-9, high=9),
        Column("c", "categorical", "str", categories=("x", "y")),
        Column("b", missing=True, low=-9, high=9),
    )
    observation = Columns(Schema(columns))
    x = observation.prepare(np.array([[1, 0, 2], [0, 1, np.nan]], "float32"))
    # Numbers a and b, the indicator of b, the logits of x and y.
    outputs = tf.constant([[0.0, 0, 0, 0, 0], [2, 5, 0, 0, 0]])
    squared = (1 + 4 + 4) / 2  # The missing number does not count.
    expected = (squared + 2 * np.log(2)) / 3
    np.testing.assert_allclose(observation.loss(x, outputs), expected, rtol=1e-6)


def test_categories_are_drawn_with_their_probabilities():
    schema = Schema((Column("c", "categorical", "str", categories=("x", "y", "z")),))
    outputs = tf.tile(tf.math.log([[0.5, 0.3, 0.2]]), (20_000, 1))
    drawn = Columns(schema).restore(outputs, tf.constant([1, 2], "int64"))[:, 0]
    shares = np.bincount(drawn.numpy().astype(int)) / 20_000
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=0.02)
    assert not Columns(schema).restore(outputs).numpy().any()


def test_a_model_takes_and_gives_dataframes(trained):
    assert trained.encode(FRAME).shape == (N, 2)
    for frame in (trained.predict(FRAME, verbose=0), trained.generate(50)):
        assert list(frame.columns) == list(FRAME.columns)
        assert frame["age"].dtype == FRAME["age"].dtype
        assert frame["weight"].dtype == "float32"
        assert frame["owner"].dtype == bool
        assert list(frame["size"].cat.categories) == ["s", "m", "l"]
        assert set(frame["job"].dropna()) <= {"none", "farmer", "doctor"}
        assert frame["age"].between(FRAME["age"].min(), FRAME["age"].max()).all()
        assert (frame["zero"] == 0).all()
    # A column more, and another order, change nothing.
    other = FRAME[FRAME.columns[::-1]].assign(extra=1)
    np.testing.assert_array_equal(trained.encode(other), trained.encode(FRAME))


def test_a_saved_model_keeps_its_columns_and_holds_no_pickle(trained, tmp_path):
    trained.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    pd.testing.assert_frame_equal(loaded.generate(30, seed=4), trained.generate(30, seed=4))
    assert loaded.observation.schema == trained.observation.schema


def test_a_dataframe_that_does_not_fit_is_refused(trained):
    with pytest.raises(InputError, match="no column job"):
        trained.encode(FRAME.drop(columns="job"))
    with pytest.raises(InputError, match="Column age must hold numbers"):
        trained.encode(FRAME.assign(age="old"))
    with pytest.raises(InputError, match="values of one type"):
        Columns.of(FRAME.assign(age=[1, "x"] * (N // 2)))
    with pytest.raises(InputError, match="must hold numbers, texts or booleans"):
        Columns.of(FRAME.assign(day=pd.Timestamp("2020-01-01")))


def test_an_array_that_does_not_fit_is_refused(trained):
    x = trained.observation.to_array(FRAME)
    with pytest.raises(InputError, match="must have the shape"):
        trained.encode(x[:, :3])
    wrong = x.copy()
    wrong[0, 2] = 7
    with pytest.raises(InputError, match="indices of its 3 categories"):
        trained.encode(wrong)
    wrong = x.copy()
    wrong[0, 0] = np.inf
    with pytest.raises(InputError, match="finite"):
        trained.encode(wrong)


def test_networks_must_have_the_width_of_the_schema(schema):
    shape = (schema.width + 1,)
    with pytest.raises(ValueError, match="the width of the schema"):
        AdversarialAutoencoder(
            networks.encoder(shape, 2, hidden_units=4),
            networks.decoder(shape, 2, hidden_units=4),
            observation=Columns(schema),
        )


def test_images_are_the_default():
    model = AdversarialAutoencoder(
        networks.encoder((4, 4), 2, hidden_units=4),
        networks.decoder((4, 4), 2, hidden_units=4),
        reconstruction_loss="bce",
    )
    assert isinstance(model.observation, Pixels)
    assert model.observation.loss_name == "bce"


def test_rows_are_written_with_the_types_of_the_file(tmp_path):
    texts = ("x", '"y,z"')
    text = "n,f,c,b\n" + "".join(
        f"{i},{i}.25,{texts[i % 2]},{('true', 'false')[i % 2]}\n" for i in range(20)
    )
    dataset = load(tmp_path, text)
    rows = list(rows_as_text(dataset.x_train, dataset.schema))
    assert {(r[2], r[3]) for r in rows} == {("x", "True"), ("y,z", "False")}
    assert all(r[1] == f"{r[0]}.25" for r in rows)
