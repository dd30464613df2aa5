"""The hidden layers of all networks, and what the networks have in common."""

import dataclasses

import keras
from keras import layers

from adversarial_autoencoder.devices import replicas
from adversarial_autoencoder.errors import check_choice
from adversarial_autoencoder.systems import HIDDEN


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hidden:
    """The hidden layers of a network.

    `encoder`, `decoder` and `discriminator` accept these arguments as keyword arguments.

    Args:
        hidden_units: Width of each fully connected layer, >= 1. The convolutional layer next to the
            code has hidden_units / 16 filters; each layer towards the image has half as many. The
            default of `network="conv"` is 1000.
        hidden_layers: Number of hidden layers, >= 1. The default of `network="conv"` is 2.
        dropout: Share of the hidden units that are dropped in training, in [0, 1).
        weight_std: Standard deviation of normal initial weights. 0: Glorot uniform weights.
        batch_norm: Whether to apply batch normalization in each hidden layer.
        dtype: Keras dtype policy of the hidden layers, such as "mixed_bfloat16". None: the global
            policy. Codes and logits are always float32, because the losses need it.
    """

    hidden_units: int = HIDDEN["mlp"]["hidden_units"]
    hidden_layers: int = HIDDEN["mlp"]["hidden_layers"]
    dropout: float = 0.0
    weight_std: float = 0.0
    batch_norm: bool = False
    dtype: str | None = None

    @classmethod
    def of(cls, network, image_shape, **given):
        """Makes the hidden layers of a kind of network, and checks that it can process images.

        Args:
            network: "mlp" or "conv".
            image_shape: Shape of one image, (height, width, channels).
            **given: The arguments that differ from their defaults.

        Returns:
            A `Hidden`.

        Raises:
            ValueError: If the network cannot process images of this shape.
        """
        given = HIDDEN.get(network, {}) | given
        check_network(network, image_shape, given.get("hidden_layers"))
        return cls(**given)

    def dense(self, units, name, **kwargs):
        """Makes a Dense layer; further arguments replace the defaults of these networks."""
        kwargs = {"kernel_initializer": self.initializer(), "dtype": self.dtype} | kwargs
        return layers.Dense(units, name=name, **kwargs)

    def output(self, units, name):
        """Makes the Dense layer that outputs a code or logits, always in float32."""
        return self.dense(units, name, dtype="float32")

    def initializer(self):
        """Makes an initializer. Layers that shared one would start with the same weights."""
        if not self.weight_std:
            return keras.initializers.GlorotUniform()
        return keras.initializers.RandomNormal(stddev=self.weight_std)

    def activation(self, x, name, i):
        """Applies batch normalization, ReLU and dropout to the output `x` of hidden layer `i`."""
        if self.batch_norm:
            layer = layers.BatchNormalization(
                # The statistics must cover the whole minibatch, not one replica's share of it.
                synchronized=replicas.is_divided(),
                dtype=self.dtype,
                name=f"{name}_batch_norm_{i}",
            )
            x = layer(x)
        x = layers.ReLU(dtype=self.dtype, name=f"{name}_relu_{i}")(x)
        if self.dropout:
            x = layers.Dropout(self.dropout, dtype=self.dtype, name=f"{name}_dropout_{i}")(x)
        return x

    def mlp(self, x, name):
        """Appends the fully connected hidden layers to `x`, of shape (batch, features)."""
        for i in range(self.hidden_layers):
            layer = self.dense(self.hidden_units, f"{name}_dense_{i}", use_bias=not self.batch_norm)
            x = self.activation(layer(x), name, i)
        return x

    def filters(self, i):
        """Returns the number of filters of convolutional layer `i`; layer 0 reads the image."""
        return max(1, self.hidden_units // 2 ** (self.hidden_layers - 1 - i) // 16)


def check_network(network, image_shape, hidden_layers):
    """Checks that a kind of network can process images of a shape.

    Args:
        network: "mlp" or "conv".
        image_shape: Shape of one image, (height, width, channels).
        hidden_layers: Number of hidden layers.

    Raises:
        ValueError: If it cannot.
    """
    check_choice("network", network, HIDDEN)
    if network == "conv" and len(image_shape) != 3:
        raise ValueError(
            "network=conv needs images of shape (height, width, channels). "
            f"Received: {tuple(image_shape)}"
        )
    if network == "conv" and 2 ** (hidden_layers - 1) >= min(image_shape[:2]):
        raise ValueError(
            f"network=conv needs image sides above {2 ** (hidden_layers - 1)}, because each of the "
            f"hidden_layers={hidden_layers} halves them. Received: {tuple(image_shape)}"
        )


def single(tensors):
    """Returns a dict of Keras tensors, or the tensor itself if there is only one."""
    return tensors if len(tensors) > 1 else next(iter(tensors.values()))
