"""The encoder normalizes its codes to the mean and standard deviation of the prior."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, load_model, networks, priors

SHAPE, Z_DIM = (8, 8, 1), 3
SMALL = {"hidden_units": 16, "input_noise": 0.0}


def encoder_of(prior, **settings):
    keras.utils.set_random_seed(0)
    return networks.encoder(SHAPE, Z_DIM, prior=prior, **SMALL, **settings)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).uniform(size=(2000, *SHAPE)).astype("float32")


def settle(encoder, x, epochs=40):
    """Updates the moving statistics, without any training."""
    update = tf.function(lambda x: encoder(x, training=True))
    for _ in range(epochs):
        for i in range(0, len(x), 200):
            update(x[i : i + 200])


class Shifted(priors.Prior):
    def __call__(self, n, dim, seed):
        return priors.Gaussian(std=0.5)(n, dim, seed) + [4.0, -20.0, 0.0]

    def get_config(self):
        return {}


@pytest.mark.parametrize(
    "prior", [priors.Gaussian(std=5.0), Shifted()], ids=["gaussian", "shifted"]
)
def test_the_codes_have_the_moments_of_the_prior(prior, x):
    encoder = encoder_of(prior)
    settle(encoder, x)
    mean, std = priors.moments(prior, Z_DIM)
    z = encoder.predict(x, verbose=0)
    assert (z.mean(axis=0) - mean) / std == pytest.approx(0, abs=0.05)
    assert z.std(axis=0) / std == pytest.approx(1, abs=0.05)


def test_a_code_does_not_depend_on_the_other_images_of_the_minibatch_by_its_normalization(x):
    """The normalization of the features does; that of the codes has moving statistics."""
    encoder = encoder_of(priors.Gaussian(std=5.0))
    settle(encoder, x)
    normalization = encoder.get_layer("encoder_z_normalized")
    z = np.random.default_rng(1).normal(size=(4, Z_DIM)).astype("float32")
    both = normalization(z, training=False).numpy(), normalization(z, training=True).numpy()
    assert both[0] == pytest.approx(both[1], abs=0.1)
    assert abs(both[1].mean(axis=0)).max() > 0.2  # The minibatch is not centred.


def test_no_gradient_changes_the_mean_or_the_scale_before_the_normalization(x):
    """They have no effect, so their drift would only change the effective learning rate."""
    encoder = encoder_of(priors.Gaussian(std=5.0))
    settle(encoder, x, epochs=1)
    normalization = encoder.get_layer("encoder_z_normalized")
    z = tf.constant(np.random.default_rng(1).normal(2.0, 3.0, (200, Z_DIM)), "float32")
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = tf.reduce_sum(tf.nn.softplus(normalization(z, training=True)))
    gradient = tape.gradient(loss, z)
    assert np.abs(gradient).max() > 0.01
    standard = (z - tf.reduce_mean(z, axis=0)) / tf.math.reduce_std(z, axis=0)
    assert tf.reduce_sum(gradient, axis=0).numpy() == pytest.approx(0, abs=1e-3)
    assert tf.reduce_sum(gradient * standard, axis=0).numpy() == pytest.approx(0, abs=1e-2)


@pytest.mark.parametrize(
    "settings", [{"normalize_codes": False}, {"posterior": "gaussian"}], ids=["off", "gaussian"]
)
def test_other_outputs_are_not_normalized(settings):
    names = [layer.name for layer in encoder_of(priors.Gaussian(), **settings).layers]
    assert "encoder_z_normalized" not in names


def test_a_saved_model_keeps_the_normalization(x, tmp_path):
    prior = priors.Gaussian(std=5.0)
    model = AdversarialAutoencoder(
        encoder_of(prior),
        networks.decoder(SHAPE, Z_DIM, hidden_units=16),
        networks.discriminator(Z_DIM, prior=prior, hidden_units=16),
        prior=prior,
    )
    model.compile()
    model.fit(x[:500], batch_size=50, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.encode(x[:100]), model.encode(x[:100]))
    statistics = loaded.encoder.get_layer("encoder_z_normalized").moving_mean
    assert abs(np.asarray(statistics)).max() > 0


def test_a_prior_without_a_spread_cannot_scale_the_codes():
    with pytest.raises(ValueError, match="standard deviation above 0"):
        encoder_of(priors.Samples(np.ones((5, Z_DIM))))
