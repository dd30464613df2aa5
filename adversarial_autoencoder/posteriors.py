"""The forms of the posterior q(z|x): functions from the encoder's output for z to the code z.

A posterior is a function `(head, seed) -> code`. Without a seed, it returns its mean. The paper
describes three forms (Makhzani et al. 2015, arXiv 1511.05644, section 2). The third form, the
universal approximator, is deterministic here: its encoder has noise inputs (see `noise_dim` of
`networks.encoder`).
"""

import tensorflow as tf

from adversarial_autoencoder.devices import replicas


def deterministic(head, seed=None):
    """Returns the output of the encoder as the code.

    Args:
        head: The encoder's output for z, shape (batch, dim).
        seed: Ignored.

    Returns:
        The code z: `head` itself.
    """
    del seed
    return head


def gaussian(head, seed=None):
    """Draws the code from N(mean, variance) by the reparameterization trick.

    The code is mean + std * noise, so gradients reach mean and variance (Kingma and Welling 2014,
    arXiv 1312.6114, section 2.4).

    Args:
        head: The encoder's output for z: mean and log variance, shape (batch, 2 * dim).
        seed: Integer tensor of shape (2,). The same seed gives the same noise. None: return the
            mean.

    Returns:
        The code z, shape (batch, dim).

    Example:
        >>> import tensorflow as tf
        >>> from adversarial_autoencoder import posteriors
        >>> head = tf.constant([[1.0, 2.0, 0.0, 0.0]])
        >>> posteriors.gaussian(head).numpy().tolist()
        [[1.0, 2.0]]
        >>> posteriors.gaussian(head, seed=(0, 0)).shape
        TensorShape([1, 2])
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
    """Splits the encoder's output of a Gaussian posterior.

    Args:
        head: Shape (batch, 2 * dim).

    Returns:
        The mean and the log variance, each of shape (batch, dim).
    """
    return tf.split(head, 2, axis=-1)


POSTERIORS = {"deterministic": deterministic, "gaussian": gaussian}
