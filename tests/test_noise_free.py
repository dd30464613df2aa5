"""The view of a network without noise, which the consistency loss compares images in."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import equal

from adversarial_autoencoder import networks
from adversarial_autoencoder.model.noise_free import NoiseFree

NOISE = {"dropout": 0.5, "input_noise": 0.3, "batch_norm": True}


@pytest.fixture(params=["gaussian", "masking"])
def noisy(request):
    """An encoder with dropout, input noise and batch normalization."""
    keras.utils.set_random_seed(7)
    return networks.encoder(
        (8, 8, 1), 2, num_classes=3, hidden_units=16, corruption=request.param, **NOISE
    )


@pytest.fixture
def x(digits):
    return tf.constant(digits[:50] / 255.0, "float32")


def strengths(network):
    return [
        (layer.name, name, getattr(layer, name))
        for layer in network.layers
        for name in ("rate", "stddev")
        if hasattr(layer, name)
    ]


def values(network):
    return [variable.numpy() for variable in network.variables]


def outputs(network, x):
    return [head.numpy() for head in network(x, training=True).values()]


def test_the_ordinary_pass_is_noisy_and_moves_the_statistics(noisy, x):
    before = values(noisy)
    one, other = outputs(noisy, x), outputs(noisy, x)
    assert not any(np.allclose(a, b) for a, b in zip(one, other, strict=True))
    assert not equal(before, values(noisy))


def test_the_noise_free_pass_repeats_and_changes_nothing(noisy, x):
    view = NoiseFree(noisy)
    before, noise = values(noisy), strengths(noisy)
    assert len(noise) >= 2
    assert all(strength > 0 for *_, strength in noise)
    one, other = outputs(view, x), outputs(view, x)
    assert equal(one, other)
    assert equal(before, values(noisy))
    assert strengths(noisy) == noise
    # The noise is still there for the other phases.
    ordinary = outputs(noisy, x)
    assert not any(np.allclose(a, b) for a, b in zip(one, ordinary, strict=True))


def test_the_noise_free_pass_in_a_graph_changes_nothing(noisy, x):
    view = NoiseFree(noisy)
    before = values(noisy)
    run = tf.function(lambda: view(x, training=True))
    one, other = ([head.numpy() for head in run().values()] for _ in range(2))
    assert equal(one, other)
    assert equal(before, values(noisy))
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(one, outputs(view, x), strict=True))


def test_the_noise_free_pass_normalizes_with_the_minibatch(noisy, x):
    """Then the outputs for a minibatch equal those of the same network without noise."""
    keras.utils.set_random_seed(7)
    quiet = NOISE | {"dropout": 0.0, "input_noise": 0.0}
    clean = networks.encoder((8, 8, 1), 2, num_classes=3, hidden_units=16, **quiet)
    clean.set_weights([v.numpy() for v in noisy.variables if v.name != "seed_generator_state"])
    one, expected = outputs(NoiseFree(noisy), x), outputs(clean, x)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(one, expected, strict=True))


def test_the_view_follows_the_weights_of_the_network(noisy, x):
    view = NoiseFree(noisy)
    before = outputs(view, x)
    kernel = noisy.get_layer("encoder_y").kernel
    kernel.assign(2 * kernel)
    bias = noisy.get_layer("encoder_y").bias
    y_before, y = before[1], view(x, training=True)["y"].numpy()
    assert np.allclose(y - bias, 2 * (y_before - bias), atol=1e-5)
    assert np.array_equal(before[0], view(x, training=True)["z"])


def test_noise_inside_a_wrapper_is_left_out_too(x):
    layers = keras.layers
    inputs = keras.Input((8, 8, 1))
    h = layers.TimeDistributed(layers.Dropout(0.5))(inputs)
    h = layers.Bidirectional(layers.LSTM(4, dropout=0.5))(layers.Reshape((8, 8))(h))
    network = keras.Model(inputs, {"y": layers.Dense(3)(h)})
    one, other = outputs(network, x), outputs(network, x)
    assert not np.allclose(one, other)
    view = NoiseFree(network)
    assert equal(outputs(view, x), outputs(view, x))
    expected = network(x, training=False)["y"].numpy()
    assert np.allclose(outputs(view, x)[0], expected, atol=1e-5)


def test_gradients_reach_the_variables_of_the_network(noisy, x):
    view = NoiseFree(noisy)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(view(x, training=True)["y"]))
    kernel = noisy.get_layer("encoder_dense_0").kernel
    assert np.abs(tape.gradient(loss, kernel.value)).max() > 0
