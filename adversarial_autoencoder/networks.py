"""Functional Keras models for the encoder q(z|x), the decoder p(x|z) and the discriminator D_z.

Any functional model whose shapes fit may take the place of these.
"""

import math

import keras
from keras import layers


def encoder(image_shape, z_dim, **hidden):
    """Builds q(z|x): image -> hidden ReLU layers -> linear code.

    Args:
        image_shape: Shape of one image, (height, width, channels).
        z_dim: Number of dimensions of the code, >= 1.
        **hidden: `hidden_units`, `hidden_layers`, `dropout` and `weight_std`, see `_mlp`.

    Returns:
        A functional model from (batch, height, width, channels), in [0, 1], to (batch, z_dim).
    """
    x = keras.Input(image_shape, name="x")
    flat = layers.Flatten(name="encoder_flatten")(x)
    z = _mlp(flat, z_dim, name="encoder", output_name="z", **hidden)
    return keras.Model(x, z, name="encoder")


def decoder(image_shape, z_dim, **hidden):
    """Builds p(x|z): code -> hidden ReLU layers -> logits of the pixels.

    Args:
        image_shape: Shape of one image, (height, width, channels).
        z_dim: Number of dimensions of the code, >= 1.
        **hidden: `hidden_units`, `hidden_layers`, `dropout` and `weight_std`, see `_mlp`.

    Returns:
        A functional model from (batch, z_dim) to (batch, height, width, channels). Its outputs are
        logits: the image is their sigmoid.
    """
    z = keras.Input((z_dim,), name="z")
    flat = _mlp(z, math.prod(image_shape), name="decoder", output_name="x_logits", **hidden)
    x_logits = layers.Reshape(image_shape, name="decoder_reshape")(flat)
    return keras.Model(z, x_logits, name="decoder")


def discriminator(z_dim, **hidden):
    """Builds D_z: code -> hidden ReLU layers -> one logit, positive for "drawn from the prior".

    Args:
        z_dim: Number of dimensions of the code, >= 1.
        **hidden: `hidden_units`, `hidden_layers`, `dropout` and `weight_std`, see `_mlp`.

    Returns:
        A functional model from (batch, z_dim) to logits of shape (batch, 1).
    """
    z = keras.Input((z_dim,), name="z")
    logit = _mlp(z, 1, name="discriminator", output_name="logit", **hidden)
    return keras.Model(z, logit, name="discriminator")


def _mlp(
    inputs,
    units,
    *,
    name,
    output_name,
    hidden_units=1000,
    hidden_layers=2,
    dropout=0.0,
    weight_std=0.0,
):
    """Appends hidden ReLU layers and a linear output layer of `units` to `inputs`.

    Args:
        inputs: Keras tensor of shape (batch, features).
        units: Width of the output.
        name: Prefix of the layers' names.
        output_name: Last part of the output layer's name.
        hidden_units: Width of each hidden layer.
        hidden_layers: Number of hidden layers.
        dropout: Share of the hidden units dropped while training, in [0, 1).
        weight_std: Initial weights are drawn from N(0, weight_std^2); 0: Glorot uniform.
    """

    def dense(units, layer_name, **kwargs):
        # An initializer for each layer: a shared one would draw the same weights again.
        initializer = keras.initializers.RandomNormal(stddev=weight_std) if weight_std else None
        return layers.Dense(
            units,
            kernel_initializer=initializer or "glorot_uniform",
            name=f"{name}_{layer_name}",
            **kwargs,
        )

    x = inputs
    for i in range(hidden_layers):
        x = dense(hidden_units, f"dense_{i}", activation="relu")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"{name}_dropout_{i}")(x)
    return dense(units, output_name)(x)
