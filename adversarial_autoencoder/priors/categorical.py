"""The prior p(y) of a class code or a cluster code."""

import math

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.priors.prior import Prior, register


@register
class Categorical(Prior):
    """The prior p(y) of a class code or a cluster code: one-hot or nearly one-hot vectors.

    One-hot samples are the prior of Makhzani et al. 2015 (arXiv 1511.05644, sections 5 to 7). With
    them, an encoder that is certain of y gets almost no gradient from the discriminator. An image
    then stays in its cluster, and an empty cluster stays empty.

    With a temperature above 0, the samples are vectors of probabilities (Maddison et al. 2017, "The
    Concrete Distribution", arXiv 1611.00712, section 3). They let the encoder stay uncertain. The
    largest probability is that of class k with probability `weights[k]`, at any temperature.

    Args:
        weights: Probability of each class, numbers > 0. They are scaled to the sum 1. None: all
            classes are equally probable.
        temperature: 0: one-hot samples. 0.001 or more: relaxed samples. They are nearer to equal
            probabilities if the temperature is higher.

    Raises:
        ValueError: If a weight is not above 0, or the temperature is out of range.

    Example:
        >>> from adversarial_autoencoder import priors
        >>> y = priors.draw(priors.Categorical(weights=[1, 4]), n=10_000, dim=2)
        >>> print(y.mean(axis=0).round(1))
        [0.2 0.8]
        >>> relaxed = priors.draw(priors.Categorical(temperature=1.0), n=5, dim=3)
        >>> print(relaxed.sum(axis=1).round(3))
        [1. 1. 1. 1. 1.]
    """

    def __init__(self, weights=None, temperature=0.0):
        if temperature and not 1e-3 <= temperature < math.inf:
            raise ValueError(
                "temperature of a prior must be 0 or at least 0.001. "
                f"Received: temperature={temperature}"
            )
        self.weights = None if weights is None else normalized(weights, len(weights))
        self.temperature = temperature

    def shares(self, dim):
        """Returns the probability of each of `dim` classes, a float32 array of shape (dim,)."""
        return np.array(normalized(self.weights, dim), "float32")

    def __call__(self, n, dim, seed):
        """Draws samples.

        Args:
            n: Number of samples, an integer or an integer scalar tensor.
            dim: Number of classes; must be the number of weights.
            seed: Integer tensor of shape (2,).

        Returns:
            A float32 tensor of shape (n, dim). Each row has the sum 1.

        Raises:
            ValueError: If there are weights for another number of classes.
        """
        if not self.temperature:
            return tf.one_hot(components_of(n, normalized(self.weights, dim), seed), dim)
        tiny = np.finfo("float32").tiny
        gumbel = -tf.math.log(-tf.math.log(tf.random.stateless_uniform((n, dim), seed, tiny)))
        return tf.nn.softmax((np.log(self.shares(dim)) + gumbel) / self.temperature)

    def get_config(self):
        """Returns the constructor's arguments, which Keras saves."""
        return {"weights": self.weights, "temperature": self.temperature}


def components_of(n, weights, seed, labels=None):
    """Selects the component of each sample.

    Args:
        n: Number of samples.
        weights: Probability of each component, a list with the sum 1.
        seed: Integer tensor of shape (2,).
        labels: Integers of shape (n,). A label >= 0 is the component. For a negative label, or
            without labels, the component is drawn.

    Returns:
        An int32 tensor of shape (n,).
    """
    # TensorFlow's own categorical sampler does not compile with XLA.
    bounds = tf.constant(np.cumsum(weights)[:-1], "float32")
    uniform = tf.random.stateless_uniform((n,), seed)
    drawn = tf.reduce_sum(tf.cast(uniform[:, None] >= bounds, "int32"), axis=1)
    if labels is None:
        return drawn
    labels = tf.cast(labels, "int32")
    return tf.where(labels >= 0, labels, drawn)


def normalized(weights, num_components):
    """Scales the weights of components to the sum 1.

    Args:
        weights: Numbers > 0, or None for equal weights.
        num_components: Number of components, >= 1.

    Returns:
        A list of floats with the sum 1.

    Raises:
        ValueError: If the number of weights is wrong, or a weight is not above 0.
    """
    if weights is None:
        return [1 / num_components] * num_components
    weights = [float(weight) for weight in weights]
    if len(weights) != num_components or not all(weight > 0 for weight in weights):
        raise ValueError(
            f"The weights must be {num_components} numbers above 0. Received: weights={weights}"
        )
    return [weight / sum(weights) for weight in weights]
