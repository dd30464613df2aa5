"""Loads a saved model."""

import keras

from adversarial_autoencoder.config.paths import expand_home


def load_model(path, **kwargs):
    """Loads a model that `AdversarialAutoencoder.save` wrote.

    It is `keras.saving.load_model`, but it works without a class of this package being imported
    before. A prior of your own must be registered with Keras, as for any model.

    Args:
        path: Path of the .keras file; or hf://user/name, a model on the Hugging Face hub that
            `save` wrote there. It needs the package huggingface-hub.
        **kwargs: Further arguments of `keras.saving.load_model`, such as `compile`.

    Returns:
        The `AdversarialAutoencoder`.
    """
    if "://" not in str(path):  # Keras reads hf://user/name by itself.
        path = expand_home(path, "path")
    return keras.saving.load_model(path, **kwargs)
