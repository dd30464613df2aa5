"""What several test files share: small real data, and models small enough to train in a second."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from adversarial_autoencoder import AdversarialAutoencoder, networks

# A second device for the tests of several; the others use the first.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


@pytest.fixture(scope="session")
def program():
    """run.py as a module, with its flags defined; it is the whole program but for the process."""
    import run

    run.define_flags()
    return run


@pytest.fixture(scope="session")
def digits():
    """1797 real handwritten digits, uint8, shape (1797, 8, 8, 1)."""
    return (load_digits().images * (255 / 16)).round().astype("uint8")[..., None]


@pytest.fixture
def make_model():
    """Builds small models for the digits: `make_model(z_dim=2, dropout=0.0, **model_arguments)`."""

    def make(z_dim=2, dropout=0.0, **kwargs):
        keras.utils.set_random_seed(7)
        hidden = {"hidden_units": 24, "hidden_layers": 2, "dropout": dropout}
        model = AdversarialAutoencoder(
            networks.encoder((8, 8, 1), z_dim, **hidden),
            networks.decoder((8, 8, 1), z_dim, **hidden),
            networks.discriminator(z_dim, **hidden),
            **kwargs,
        )
        model.compile(keras.optimizers.Adam(1e-3))
        return model

    return make
