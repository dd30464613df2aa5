"""The decoder p(x|z) or p(x|z, y), and its cluster heads."""

import math

import keras
from keras import layers, ops

from adversarial_autoencoder.networks.hidden import Hidden, single


def decoder(image_shape, z_dim, *, num_classes=0, head_margin=None, network="mlp", **hidden):
    """Builds the decoder p(x|z) or p(x|z, y): codes, hidden ReLU layers, logits of the pixels.

    Args:
        image_shape: Shape of one image, (height, width, channels).
        z_dim: Number of dimensions of the code z, >= 1.
        num_classes: Number of values of the code y. 0: the decoder has no input y.
        head_margin: None: z and y are concatenated (sections 4 to 6). A number >= 0: y selects a
            cluster head, a learned point that is added to z (section 7). The layer then has a loss
            that keeps the cluster heads at least this distance apart.
        network: "mlp" or "conv".
        **hidden: Arguments of `Hidden`.

    Returns:
        A functional model to logits of shape (batch, height, width, channels); the image is their
        sigmoid. The input is z, shape (batch, z_dim). With y, it is a dict with the keys "z" and
        "y"; "y" holds probabilities or one-hot vectors of shape (batch, num_classes).

    Raises:
        ValueError: If `network` is unknown or cannot produce images of this shape.

    Example:
        >>> from adversarial_autoencoder import networks
        >>> decoder = networks.decoder((8, 8, 1), z_dim=2, hidden_units=16)
        >>> decoder.output.shape
        (None, 8, 8, 1)
    """
    hidden = Hidden.of(network, image_shape, **hidden)
    inputs = {"z": keras.Input((z_dim,), name="z")}
    h = inputs["z"]
    if num_classes:
        inputs["y"] = keras.Input((num_classes,), name="y")
        if head_margin is None:
            h = layers.Concatenate(name="decoder_codes")([h, inputs["y"]])
        else:
            heads = layers.Dense(
                z_dim,
                use_bias=False,
                kernel_initializer=keras.initializers.RandomNormal(stddev=max(head_margin, 1e-3)),
                kernel_regularizer=Margin(head_margin),
                name=CLUSTER_HEADS,
            )
            h = layers.Add(name="decoder_codes")([h, heads(inputs["y"])])
    if network == "conv":
        x_logits = _transposed_convolutions(h, image_shape, hidden)
    else:
        flat = hidden.output(math.prod(image_shape), "decoder_x_logits")(hidden.mlp(h, "decoder"))
        x_logits = layers.Reshape(image_shape, dtype="float32", name="decoder_reshape")(flat)
    return keras.Model(single(inputs), x_logits, name="decoder")


# The decoder's layer of this name has a kernel of shape (num_classes, z_dim): the cluster heads.
CLUSTER_HEADS = "cluster_heads"


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class Margin(keras.regularizers.Regularizer):
    """Regularizer that keeps the rows of a matrix at least `margin` apart (section 7).

    The loss is the sum over all pairs of rows of max(0, margin - distance)^2.

    Args:
        margin: Smallest Euclidean distance without a loss, >= 0.
    """

    def __init__(self, margin):
        self.margin = margin

    def __call__(self, x):
        """Computes the loss of a matrix of shape (rows, dim), a scalar."""
        difference = x[:, None] - x[None]
        distance = ops.sqrt(ops.sum(ops.square(difference), axis=-1) + 1e-12)
        pairs = 1.0 - ops.eye(x.shape[0])
        return 0.5 * ops.sum(pairs * ops.square(ops.relu(self.margin - distance)))

    def get_config(self):
        """Returns the constructor's arguments."""
        return {"margin": self.margin}


def _transposed_convolutions(h, image_shape, hidden):
    """Appends the inverse of `_convolutions`, and crops the result to the image size."""
    height, width, channels = image_shape
    depth = hidden.hidden_layers
    sides = [-(-side // 2**depth) for side in (height, width)]
    deepest = hidden.filters(depth - 1)
    h = hidden.dense(math.prod(sides) * deepest, "decoder_dense")(h)
    h = hidden.activation(h, "decoder", depth - 1)
    h = layers.Reshape((*sides, deepest), name="decoder_reshape")(h)
    for i in reversed(range(depth)):
        layer = layers.Conv2DTranspose(
            hidden.filters(i - 1) if i else channels,
            4,
            strides=2,
            padding="same",
            data_format="channels_last",  # Whatever Keras is configured for.
            kernel_initializer=hidden.initializer(),
            dtype=hidden.dtype if i else "float32",
            name=f"decoder_conv_{i}",
        )
        h = layer(h)
        if i:
            h = hidden.activation(h, "decoder", i - 1)
    excess = [side * 2**depth - whole for side, whole in zip(sides, (height, width), strict=True)]
    if not any(excess):
        return h
    crop = [(spare // 2, spare - spare // 2) for spare in excess]
    crop_layer = layers.Cropping2D(
        crop, data_format="channels_last", dtype="float32", name="decoder_crop"
    )
    return crop_layer(h)
