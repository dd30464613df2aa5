"""A functional view of a network without its noise."""

import keras

# Configuration entries that set the strength of the noise of Keras's layers, such as dropout.
NOISE = ("rate", "stddev", "dropout", "recurrent_dropout")


class NoiseFree:
    """Runs a network without noise, and without a change of its variables.

    A consistency loss compares the outputs for an image and for one near it. Dropout and input
    noise would change them more than the step between the images does. Batch normalization uses the
    statistics of the minibatch, but its moving statistics follow the training images alone.

    The view is a copy of the network's layers that computes with the variables of the network. It
    is built once, outside of the graph, and holds no state, so that several replicas can trace it.

    Args:
        network: Functional Keras model.
    """

    def __init__(self, network):
        self._network = network
        self._copy = keras.models.clone_model(
            network, clone_function=_without_noise, recursive=True
        )

    def __call__(self, inputs, training=False):
        """Runs the network on `inputs` as it is at present."""
        for own, layer in zip(_layers(self._copy), _layers(self._network), strict=True):
            own.trainable = layer.trainable  # A frozen normalization uses its moving statistics.
        pairs = zip(_state(self._copy), _state(self._network), strict=True)
        with keras.StatelessScope(state_mapping=[(own, value) for own, value in pairs]):
            return self._copy(inputs, training=training)


def _without_noise(layer):
    """Clones a layer, with noise of strength 0."""
    return layer.__class__.from_config(_quiet(layer.get_config()))


def _quiet(config):
    """A configuration with noise of strength 0, also in the layers inside, as of a wrapper."""
    return {
        name: 0.0
        if name in NOISE and type(value) in (int, float)
        else _quiet(value)
        if isinstance(value, dict)
        else value
        for name, value in config.items()
    }


def _layers(network):
    return [layer for layer in network._flatten_layers(include_self=False) if not layer._layers]


def _state(network):
    """The variables of a network, except the states of its random generators."""
    return [v for v in network.variables if v.name != "seed_generator_state"]
