"""The encoder q(z|x) or q(z, y|x)."""

import keras
from keras import layers

from adversarial_autoencoder.errors import check_choice
from adversarial_autoencoder.networks.hidden import Hidden, single
from adversarial_autoencoder.networks.normalization import normalized_codes, normalized_features
from adversarial_autoencoder.systems import POSTERIORS

# The layer of the encoder that corrupts the images in training has this name.
CORRUPTION = "encoder_corruption"
CORRUPTIONS = {"gaussian": layers.GaussianNoise, "masking": layers.Dropout}


def encoder(
    image_shape,
    z_dim,
    *,
    num_classes=0,
    separate_y=False,
    posterior="deterministic",
    noise_dim=0,
    network="mlp",
    input_noise=0.1,
    corruption="gaussian",
    normalize_codes=True,
    prior=None,
    **hidden,
):
    """Builds the encoder q(z|x) or q(z, y|x): image, hidden ReLU layers, linear outputs.

    Args:
        image_shape: Shape of one image, (height, width, channels).
        z_dim: Number of dimensions of the code z, >= 1.
        num_classes: Number of values of the code y. 0: the encoder has no output y.
        separate_y: Whether y has its own hidden layers instead of those of z. The hidden layers of
            y receive the corrupted images, but no noise inputs.
        posterior: "deterministic"; "gaussian": the output of z is the mean and log variance; or
            "universal", which needs `noise_dim` (section 2).
        noise_dim: Number of noise inputs, which make the posterior universal, or 0.
        network: "mlp" or "conv".
        input_noise: Amount of corruption of the images in training, in [0, 1).
        corruption: Meaning of `input_noise`. "gaussian": the standard deviation of added noise.
            "masking": the share of pixels that are set to 0; the other pixels are scaled up.
        normalize_codes: Whether to batch-normalize the features that z is computed from. Features
            after a ReLU have a large mean in common. Without normalization, the adversarial phase
            moves all codes together before it spreads them, and they can collapse.
        prior: The prior of z. With `normalize_codes`, the encoder also shifts and scales its codes
            so that each dimension has the mean and standard deviation of the prior. It has no
            effect on a Gaussian posterior. None: the scale of the codes is learned.
        **hidden: Arguments of `Hidden`.

    Returns:
        A functional model from images in [0, 1], shape (batch, height, width, channels), to z,
        shape (batch, z_dim) or (batch, 2 * z_dim) for a Gaussian posterior. With noise inputs, the
        input is a dict with the keys "x" and "noise". With y, the output is a dict with the keys
        "z" and "y"; "y" holds logits of shape (batch, num_classes).

    Raises:
        ValueError: If `posterior`, `network` or `corruption` is unknown, a universal posterior has
            no noise inputs, or the network cannot process images of this shape.

    Example:
        >>> from adversarial_autoencoder import networks
        >>> encoder = networks.encoder((8, 8, 1), z_dim=2, num_classes=10, hidden_units=16)
        >>> {name: output.shape for name, output in encoder.output.items()}
        {'z': (None, 2), 'y': (None, 10)}
    """
    check_choice("posterior", posterior, POSTERIORS)
    check_choice("corruption", corruption, CORRUPTIONS)
    if posterior == "universal" and noise_dim < 1:
        raise ValueError(
            f"A universal posterior needs noise inputs. Received: noise_dim={noise_dim}"
        )
    hidden = Hidden.of(network, image_shape, **hidden)
    inputs = {"x": keras.Input(image_shape, name="x")}
    h = inputs["x"]
    if input_noise:
        h = CORRUPTIONS[corruption](input_noise, name=CORRUPTION)(h)
    if noise_dim:
        inputs["noise"] = keras.Input((noise_dim,), name="noise")
    h_z = _trunk(h, inputs.get("noise"), network, hidden, "encoder")
    width = z_dim * (2 if posterior == "gaussian" else 1)
    z = hidden.output(width, "encoder_z")(normalized_features(h_z) if normalize_codes else h_z)
    if normalize_codes and prior is not None and posterior != "gaussian":
        z = normalized_codes(z, prior)
    outputs = {"z": z}
    if num_classes:
        h_y = _trunk(h, None, network, hidden, "encoder_y") if separate_y else h_z
        outputs["y"] = hidden.output(num_classes, "encoder_y")(h_y)
    return keras.Model(single(inputs), single(outputs), name="encoder")


def _trunk(h, noise, network, hidden, name):
    """Appends the hidden layers of an encoder; `noise` is a Keras tensor or None."""
    if network == "conv":
        h = _convolutions(h, hidden, name)
    h = layers.Flatten(data_format="channels_last", name=f"{name}_flatten")(h)
    if noise is not None:
        h = layers.Concatenate(name=f"{name}_with_noise")([h, noise])
    if network == "mlp":
        return hidden.mlp(h, name)
    if noise is None:
        return h
    # If the output layer followed immediately, the noise could only shift the code.
    h = hidden.dense(hidden.hidden_units, f"{name}_dense")(h)
    return layers.ReLU(name=f"{name}_relu")(h)


def _convolutions(x, hidden, name):
    """Appends convolutional layers; each halves the sides of the image and rounds up."""
    for i in range(hidden.hidden_layers):
        layer = layers.Conv2D(
            hidden.filters(i),
            4,
            strides=2,
            padding="same",
            data_format="channels_last",  # Whatever Keras is configured for.
            use_bias=not hidden.batch_norm,
            kernel_initializer=hidden.initializer(),
            dtype=hidden.dtype,
            name=f"{name}_conv_{i}",
        )
        x = hidden.activation(layer(x), name, i)
    return x
