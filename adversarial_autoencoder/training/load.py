"""Loads the trained model of a run."""

import contextlib
import warnings
from collections.abc import Iterator

import keras
import tensorflow as tf

from adversarial_autoencoder.errors import InputError, reading
from adversarial_autoencoder.model import AdversarialAutoencoder, archive
from adversarial_autoencoder.training.users_function import users_function


def load(run):
    """Loads the trained model of a run, not compiled.

    Args:
        run: The `runs.Run`.

    Returns:
        An `AdversarialAutoencoder`.

    Raises:
        InputError: If it cannot be read.
    """
    model, _ = load_with_epochs(run)
    return model


def load_with_epochs(run):
    """Loads the trained model of a run, and its number of epochs, also while the run is trained.

    Args:
        run: The `runs.Run`.

    Returns:
        An `AdversarialAutoencoder`, not compiled, and the number of epochs that it was trained for.

    Raises:
        InputError: If it cannot be read.
    """
    config, _ = run.read_config()
    if config.prior_function:
        users_function(config.prior)
    with run.snapshot() as saved:
        epochs = saved.completed_epochs()
        with reading_model(run):
            archive.check(saved.model_path)
            model = keras.saving.load_model(saved.model_path, compile=False)
    if not isinstance(model, AdversarialAutoencoder) or model.z_dim != config.z_dim:
        raise InputError(
            f"model.keras of the run {run.name} must be the model of its config.json, with z_dim "
            f"{config.z_dim}. Received: {type(model).__name__}"
        )
    return model, epochs


@contextlib.contextmanager
def reading_model(run) -> Iterator[None]:
    """Turns the errors of Keras about a damaged file into an InputError.

    Args:
        run: The `runs.Run` whose model.keras is read.

    Raises:
        InputError: If the file cannot be read.
    """
    with (
        reading(
            f"The run {run.name} must have a readable model.keras",
            UserWarning,
            tf.errors.OpError,
            folder=run.path,
        ),
        # Keras only warns if a file lacks a part of the model's or of an optimizer's state.
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error", UserWarning)
        yield
