"""From a head of the encoder to a code z: the forms of q(z|x) (Makhzani et al. 2015, section 2.1).

A posterior is a function `(head, seed) -> code`; without a seed it gives its mean. The third form
of the paper, the universal approximator, is deterministic too: its encoder has noise as an input.
"""

import tensorflow as tf

from adversarial_autoencoder.devices import replicas


def deterministic(head, seed=None):
    """The head is the code.

    Args:
        head: Shape (batch, dim).
        seed: Not used.
    """
    del seed
    return head


def gaussian(head, seed=None):
    """The head is mean and log variance, side by side; the code is drawn (reparameterisation).

    Args:
        head: Shape (batch, 2 * dim).
        seed: Integers of shape (2,), or None for the mean.

    Returns:
        The code, shape (batch, dim).
    """
    mean, log_variance = split_gaussian(head)
    if seed is None:
        return mean
    n, dim = tf.shape(mean)[0], tf.shape(mean)[1]
    noise = replicas.own_rows(
        lambda n: tf.random.stateless_normal((n, dim), seed, dtype=mean.dtype), n
    )
    return mean + tf.exp(0.5 * log_variance) * noise


def split_gaussian(head):
    """Splits the head of a Gaussian posterior into mean and log variance."""
    return tf.split(head, 2, axis=-1)


POSTERIORS = {"deterministic": deterministic, "gaussian": gaussian}
