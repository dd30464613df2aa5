"""Columns of a table: what the networks see, their loss, and how values are restored."""

import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder.observations import Columns
from adversarial_autoencoder.tables import Column, Schema

RNG = np.random.default_rng(0)


def test_numbers_are_standardized_and_restored(people):
    schema = Columns.of(people).schema
    observation = Columns(schema)
    x = observation.to_array(people)
    seen = observation.prepare(x).numpy()
    assert seen.shape == (len(people), schema.width)
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


def test_a_frequent_number_has_an_indicator():
    values = np.where(np.arange(100) < 80, 0.0, np.arange(100.0))[:, None]
    values[99] = np.nan
    schema = Schema.of_array(values)
    assert (schema.columns[0].frequent, schema.width) == (0.0, 3)
    observation = Columns(schema)
    seen = observation.prepare(values).numpy()
    np.testing.assert_array_equal(seen[:, 1], np.isnan(values[:, 0]))
    np.testing.assert_array_equal(seen[:, 2], values[:, 0] == 0)
    # The number itself does not matter where the indicator is on.
    outputs = np.where(seen > 0.5, 30.0, -30.0)
    outputs[:, 0] = np.where(values[:, 0] == 0, 2.5, seen[:, 0])
    np.testing.assert_allclose(observation.restore(outputs), values, rtol=1e-5)
    assert Schema.of_array(np.arange(100.0)[:, None]).columns[0].frequent is None


def test_frequent_and_other_numbers_are_drawn_with_their_distribution():
    n = 20_000
    real = np.where(RNG.random(n) < 0.7, 0, RNG.normal(5, 1, n)).astype("float32")[:, None]
    observation = Columns(Schema.of_array(real))
    x = observation.prepare(real).numpy()
    # A decoder that knows no more than the mean of the other numbers and the fraction.
    others = real[:, 0] != 0
    outputs = np.tile([x[others, 0].mean(), np.log(0.7 / 0.3)], (n, 1)).astype("float32")
    assert len(np.unique(observation.restore(outputs))) == 1
    observation.measure([(x, outputs)])
    drawn = observation.restore(outputs, tf.constant([1, 2], "int64")).numpy()
    assert (drawn == 0).mean() == pytest.approx(0.7, abs=0.02)
    assert drawn[drawn != 0].mean() == pytest.approx(5, abs=0.1)
    assert drawn[drawn != 0].std() == pytest.approx(1, abs=0.05)
    assert real.min() <= drawn.min() <= drawn.max() <= real.max()


def test_the_spread_is_measured_on_known_numbers():
    x = np.array([[1, 4], [2, 5], [3, np.nan], [0, 9]], "float32")
    observation = Columns(Schema.of_array(x))
    seen = observation.prepare(x).numpy()
    errors = np.array([[1, 3], [-1, 0], [1, 5], [-1, 3]])
    outputs = seen + np.pad(errors, ((0, 0), (0, seen.shape[1] - 2)))
    observation.measure([(seen, outputs.astype("float32"))])
    np.testing.assert_allclose(observation.spread, [1, np.sqrt(6)], rtol=1e-5)
    again = Columns.from_config(observation.get_config())
    np.testing.assert_array_equal(again.spread, observation.spread)
