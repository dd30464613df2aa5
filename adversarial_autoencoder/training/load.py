"""Loads the trained model of a run."""

import contextlib
import warnings
import zipfile

import keras

from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.training.build import users_function


def load(run):
    """Loads the trained model of a run.

    Raises:
        InputError: If it cannot be read.
    """
    config, _ = run.read_config()
    if config.prior_function:
        users_function(config.prior)
    with reading(run):
        model = keras.saving.load_model(run.model_path, compile=False)
    if not isinstance(model, AdversarialAutoencoder) or model.z_dim != config.z_dim:
        raise InputError(
            f"model.keras of the run {run.name} must be the model of its config.json, with z_dim "
            f"{config.z_dim}. Received: {type(model).__name__}"
        )
    return model


@contextlib.contextmanager
def reading(run):
    try:
        # Keras only warns where a file lacks a part of the model's or its optimizers' state.
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            yield
    except (UserWarning, OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"The run {run.name} must have a readable model.keras. "
            f"Received: {type(error).__name__} in {run.path}"
        ) from error
