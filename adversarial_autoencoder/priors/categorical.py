"""The prior p(y) of a class or cluster code."""

import math

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.priors.prior import Prior, register


@register
class Categorical(Prior):
    """The prior p(y) of a class or cluster code: one-hot vectors (section 5), or nearly so.

    An encoder that is sure of y gets no gradient from the discriminator, and can neither leave a
    cluster nor enter an empty one. Above a temperature of 0 the samples are relaxed (Maddison et
    al. 2017, "The Concrete Distribution", arXiv 1611.00712): probabilities, the largest of which is
    that of class k as often as its weight says, so that the encoder need never be quite sure.

    Args:
        weights: Probability of each class; None: all equal.
        temperature: 0: one-hot vectors; the higher, the more alike are the probabilities.
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
        """The probability of each class, an array of shape (dim,)."""
        return np.array(normalized(self.weights, dim), "float32")

    def __call__(self, n, dim, seed):
        if not self.temperature:
            return tf.one_hot(components_of(n, normalized(self.weights, dim), seed), dim)
        tiny = np.finfo("float32").tiny
        gumbel = -tf.math.log(-tf.math.log(tf.random.stateless_uniform((n, dim), seed, tiny)))
        return tf.nn.softmax((np.log(self.shares(dim)) + gumbel) / self.temperature)

    def get_config(self):
        return {"weights": self.weights, "temperature": self.temperature}


def components_of(n, weights, seed, labels=None):
    """The component of each sample: that of its label, else one drawn by the weights."""
    # By hand, as TensorFlow's categorical sampler does not compile with XLA.
    bounds = tf.constant(np.cumsum(weights)[:-1], "float32")
    uniform = tf.random.stateless_uniform((n,), seed)
    drawn = tf.reduce_sum(tf.cast(uniform[:, None] >= bounds, "int32"), axis=1)
    if labels is None:
        return drawn
    labels = tf.cast(labels, "int32")
    return tf.where(labels >= 0, labels, drawn)


def normalized(weights, num_components):
    """Probabilities of components, which sum to 1; all equal where none are given."""
    if weights is None:
        return [1 / num_components] * num_components
    weights = [float(weight) for weight in weights]
    if len(weights) != num_components or not all(weight > 0 for weight in weights):
        raise ValueError(
            f"The weights must be {num_components} numbers above 0. Received: weights={weights}"
        )
    return [weight / sum(weights) for weight in weights]
