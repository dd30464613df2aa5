"""Several devices in one process: the weights are those of one device."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import DIVIDED, assert_close, train_on_devices, weights_of

from adversarial_autoencoder import data, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.devices.strategy import make_strategy
from adversarial_autoencoder.errors import InputError


@pytest.fixture(scope="module")
def mirrored():
    """A strategy over the two logical devices that conftest.py makes."""
    strategy = make_strategy(Config(strategy="mirrored"))
    assert strategy.num_replicas_in_sync == 2
    return strategy


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(
            {
                "model": "semi_supervised_aae",
                "num_labels": 50,
                "posterior": "gaussian",
                "batch_norm": True,
            },
            id="semi_supervised",
        ),
        pytest.param(
            {
                "model": "clustering_aae",
                "consistency": "vat",
                "vat_epsilon": 0.5,
                "vat_warmup": 0,
                "information_weight": 0.0,  # It compares the images of one replica.
                "batch_norm": True,
            },
            id="vat",
            marks=pytest.mark.long,
        ),
        pytest.param(
            {
                "prior": "gaussian_mixture",
                "condition_prior_on_labels": True,
                "num_labels": 500,
                "posterior": "universal",
                "adversarial_loss": "wasserstein_gp",
            },
            id="conditional",
            marks=pytest.mark.long,
        ),
    ],
)
def test_replicas_train_to_the_weights_of_one_device(mirrored, settings):
    one, logs_of_one = train_on_devices(settings)
    several, logs = train_on_devices(settings, mirrored)
    assert_close(weights_of(several), weights_of(one), 1e-4)
    for name in logs:
        assert logs[name] == pytest.approx(logs_of_one[name], abs=1e-3), name
    # The last minibatch of 201 images has one image, so one replica has none.
    digits = data.load("digits")
    x, y = digits.x_test[:201], digits.y_test[:201].astype("int32")
    y = y if several.uses_labels else None
    evaluated = several.evaluate(x, y, batch_size=50, verbose=0, return_dict=True)
    assert np.isfinite(list(evaluated.values())).all()


@pytest.mark.long
def test_a_model_built_in_the_scope_of_a_strategy_trains_to_the_same_weights(
    make_model, digits, mirrored
):
    """With Adam, over minibatches that Keras divides."""
    one = make_model()
    with mirrored.scope():
        several = make_model()
    for model in (one, several):
        model.fit(digits[:1000], batch_size=100, epochs=2, shuffle=False, verbose=0)
    assert_close(weights_of(several), weights_of(one), 2e-3)
    # The last minibatch of 201 images has one image, so one replica has none.
    a, b = (
        m.evaluate(digits[:201], batch_size=50, verbose=0, return_dict=True) for m in (one, several)
    )
    assert b["reconstruction_loss"] == pytest.approx(a["reconstruction_loss"], abs=1e-4)
    assert np.isfinite(list(b.values())).all()


def test_replicas_draw_different_rows_of_the_noise_of_one_device(mirrored):
    def draw(n):
        return tf.random.stateless_normal((n, 3), (1, 2))

    assert np.array_equal(replicas.own_rows(draw, 4), draw(4))
    parts = mirrored.run(lambda: replicas.own_rows(draw, 4)).values
    assert np.array_equal(np.concatenate(parts), draw(8))


def test_replicas_drop_different_units(mirrored):
    x = keras.Input((1000,))
    with mirrored.scope():
        model = keras.Model(x, keras.layers.Dropout(0.5)(x))
        replicas.seed_apart(model)
    seen = [mirrored.run(lambda: model(tf.ones((1, 1000)), training=True)).values for _ in range(2)]
    masks = [np.asarray(mask).ravel() > 0 for step in seen for mask in step]
    for i, mask in enumerate(masks):
        for other in masks[:i]:
            assert 400 < np.sum(mask != other) < 600


@pytest.mark.parametrize("stream", [False, True])
def test_the_parts_of_all_workers_are_the_minibatches_of_one_process(stream):
    n, batch, workers, replicas = 23, 8, 2, 4
    x = np.arange(n, dtype="uint8")
    labels = np.where(x % 2 == 0, 1, -1).astype("int32")

    def take(count, worker=None):
        batches = training_batches(x, batch, 0, 1, labels, labelled_stream=stream, worker=worker)
        return list(batches.take(count).as_numpy_iterator())

    whole, steps = take(6), 6
    of_worker = [
        take(steps * replicas // workers, tf.distribute.InputContext(workers, i, replicas))
        for i in range(workers)
    ]
    for step, expected in enumerate(whole):
        parts = [p for of_one in of_worker for p in of_one[2 * step : 2 * step + 2]]
        for key in expected:
            assert np.array_equal(np.concatenate([part[key] for part in parts]), expected[key])


def test_a_minibatch_that_cannot_be_divided_is_refused(mirrored):
    with pytest.raises(InputError, match="multiple of the 2 replicas. Received: batch_size=25"):
        make_strategy(Config(strategy="mirrored", batch_size=25))
    with pytest.raises(InputError, match="2 images on each of the 2 replicas.*batch_size=2"):
        make_strategy(Config.of(model="wae_mmd", strategy="mirrored", batch_size=2))
    config = Config(model="semi_supervised_aae", num_labels=15, strategy="mirrored")
    with pytest.raises(InputError, match="multiple of the 2 replicas. Received: num_labels=15"):
        make_strategy(config)


def test_information_needs_an_image_for_each_value_of_y_on_each_replica(mirrored):
    settings = {"model": "clustering_aae", "consistency": "vat", "information_weight": 0.1}
    config = Config.of(**DIVIDED | settings | {"num_clusters": 51, "batch_norm": False})
    digits = data.load("digits")
    training.check(config, digits)
    received = "at least 51 images.*on each of 2 replicas. Received: batch_size=100"
    with pytest.raises(InputError, match=received):
        training.check(config, digits, mirrored)
    with pytest.raises(InputError, match="51 images.*value of y. Received: batch_size=50"):
        training.check(dataclasses.replace(config, batch_size=50), digits)
    # With fewer values it trains.
    _, logs = train_on_devices(settings | {"batch_norm": False}, mirrored)
    assert np.isfinite(logs["information_loss"]).all()
