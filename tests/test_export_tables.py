"""Exported parts of models of tables give what the model gives."""

import json

import numpy as np
import pytest
from helpers import config_of

from adversarial_autoencoder import training
from adversarial_autoencoder.export import files
from adversarial_autoencoder.export.parts import expected_outputs, parts_of
from adversarial_autoencoder.export.rows import Rows
from adversarial_autoencoder.observations import Columns
from adversarial_autoencoder.systems import SYSTEMS
from adversarial_autoencoder.tables import Column, Schema

RNG = np.random.default_rng(0)
N = 200
# Numbers of very different size, heavy tails, a frequent number, missing values, and categories.
X = np.stack(
    [
        RNG.normal(5e6, 1e5, N),
        np.where(RNG.random(N) < 0.6, 0, np.exp(4 * RNG.normal(size=N))),
        RNG.integers(0, 3, N),
        np.where(RNG.random(N) < 0.2, np.nan, RNG.integers(10, 99, N)),
        np.where(RNG.random(N) < 0.2, np.nan, RNG.integers(0, 2, N)),
        np.full(N, 7),
    ],
    axis=1,
).astype("float32")
X[5, 1] = 1e9
SCHEMA = Schema(
    (
        Column("large"),
        Column("tail"),
        Column("job", "categorical", "str", categories=("a", "b", "c")),
        Column("age", dtype="int64"),
        Column("flag", "categorical", "bool", missing=True, categories=(False, True)),
        Column("constant", dtype="int64"),
    )
).fitted(X)
NUMBERS = Schema((SCHEMA.columns[0], SCHEMA.columns[3])), X[:, [0, 3]]
CATEGORIES = Schema((SCHEMA.columns[2], SCHEMA.columns[4])), X[:, [2, 4]]

FORMATS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            any(files.importlib.util.find_spec(package) is None for package in packages),
            reason=f"needs {', '.join(packages)}",
        ),
    )
    for name, packages in files.FORMATS.items()
]


def model_of(system="aae", schema=SCHEMA, **settings):
    """A model with random weights."""
    config = config_of(system, **settings)
    shares = [0.5, 0.5] if config.uses_labels else None
    return training.build(config, (len(schema.columns),), shares, schema)


def assert_parts_agree(model, x, y=None):
    parts, expected = parts_of(model, "float32"), expected_outputs(model, x, y)
    assert parts.keys() == expected.keys()
    units = {"decoder": Rows(model.observation.schema).units}
    for name, (inputs, output) in expected.items():
        received = parts[name].predict(inputs, verbose=0)
        scale = units.get(name, max(1, np.abs(output).max()))
        np.testing.assert_allclose(received / scale, output / scale, rtol=0, atol=2e-5)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_parts_of_a_system_agree_with_its_model(system):
    model = model_of(system, **({"num_labels": 10} if system == "semi_supervised_aae" else {}))
    y = np.arange(N) % 2 if SYSTEMS[system].y == "given" else None
    assert_parts_agree(model, X, y)


def test_the_schema_of_the_tests_has_each_kind_of_column():
    assert SCHEMA.columns[1].heavy
    assert SCHEMA.columns[1].frequent == 0
    assert SCHEMA.columns[3].missing


@pytest.mark.parametrize(("schema", "x"), [NUMBERS, CATEGORIES], ids=["numbers", "categories"])
def test_tables_of_one_kind_of_columns(schema, x):
    assert_parts_agree(model_of(schema=schema), x)


def test_noise_inputs_are_0():
    assert_parts_agree(model_of(noise_dim=3, posterior="universal"), X)


def test_values_that_training_did_not_have_are_prepared_as_by_the_model():
    rows = np.array([[1e12, -1e20, np.nan, 1e29, 1, -5], [-1e12, 1e25, 2, 0, np.nan, 8]], "float32")
    prepared = Rows(SCHEMA).prepare(rows)
    np.testing.assert_allclose(prepared, Columns(SCHEMA).prepare(rows), rtol=1e-5)


def test_outputs_far_outside_stay_in_the_range():
    outputs = np.linspace(-1e6, 1e6, 7, dtype="float32")[:, None] * np.ones(SCHEMA.width, "float32")
    restored = np.asarray(Rows(SCHEMA).restore(outputs))
    expected = Columns(SCHEMA).distribution(outputs).numpy()
    assert np.isfinite(restored).all()
    np.testing.assert_allclose(restored, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.slow
def test_the_files_of_a_format_agree_and_have_a_schema(format, tmp_path, capfd):
    exported = files.export_files(model_of("aae"), tmp_path / "export", format, X)
    assert capfd.readouterr() == ("", "")
    parts = {name: value for path in exported.values() for name, value in path.items()}
    assert parts.keys() == {"encoder", "decoder", "scorer"}
    assert max(parts.values()) < 1e-4
    assert set((tmp_path / "export").iterdir()) == set(exported)


def test_the_schema_says_where_each_column_is(tmp_path):
    model = model_of()
    exported = files.export_files(model, tmp_path, "keras", X)
    assert list(exported)[-1] == tmp_path / "columns.json"
    schema = json.loads((tmp_path / "columns.json").read_text())
    decoder = files.keras.saving.load_model(tmp_path / "decoder.keras")
    z = RNG.normal(0, 9, (50, 2)).astype("float32")
    output, rows = decoder.predict({"z": z}, verbose=0), model.decode(z)
    assert output.shape == (50, schema["width"])
    assert [column["name"] for column in schema["columns"]] == list(SCHEMA.names)
    for column, values in zip(schema["columns"], rows.T, strict=True):
        places = column["outputs"]
        if column["kind"] == "categorical":
            index = output[:, places["probabilities"]].argmax(axis=1)
            missing = column["categories"][-1] is None
            absent = np.isnan(values)
            assert (index[~absent] == values[~absent]).all()
            assert missing or not absent.any()
            continue
        number = output[:, places["number"]]
        number = np.round(number) if column["whole"] else number
        if "frequent" in places:
            often = output[:, places["frequent"]] > 0.5
            number = np.where(often, column["frequent"], number)
        if "missing" in places:
            number = np.where(output[:, places["missing"]] > 0.5, np.nan, number)
        np.testing.assert_allclose(number, values, rtol=1e-4, atol=1e-4 * column["high"])
