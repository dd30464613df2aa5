"""Functional Keras models for the encoder q(z, y|x), the decoder p(x|z, y) and the discriminators.

You can use your own functional models with the same inputs and outputs. With one code, the code is
a tensor. With two codes, it is a dict with the keys "z" and "y".

"Section" refers to Makhzani et al. 2015, "Adversarial Autoencoders", arXiv 1511.05644.
"""

import dataclasses
import math

import keras
from keras import layers, ops

from adversarial_autoencoder.devices import replicas


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hidden:
    """The hidden layers of a network.

    `encoder`, `decoder` and `discriminator` accept these arguments as keyword arguments.

    Args:
        hidden_units: Width of each fully connected layer, >= 1. The convolutional layer next to the
            code has hidden_units / 16 filters; each layer towards the image has half as many.
        hidden_layers: Number of hidden layers, >= 1.
        dropout: Share of the hidden units that are dropped in training, in [0, 1).
        weight_std: Standard deviation of normal initial weights. 0: Glorot uniform weights.
        batch_norm: Whether to apply batch normalization in each hidden layer.
        dtype: Keras dtype policy of the hidden layers, such as "mixed_bfloat16". None: the global
            policy. Codes and logits are always float32, because the losses need it.
    """

    hidden_units: int = 1000
    hidden_layers: int = 2
    dropout: float = 0.0
    weight_std: float = 0.0
    batch_norm: bool = False
    dtype: str | None = None

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


def encoder(
    image_shape,
    z_dim,
    *,
    num_classes=0,
    separate_y=False,
    posterior="deterministic",
    noise_dim=0,
    network="mlp",
    input_noise=0.0,
    corruption="gaussian",
    **hidden,
):
    """Builds the encoder q(z|x) or q(z, y|x): image, hidden ReLU layers, linear outputs.

    Args:
        image_shape: Shape of one image, (height, width, channels).
        z_dim: Number of dimensions of the code z, >= 1.
        num_classes: Number of values of the code y. 0: the encoder has no output y.
        separate_y: Whether y has its own hidden layers instead of those of z. The hidden layers of
            y receive the corrupted images, but no noise inputs.
        posterior: "deterministic", or "gaussian": the output of z is the mean and log variance.
        noise_dim: Number of noise inputs, for a universal approximator posterior (section 2), or 0.
        network: "mlp" or "conv".
        input_noise: Amount of corruption of the images in training, in [0, 1).
        corruption: Meaning of `input_noise`. "gaussian": the standard deviation of added noise.
            "masking": the share of pixels that are set to 0; the other pixels are scaled up.
        **hidden: Arguments of `Hidden`.

    Returns:
        A functional model from images in [0, 1], shape (batch, height, width, channels), to z,
        shape (batch, z_dim) or (batch, 2 * z_dim) for a Gaussian posterior. With noise inputs, the
        input is a dict with the keys "x" and "noise". With y, the output is a dict with the keys
        "z" and "y"; "y" holds logits of shape (batch, num_classes).

    Raises:
        ValueError: If `network` is unknown or cannot process images of this shape.

    Example:
        >>> from adversarial_autoencoder import networks
        >>> encoder = networks.encoder((8, 8, 1), z_dim=2, num_classes=10, hidden_units=16)
        >>> {name: output.shape for name, output in encoder.output.items()}
        {'z': (None, 2), 'y': (None, 10)}
    """
    hidden = Hidden(**hidden)
    check_network(network, image_shape, hidden.hidden_layers)
    inputs = {"x": keras.Input(image_shape, name="x")}
    h = inputs["x"]
    if input_noise:
        layer = {"gaussian": layers.GaussianNoise, "masking": layers.Dropout}[corruption]
        h = layer(input_noise, name="encoder_corruption")(h)
    if noise_dim:
        inputs["noise"] = keras.Input((noise_dim,), name="noise")
    h_z = _trunk(h, inputs.get("noise"), network, hidden, "encoder")
    outputs = {"z": hidden.output(z_dim * (2 if posterior == "gaussian" else 1), "encoder_z")(h_z)}
    if num_classes:
        h_y = _trunk(h, None, network, hidden, "encoder_y") if separate_y else h_z
        outputs["y"] = hidden.output(num_classes, "encoder_y")(h_y)
    return keras.Model(_single(inputs), _single(outputs), name="encoder")


def _trunk(h, noise, network, hidden, name):
    """Appends the hidden layers of an encoder; `noise` is a Keras tensor or None."""
    if network == "conv":
        h = _convolutions(h, hidden, name)
    h = layers.Flatten(name=f"{name}_flatten")(h)
    if noise is not None:
        h = layers.Concatenate(name=f"{name}_with_noise")([h, noise])
    if network == "mlp":
        return hidden.mlp(h, name)
    if noise is None:
        return h
    # If the output layer followed immediately, the noise could only shift the code.
    h = hidden.dense(hidden.hidden_units, f"{name}_dense")(h)
    return layers.ReLU(name=f"{name}_relu")(h)


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
    hidden = Hidden(**hidden)
    check_network(network, image_shape, hidden.hidden_layers)
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
        x_logits = layers.Reshape(image_shape, name="decoder_reshape")(flat)
    return keras.Model(_single(inputs), x_logits, name="decoder")


def discriminator(dim, *, num_classes=0, input_noise=0.0, name="discriminator", **hidden):
    """Builds the discriminator D_z or D_y of a code: code, hidden ReLU layers, one logit.

    Samples of the prior are the real inputs. The logit is high if the code seems to be real.

    Args:
        dim: Number of dimensions of the code, >= 1.
        num_classes: Number of classes, if the prior depends on the label (section 2.3); else 0.
        input_noise: Standard deviation of noise added to the code in training, in [0, 1].
        name: Name of the model.
        **hidden: Arguments of `Hidden`.

    Returns:
        A functional model from codes, shape (batch, dim), to logits, shape (batch, 1). With labels,
        the input is a dict with the keys "code" and "label". "label" holds one-hot vectors of shape
        (batch, num_classes + 1); the last class means "unlabelled".

    Example:
        >>> from adversarial_autoencoder import networks
        >>> discriminator = networks.discriminator(dim=2, num_classes=10, hidden_units=16)
        >>> discriminator.input["label"].shape, discriminator.output.shape
        ((None, 11), (None, 1))
    """
    hidden = Hidden(**hidden)
    inputs = {"code": keras.Input((dim,), name="code")}
    h = inputs["code"]
    if input_noise:
        h = layers.GaussianNoise(input_noise, name=f"{name}_noise")(h)
    if num_classes:
        inputs["label"] = keras.Input((num_classes + 1,), name="label")
        h = layers.Concatenate(name=f"{name}_with_label")([h, inputs["label"]])
    logit = hidden.output(1, f"{name}_logit")(hidden.mlp(h, name))
    return keras.Model(_single(inputs), logit, name=name)


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


def check_network(network, image_shape, hidden_layers):
    """Checks that a kind of network can process images of a shape.

    Args:
        network: "mlp" or "conv".
        image_shape: Shape of one image, (height, width, channels).
        hidden_layers: Number of hidden layers.

    Raises:
        ValueError: If it cannot.
    """
    if network not in ("mlp", "conv"):
        raise ValueError(f"network must be mlp or conv. Received: network={network!r}")
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


def _single(tensors):
    """Returns a dict of Keras tensors, or the tensor itself if there is only one."""
    return tensors if len(tensors) > 1 else next(iter(tensors.values()))


def _convolutions(x, hidden, name):
    """Appends convolutional layers; each halves the sides of the image and rounds up."""
    for i in range(hidden.hidden_layers):
        layer = layers.Conv2D(
            hidden.filters(i),
            4,
            strides=2,
            padding="same",
            use_bias=not hidden.batch_norm,
            kernel_initializer=hidden.initializer(),
            dtype=hidden.dtype,
            name=f"{name}_conv_{i}",
        )
        x = hidden.activation(layer(x), name, i)
    return x


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
    return layers.Cropping2D(crop, name="decoder_crop")(h)
