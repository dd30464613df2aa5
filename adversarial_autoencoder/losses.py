"""Losses as pure functions on tensors; each returns one scalar, the mean over the batch."""

import math
import typing

import tensorflow as tf


def mean_squared_error(x, x_logits):
    """Mean squared error between images and reconstructions.

    Args:
        x: Images in [0, 1], shape (batch, ...).
        x_logits: The decoder's output, the logits of the reconstruction, of the same shape.

    Returns:
        The mean over batch and pixels, in [0, 1].
    """
    return tf.reduce_mean(tf.square(x - tf.sigmoid(x_logits)))


def binary_cross_entropy(x, x_logits):
    """Binary cross-entropy between images, read as probabilities, and reconstructions.

    Args:
        x: Images in [0, 1], shape (batch, ...).
        x_logits: The decoder's output, the logits of the reconstruction, of the same shape.

    Returns:
        The mean over batch and pixels, in nats.
    """
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=x_logits))


RECONSTRUCTION = {"mse": mean_squared_error, "bce": binary_cross_entropy}


def cross_entropy(labels, logits):
    """Softmax cross-entropy of the labelled images of a batch.

    Args:
        labels: Classes, integers of shape (batch,); those that are negative ("unlabelled") do not
            count.
        logits: Scores before the softmax, shape (batch, num_classes).

    Returns:
        The mean over the labelled images, in nats; 0 where there are none.
    """
    known = tf.cast(labels >= 0, logits.dtype)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
    return tf.math.divide_no_nan(tf.reduce_sum(known * loss), tf.reduce_sum(known))


def categorical_kl(logits, other_logits):
    """KL(p || q) between the categorical distributions p = softmax(logits), q of `other_logits`.

    Args:
        logits: Scores before the softmax, shape (batch, num_classes).
        other_logits: The same of the other distribution.

    Returns:
        The mean over the batch, in nats.
    """
    log_p, log_q = tf.nn.log_softmax(logits), tf.nn.log_softmax(other_logits)
    return tf.reduce_mean(tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=-1))


# How much more it counts which shares the values of y have than how sure they are.
SHARES_WEIGHT = 4.0


def information_loss(logits, shares):
    """H(q(y|x)) + 4 KL(q(y) || p(y)): low where y tells much of x, and its values are used evenly.

    Hu et al. 2017 ("Learning Discrete Representations via Information Maximizing Self-Augmented
    Training", arXiv 1702.08720), section 3, with the weight of their experiments. With a weight of
    1 and equal shares it would be the mutual information of x and y with its sign changed, but for
    a constant. q(y) is the mean of q(y|x) over the batch.

    Args:
        logits: Scores before the softmax, shape (batch, k), batch >= k: fewer images cannot use
            every value.
        shares: Probability of each value of y in its prior p(y), shape (k,), each above 0.

    Returns:
        A scalar in nats, >= 0; 0 where q(y|x) is sure for every image and q(y) is p(y).
    """
    log_q = tf.nn.log_softmax(logits)
    entropy = -tf.reduce_mean(tf.reduce_sum(tf.exp(log_q) * log_q, axis=-1))
    n = tf.cast(tf.shape(logits)[0], logits.dtype)
    log_mean = tf.reduce_logsumexp(log_q, axis=0) - tf.math.log(n)
    divergence = tf.reduce_sum(
        tf.exp(log_mean) * (log_mean - tf.math.log(tf.cast(shares, logits.dtype)))
    )
    return entropy + SHARES_WEIGHT * divergence


def accuracy(labels, logits):
    """Share of the labelled images of a batch whose class has the highest score.

    Args and the meaning of negative labels: as for `cross_entropy`.
    """
    known = tf.cast(labels >= 0, logits.dtype)
    right = tf.cast(tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels, logits.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(known * right), tf.reduce_sum(known))


def gaussian_kl(mean, log_variance, prior_std):
    """KL(N(mean, variance) || N(0, prior_std^2)), summed over the dimensions of the code.

    Kingma and Welling 2014, appendix B.

    Args:
        mean: Means of the posterior, shape (batch, dim).
        log_variance: Logarithms of its variances, shape (batch, dim).
        prior_std: Standard deviation of the prior, > 0.

    Returns:
        The mean over the batch, in nats.
    """
    log_ratio = log_variance - 2.0 * math.log(prior_std)
    kl = 0.5 * (tf.exp(log_ratio) + tf.square(mean) / prior_std**2 - 1.0 - log_ratio)
    return tf.reduce_mean(tf.reduce_sum(kl, axis=-1))


def maximum_mean_discrepancy(z, z_prior):
    """Unbiased estimate of MMD^2 with a mean of inverse multiquadric kernels C / (C + d^2).

    Tolstikhin et al. 2018 ("Wasserstein Auto-Encoders", arXiv 1711.01558), section 4: C is twice
    the total variance of the prior, times 0.1, 0.2, 0.5, 1, 2, 5 and 10.

    Args:
        z: Codes, shape (batch, dim), batch >= 2.
        z_prior: Samples of the prior, of the same shape.

    Returns:
        A scalar; 0 on average for two samples of one distribution.
    """
    n = tf.cast(tf.shape(z)[0], z.dtype)
    scale = 2.0 * tf.reduce_sum(tf.math.reduce_variance(z_prior, axis=0))
    factors = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

    def kernel(a, b):
        a_square, b_square = (tf.reduce_sum(tf.square(part), axis=1) for part in (a, b))
        products = tf.matmul(a, b, transpose_b=True)
        squared = tf.nn.relu(a_square[:, None] + b_square[None, :] - 2.0 * products)
        kernels = [
            tf.math.divide_no_nan(scale * factor, scale * factor + squared) for factor in factors
        ]
        return tf.add_n(kernels) / len(factors)

    def mean_of_pairs(k):
        return tf.math.divide_no_nan(tf.reduce_sum(k) - tf.linalg.trace(k), n * (n - 1.0))

    within = mean_of_pairs(kernel(z, z)) + mean_of_pairs(kernel(z_prior, z_prior))
    return within - 2.0 * tf.reduce_mean(kernel(z, z_prior))


def non_saturating_discriminator(real_logits, fake_logits):
    """L_D = -mean[log D(z') + log(1 - D(z))]; 2 log 2 = 1.386 when D cannot tell them apart.

    Goodfellow et al. 2014, equation 1; Makhzani et al. 2015, section 1.

    Args:
        real_logits: Logits of D on samples z' of the prior (target 1), shape (batch, 1).
        fake_logits: Logits of D on codes z of the encoder (target 0), shape (batch, 1).
    """
    real, fake = tf.nn.softplus(-real_logits), tf.nn.softplus(fake_logits)
    return tf.reduce_mean(real) + tf.reduce_mean(fake)


def non_saturating_generator(fake_logits):
    """L_G = -mean log D(z) (Goodfellow et al. 2014, section 3)."""
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def least_squares_discriminator(real_logits, fake_logits):
    """Mao et al. 2017, equation 9 (targets 1 and 0); 0.25 when D cannot tell them apart."""
    return 0.5 * (
        tf.reduce_mean(tf.square(real_logits - 1.0)) + tf.reduce_mean(tf.square(fake_logits))
    )


def least_squares_generator(fake_logits):
    """Mao et al. 2017, equation 9."""
    return 0.5 * tf.reduce_mean(tf.square(fake_logits - 1.0))


def hinge_discriminator(real_logits, fake_logits):
    """Lim and Ye 2017, "Geometric GAN"; 2 when D cannot tell them apart."""
    return tf.reduce_mean(tf.nn.relu(1.0 - real_logits)) + tf.reduce_mean(
        tf.nn.relu(1.0 + fake_logits)
    )


def wasserstein_discriminator(real_logits, fake_logits):
    """Arjovsky et al. 2017, without the penalty that keeps D Lipschitz."""
    return tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)


def wasserstein_generator(fake_logits):
    """Arjovsky et al. 2017; also the generator's part of the hinge loss."""
    return -tf.reduce_mean(fake_logits)


def gradient_penalty(gradients):
    """Mean squared deviation of the norms of D's gradients from 1 (Gulrajani et al. 2017).

    Args:
        gradients: Gradients of D's output by its input, shape (batch, dim).
    """
    norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=-1) + 1e-12)
    return tf.reduce_mean(tf.square(norms - 1.0))


class Adversarial(typing.NamedTuple):
    """The two losses of an adversarial game.

    Args:
        discriminator: Function of the logits on real and on fake inputs.
        generator: Function of the logits on fake inputs.
        threshold: The logit above which the discriminator takes an input for real.
        penalty: Whether the discriminator's loss goes with a gradient penalty.
    """

    discriminator: typing.Callable
    generator: typing.Callable
    threshold: float = 0.0
    penalty: bool = False


ADVERSARIAL = {
    "non_saturating": Adversarial(non_saturating_discriminator, non_saturating_generator),
    "least_squares": Adversarial(
        least_squares_discriminator, least_squares_generator, threshold=0.5
    ),
    "hinge": Adversarial(hinge_discriminator, wasserstein_generator),
    "wasserstein_gp": Adversarial(wasserstein_discriminator, wasserstein_generator, penalty=True),
}
