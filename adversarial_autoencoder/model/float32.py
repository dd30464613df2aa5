"""Copies of networks that compute in float32, for programs that do not know bfloat16."""

import keras
import numpy as np
from keras import layers

from adversarial_autoencoder.networks.normalization import AveragedNormalization


def float32_copy(network):
    """Copies a network with its weights; it computes in float32 and has no penalties.

    Args:
        network: Functional Keras model.

    Returns:
        A functional Keras model.
    """

    def copied(layer):
        config = layer.get_config() | {"dtype": "float32"}
        config |= {name: None for name in config if name.endswith("_regularizer")}
        kind = layer.__class__
        if issubclass(kind, AveragedNormalization):  # It differs in training only.
            kind = layers.BatchNormalization
        return kind.from_config(config)

    copy = keras.models.clone_model(network, clone_function=copied, recursive=True)
    averaged = [x for x in network._flatten_layers() if isinstance(x, AveragedNormalization)]
    counts = {id(layer.updates) for layer in averaged}
    kept = [weight for weight in network.weights if id(weight) not in counts]
    copy.set_weights([np.asarray(weight, "float32") for weight in kept])
    copy.trainable = False
    return copy


def compute_types(*networks):
    """Lists the types in which the layers of networks compute.

    Args:
        *networks: Functional Keras models.

    Returns:
        A set of names of types, such as "bfloat16".
    """
    return {
        layer.dtype_policy.compute_dtype
        for network in networks
        for layer in network._flatten_layers(include_self=False)
    }
