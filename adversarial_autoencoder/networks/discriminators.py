"""The discriminators."""

import math

import keras
import numpy as np
from keras import layers

from adversarial_autoencoder.networks.hidden import Hidden, single
from adversarial_autoencoder.networks.normalization import finite_moments

# Root mean square norm of samples of the prior as a discriminator sees them in units of the prior.
# It is that of N(0, 5^2) in two dimensions, for which the learning rates were tuned.
NORM = math.sqrt(50)


def discriminator(
    dim, *, num_classes=0, prior=None, input_noise=0.2, name="discriminator", **hidden
):
    """Builds the discriminator D_z or D_y of a code: code, hidden ReLU layers, one logit.

    Samples of the prior are the real inputs. The logit is high if the code seems to be real.

    Args:
        dim: Number of dimensions of the code, >= 1.
        num_classes: Number of classes, if the prior depends on the label (section 2.3); else 0.
        prior: The prior of the code. The discriminator then shifts and scales the codes by the mean
            and standard deviation of the prior, so that it works alike for any prior and dimension.
            None: it sees the codes as they are.
        input_noise: Standard deviation of noise added to the code in training, in [0, 1]; in
            standard deviations of the prior, if it is given.
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
    if prior is not None:
        mean, std = finite_moments(prior, dim)
        scale = float(np.sqrt(np.mean(np.square(std, dtype="float64"))))
        offset = (-mean / scale).tolist()
        h = layers.Rescaling(1 / scale, offset, name=f"{name}_standardized")(h)
    if input_noise:
        h = layers.GaussianNoise(input_noise, name=f"{name}_noise")(h)
    if prior is not None:
        h = layers.Rescaling(NORM / math.sqrt(dim), name=f"{name}_scaled")(h)
    if num_classes:
        inputs["label"] = keras.Input((num_classes + 1,), name="label")
        label = inputs["label"]
        if prior is not None:  # As large as the codes, so that both count alike.
            label = layers.Rescaling(NORM, name=f"{name}_label_scaled")(label)
        h = layers.Concatenate(name=f"{name}_with_label")([h, label])
    logit = hidden.output(1, f"{name}_logit")(hidden.mlp(h, name))
    return keras.Model(single(inputs), logit, name=name)
