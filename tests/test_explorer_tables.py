"""The page of a table: rows decoded as by Keras, and shown beside the rows of the data."""

import keras
import numpy as np
import pytest
from helpers import config_of, content_of

from adversarial_autoencoder import training
from adversarial_autoencoder.export import explorer
from adversarial_autoencoder.export.rows import Rows
from adversarial_autoencoder.systems import SYSTEMS
from adversarial_autoencoder.tables import Column, Schema

RNG = np.random.default_rng(0)
N = 200
NAMES = ["young", "<old>"]
X = np.stack(
    [
        RNG.normal(2e6, 10, N),
        np.where(RNG.random(N) < 0.5, 0, np.exp(4 * RNG.normal(size=N))),
        RNG.integers(0, 3, N),
        np.where(RNG.random(N) < 0.5, np.nan, RNG.integers(10, 99, N)),
        np.where(RNG.random(N) < 0.5, np.nan, RNG.integers(0, 2, N)),
        np.full(N, 7),
    ],
    axis=1,
).astype("float32")
X[5, 1] = 1e9
SCHEMA = Schema(
    (
        Column("large"),
        Column("tail"),
        Column("job", "categorical", "str", categories=("a<b", "b", "c")),
        Column("age", dtype="int64"),
        Column("flag", "categorical", "bool", missing=True, categories=(False, True)),
        Column("constant", dtype="int64"),
    )
).fitted(X)
LABELS = np.arange(N) % 2


def model_of(system="aae", schema=SCHEMA, **settings):
    """A model with random weights."""
    config = config_of(system, **settings)
    shares = [0.5, 0.5] if config.uses_labels else None
    return training.build(config, (len(schema.columns),), shares, schema)


def distribution(model, z, y):
    """What Keras decodes, as shares of the range of each column."""
    codes = {"z": z} if y is None else {"z": z, "y": y}
    codes = {name: keras.ops.array(c) for name, c in codes.items()}
    values = model.observation.distribution(model.decode_logits(codes, training=False)).numpy()
    return shares(values, model.observation.schema)


def shares(values, schema):
    low = np.zeros(schema.width)
    numeric = [column.low for column in schema.columns if column.numeric]
    low[: len(numeric)] = numeric
    return (np.asarray(values, "float64") - low) / Rows(schema).units


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_decodes_rows_as_in_keras(system, run_in_node):
    model = model_of(system, **({"num_labels": 10} if system == "semi_supervised_aae" else {}))
    page = explorer.explorer_page(model, X, LABELS, NAMES)
    z = RNG.normal(0, 4, (6, model.z_dim)).astype("float32")
    y = (
        RNG.dirichlet(np.ones(model.num_classes), 6).astype("float32")
        if model.num_classes
        else None
    )
    codes = [{"z": row.tolist()} for row in z]
    for code, weights in zip(codes, [] if y is None else y, strict=False):
        code["y"] = weights.tolist()
    expected = distribution(model, z, y)
    assert expected.std() > 0.01
    received = shares(run_in_node(content_of(page)["decoder"], codes), SCHEMA)
    np.testing.assert_allclose(received, expected, rtol=0, atol=0.02)


@pytest.mark.parametrize("places", [[0, 3], [2, 4]], ids=["numbers", "categories"])
def test_tables_of_one_kind_of_columns(places, run_in_node):
    schema = Schema(tuple(SCHEMA.columns[i] for i in places))
    model = model_of(schema=schema)
    page = explorer.explorer_page(model, X[:, places])
    z = RNG.normal(0, 4, (6, 2)).astype("float32")
    received = run_in_node(content_of(page)["decoder"], [{"z": row.tolist()} for row in z])
    np.testing.assert_allclose(shares(received, schema), distribution(model, z, None), atol=0.02)


def test_the_page_has_the_rows_and_the_first_columns():
    x = RNG.normal(size=(3000, 150)).astype("float32")
    content = content_of(explorer.explorer_page(model_of(schema=Schema.of_array(x)), x))
    assert len(content["columns"]) == explorer.MAX_COLUMNS
    rows = np.frombuffer(explorer.base64.b64decode(content["rows"]), "<f4").reshape(-1, 150)
    assert rows.size <= explorer.MAX_NUMBERS
    assert content["rowWidth"] == 150
    assert "image" not in content


def cells(page, part):
    """The texts of a column of the page."""
    place = {"decoded": 2, "original": 3, "reconstruction": 4}[part]
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.locator(f"#row tbody tr :nth-child({place}) .value").all_inner_texts()


def test_chromium_says_that_columns_are_left_out(opened):
    x = RNG.normal(size=(50, 101)).astype("float32")
    few, many = (Schema.of_array(part) for part in (x[:, :100], x))
    page = opened(explorer.explorer_page(model_of(schema=many), x))
    assert "The page shows the first 100 of 101 columns." in page.locator("#help").inner_text()
    page = opened(explorer.explorer_page(model_of(schema=few), x[:, :100]))
    assert "The page shows" not in page.locator("#help").inner_text()


def test_chromium_shows_a_row_beside_its_reconstruction(opened):
    model = model_of("semi_supervised_aae", num_labels=10)
    page = opened(explorer.explorer_page(model, X, LABELS, NAMES, NAMES, title="A <table>"))
    assert float(page.evaluate("document.body.dataset.difference")) < 0.02
    assert page.locator("#problem").is_hidden()
    assert page.locator("#row tbody th").all_inner_texts() == list(SCHEMA.names)
    assert "image" not in page.locator("body").inner_text().lower()
    point = int(np.flatnonzero(np.isnan(X[:, 3]) & (X[:, 4] == 1))[0])
    page.evaluate(f"setNear({point})")
    texts = cells(page, "original")
    assert float(texts[0]) == pytest.approx(X[point, 0], rel=1e-3)
    assert texts[2:] == [("a<b", "b", "c")[int(X[point, 2])], "missing", "True", "7"]
    assert page.locator("#original-name").inner_text() == f"Nearest: {NAMES[point % 2]}"
    # The reconstruction is the decoded row of the code of the point.
    again = cells(page, "reconstruction")
    page.click("#use")
    cells(page, "decoded")  # The page has drawn its own row, with the most likely class alone.
    y = page.evaluate(f"[...yOfPoint({point})]")
    page.evaluate(f"showRow(decoded(codeOf({point}), {y}), 'decoded')")
    assert cells(page, "decoded") == again
    before = cells(page, "decoded")
    page.locator("#values button").nth(1 - int(np.argmax(y))).click()
    assert cells(page, "decoded") != before
    width = page.locator("#row .bar").first.evaluate("bar => bar.style.width")
    assert 0 <= float(width.rstrip("%")) <= 100


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_screen(width, opened):
    long = Schema((Column("x" * 99), Column("k", "categorical", "str", categories=("y" * 99, "z"))))
    x = np.stack([RNG.normal(size=N), RNG.integers(0, 2, N)], axis=1).astype("float32")
    text = explorer.explorer_page(model_of(schema=long.fitted(x)), x, title="t" * 200)
    page = opened(text, width, 800, is_mobile=width < 500, has_touch=True)
    page.evaluate("setNear(3)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
