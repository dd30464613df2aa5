"""Functional Keras models for the encoder q(z, y|x), the decoder p(x|z, y) and the discriminators.

Any functional model whose shapes fit may take the place of these. A network with one code has it as
its only input or output; with two codes they are dicts with the keys "z" and "y".
"""

import dataclasses
import math

import keras
from keras import layers, ops

from adversarial_autoencoder.devices import replicas


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hidden:
    """The hidden layers of a network; the keyword arguments of the builders below.

    Args:
        hidden_units: Width of each fully connected layer. The deepest layer of convolutions has a
            sixteenth of it as filters, and each layer towards the image half as many.
        hidden_layers: Number of hidden layers, >= 1.
        dropout: Share of the hidden units dropped while training, in [0, 1).
        weight_std: Initial weights are drawn from N(0, weight_std^2); 0: Glorot uniform.
        batch_norm: Whether each hidden layer is normalised over the minibatch.
        dtype: Keras dtype policy of the hidden layers, such as "mixed_bfloat16"; None: Keras's own.
            Codes and logits, which the losses are made of, are float32 in any case.
    """

    hidden_units: int = 1000
    hidden_layers: int = 2
    dropout: float = 0.0
    weight_std: float = 0.0
    batch_norm: bool = False
    dtype: str | None = None

    def dense(self, units, name, **kwargs):
        """A linear layer; each gets an initializer of its own: a shared one would repeat itself."""
        kwargs = {"kernel_initializer": self.initializer(), "dtype": self.dtype} | kwargs
        return layers.Dense(units, name=name, **kwargs)

    def output(self, units, name):
        """A linear layer that ends a network, with a code or with logits."""
        return self.dense(units, name, dtype="float32")

    def initializer(self):
        if not self.weight_std:
            return keras.initializers.GlorotUniform()
        return keras.initializers.RandomNormal(stddev=self.weight_std)

    def activation(self, x, name, i):
        """What follows the i-th hidden layer: normalisation, ReLU, dropout."""
        if self.batch_norm:
            layer = layers.BatchNormalization(
                # Over the whole minibatch, where it is divided over several replicas.
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
        """Appends the hidden layers to `x`, a Keras tensor of shape (batch, features)."""
        for i in range(self.hidden_layers):
            layer = self.dense(self.hidden_units, f"{name}_dense_{i}", use_bias=not self.batch_norm)
            x = self.activation(layer(x), name, i)
        return x

    def filters(self, i):
        """Filters of the i-th layer of convolutions, counted from the image."""
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
    """Builds q(z|x), or q(z, y|x): image -> hidden ReLU layers -> linear heads.

    Args:
        image_shape: Shape of one image, (height, width, channels).
        z_dim: Number of dimensions of the code z, >= 1.
        num_classes: Number of values of the code y; 0: none.
        separate_y: Whether y has hidden layers of its own, which see the corrupted images but no
            noise inputs, instead of those of z.
        posterior: "deterministic", or "gaussian": mean and log variance of z side by side.
        noise_dim: Number of noise inputs, for a universal posterior; 0: none.
        network: "mlp" or "conv".
        input_noise: Corruption of the images while training, in [0, 1).
        corruption: "gaussian": `input_noise` is the standard deviation of noise that is added;
            "masking": it is the share of pixels set to 0, while the others are scaled up.
        **hidden: The arguments of `Hidden`.

    Returns:
        A functional model from images of shape (batch, height, width, channels), in [0, 1], to the
        head of z, of shape (batch, z_dim), or twice as wide for a Gaussian posterior. With noise
        the input is a dict with the keys "x" and "noise"; with classes the output is one with "z"
        and "y", the logits of y.
    """
    hidden = Hidden(**hidden)
    _check_network(network, image_shape, hidden.hidden_layers)
    inputs = {"x": keras.Input(image_shape, name="x")}
    h = inputs["x"]
    if input_noise:
        layer = {"gaussian": layers.GaussianNoise, "masking": layers.Dropout}[corruption]
        h = layer(input_noise, name="encoder_corruption")(h)
    if noise_dim:
        inputs["noise"] = keras.Input((noise_dim,), name="noise")
    h_z = _trunk(h, inputs.get("noise"), network, hidden, "encoder")
    heads = {"z": hidden.output(z_dim * (2 if posterior == "gaussian" else 1), "encoder_z")(h_z)}
    if num_classes:
        h_y = _trunk(h, None, network, hidden, "encoder_y") if separate_y else h_z
        heads["y"] = hidden.output(num_classes, "encoder_y")(h_y)
    return keras.Model(_single(inputs), _single(heads), name="encoder")


def _trunk(h, noise, network, hidden, name):
    """The hidden layers of an encoder, behind which its heads stand; `noise` may be None."""
    if network == "conv":
        h = _convolutions(h, hidden, name)
    h = layers.Flatten(name=f"{name}_flatten")(h)
    if noise is not None:
        h = layers.Concatenate(name=f"{name}_with_noise")([h, noise])
    if network == "mlp":
        return hidden.mlp(h, name)
    if noise is None:
        return h
    # Without a hidden layer behind it the noise could only shift the code.
    h = hidden.dense(hidden.hidden_units, f"{name}_dense")(h)
    return layers.ReLU(name=f"{name}_relu")(h)


def decoder(image_shape, z_dim, *, num_classes=0, head_margin=None, network="mlp", **hidden):
    """Builds p(x|z), or p(x|z, y): codes -> hidden ReLU layers -> logits of the pixels.

    Args:
        image_shape: Shape of one image, (height, width, channels).
        z_dim: Number of dimensions of the code z, >= 1.
        num_classes: Number of values of the code y; 0: none.
        head_margin: None: y stands beside z. A number: y chooses its cluster head, a learned point
            that is added to z (section 7), and heads nearer to each other than this are pushed
            apart by a loss of the layer.
        network: "mlp" or "conv".
        **hidden: The arguments of `Hidden`.

    Returns:
        A functional model from codes, of shape (batch, z_dim) or a dict with the keys "z" and "y",
        to (batch, height, width, channels). Its outputs are logits: the image is their sigmoid.
    """
    hidden = Hidden(**hidden)
    _check_network(network, image_shape, hidden.hidden_layers)
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
    """Builds D_z or D_y: code -> hidden ReLU layers -> one logit, positive for "from the prior".

    Args:
        dim: Number of dimensions of the code, >= 1.
        num_classes: For a prior that is conditioned on labels: the number of classes; 0: it is not.
        input_noise: Standard deviation of noise added to the code while training, in [0, 1].
        name: Name of the model.
        **hidden: The arguments of `Hidden`.

    Returns:
        A functional model from (batch, dim) to logits of shape (batch, 1). Where it is conditioned
        on labels, its input is a dict with the keys "code" and "label", a one-hot vector of the
        classes and of one more for "unlabelled".
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


# Name of the decoder's layer whose kernel, of shape (num_clusters, z_dim), holds the cluster heads.
CLUSTER_HEADS = "cluster_heads"


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class Margin(keras.regularizers.Regularizer):
    """Keeps the rows of a matrix at least `margin` apart (Makhzani et al. 2015, section 7).

    The loss is the sum over pairs of the squared amount by which they are nearer.
    """

    def __init__(self, margin):
        self.margin = margin

    def __call__(self, x):
        difference = x[:, None] - x[None]
        distance = ops.sqrt(ops.sum(ops.square(difference), axis=-1) + 1e-12)
        pairs = 1.0 - ops.eye(x.shape[0])
        return 0.5 * ops.sum(pairs * ops.square(ops.relu(self.margin - distance)))

    def get_config(self):
        return {"margin": self.margin}


def _check_network(network, image_shape, hidden_layers):
    if network not in ("mlp", "conv"):
        raise ValueError(f"network must be mlp or conv. Received: network={network!r}")
    if network == "conv" and len(image_shape) != 3:
        raise ValueError(
            "Convolutions need images of the shape (height, width, channels). "
            f"Received: {tuple(image_shape)}"
        )
    if network == "conv" and 2 ** (hidden_layers - 1) >= min(image_shape[:2]):
        raise ValueError(
            f"Convolutions halve the sides of an image in each hidden layer, to 1 at the least. "
            f"Received: hidden_layers={hidden_layers} for {tuple(image_shape)}"
        )


def _single(tensors):
    """A dict of Keras tensors, or the tensor where there is only one."""
    return tensors if len(tensors) > 1 else next(iter(tensors.values()))


def _convolutions(x, hidden, name):
    """Layers of convolutions, each of which halves the sides of the image, rounded up."""
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
    """The mirror image of `_convolutions`; what exceeds the sides of the image is cut off."""
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
