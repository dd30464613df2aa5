"""Losses as pure functions of tensors. Each returns one scalar: the mean over the batch."""

import math
import typing

import tensorflow as tf


def mean_squared_error(x, x_logits):
    """Computes the mean squared error between images and reconstructions.

    Args:
        x: Images, float tensor of shape (batch, ...), in [0, 1].
        x_logits: Output of the decoder, same shape. The reconstruction is its sigmoid.

    Returns:
        A scalar in [0, 1]: the mean over batch and pixels.

    Example:
        >>> from adversarial_autoencoder import losses
        >>> float(losses.mean_squared_error([[0.0, 1.0]], [[0.0, 0.0]]))
        0.25
    """
    return tf.reduce_mean(tf.square(x - tf.sigmoid(x_logits)))


def binary_cross_entropy(x, x_logits):
    """Computes the binary cross-entropy between images and reconstructions.

    The value of a pixel is read as a probability. The loss is the negative log-likelihood of a
    Bernoulli decoder (Kingma and Welling 2014, arXiv 1312.6114, appendix C.1).

    Args:
        x: Images, float tensor of shape (batch, ...), in [0, 1].
        x_logits: Output of the decoder, same shape. The reconstruction is its sigmoid.

    Returns:
        A scalar >= 0, in nats: the mean over batch and pixels.
    """
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=x_logits))


RECONSTRUCTION = {"mse": mean_squared_error, "bce": binary_cross_entropy}


def cross_entropy(labels, logits):
    """Computes the softmax cross-entropy of the labelled images of a batch.

    Args:
        labels: Classes, integer tensor of shape (batch,). Negative labels are ignored.
        logits: Scores before the softmax, float tensor of shape (batch, num_classes).

    Returns:
        A scalar >= 0, in nats: the mean over the labelled images. 0 if no image is labelled.
    """
    known = tf.cast(labels >= 0, logits.dtype)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
    return tf.math.divide_no_nan(tf.reduce_sum(known * loss), tf.reduce_sum(known))


def accuracy(labels, logits):
    """Computes the share of the labelled images whose class has the highest score.

    Args:
        labels: Classes, integer tensor of shape (batch,). Negative labels are ignored.
        logits: Scores before the softmax, float tensor of shape (batch, num_classes).

    Returns:
        A scalar in [0, 1]. 0 if no image is labelled.
    """
    known = tf.cast(labels >= 0, logits.dtype)
    right = tf.cast(tf.argmax(logits, axis=-1, output_type=labels.dtype) == labels, logits.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(known * right), tf.reduce_sum(known))


def categorical_kl(logits, other_logits):
    """Computes KL(p || q) between two categorical distributions.

    This is the divergence of virtual adversarial training (Miyato et al. 2017, arXiv 1704.03976,
    section 3).

    Args:
        logits: Scores of p before the softmax, float tensor of shape (batch, num_classes).
        other_logits: Scores of q before the softmax, same shape.

    Returns:
        A scalar >= 0, in nats: the mean over the batch. 0 if p and q are equal.
    """
    log_p, log_q = tf.nn.log_softmax(logits), tf.nn.log_softmax(other_logits)
    return tf.reduce_mean(tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=-1))


# The weight of the divergence from p(y) in `information_loss`, as in the experiments of Hu et al.
SHARES_WEIGHT = 4.0


def information_loss(logits, shares):
    """Computes H(q(y|x)) + 4 KL(q(y) || p(y)), which is low if y carries information about x.

    The first term is low if the encoder is certain about the value of y for each image. The second
    term is low if the values of y are used in the proportions of the prior. q(y) is the mean of
    q(y|x) over the batch.

    With a weight of 1 and a uniform prior, the loss is the negative mutual information of x and y,
    up to a constant. Source: Hu et al. 2017, "Learning Discrete Representations via Information
    Maximizing Self-Augmented Training", arXiv 1702.08720, section 3.

    Args:
        logits: Scores before the softmax, float tensor of shape (batch, k). Use a batch of at
            least k images: a smaller batch cannot use every value of y.
        shares: Probability of each value of y in the prior p(y), shape (k,), each > 0.

    Returns:
        A scalar >= 0, in nats. 0 if q(y|x) is certain for every image and q(y) equals p(y).

    Example:
        >>> import tensorflow as tf
        >>> from adversarial_autoencoder import losses
        >>> print(f"{losses.information_loss(tf.zeros((4, 2)), shares=[0.5, 0.5]):.3f}")  # log 2
        0.693
    """
    log_q = tf.nn.log_softmax(logits)
    entropy = -tf.reduce_mean(tf.reduce_sum(tf.exp(log_q) * log_q, axis=-1))
    n = tf.cast(tf.shape(logits)[0], logits.dtype)
    log_mean = tf.reduce_logsumexp(log_q, axis=0) - tf.math.log(n)
    divergence = tf.reduce_sum(
        tf.exp(log_mean) * (log_mean - tf.math.log(tf.cast(shares, logits.dtype)))
    )
    return entropy + SHARES_WEIGHT * divergence


def gaussian_kl(mean, log_variance, prior_std):
    """Computes KL(N(mean, variance) || N(0, prior_std^2)), summed over the dimensions of the code.

    This is the regularization term of a variational autoencoder in closed form (Kingma and Welling
    2014, arXiv 1312.6114, appendix B), for a prior of any standard deviation.

    Args:
        mean: Means of the posterior q(z|x), float tensor of shape (batch, dim).
        log_variance: Logarithms of its variances, same shape.
        prior_std: Standard deviation of the prior p(z), float > 0.

    Returns:
        A scalar >= 0, in nats: the mean over the batch. 0 if every posterior equals the prior.

    Example:
        >>> import tensorflow as tf
        >>> from adversarial_autoencoder import losses
        >>> zeros = tf.zeros((1, 2))
        >>> float(losses.gaussian_kl(mean=zeros + 1.0, log_variance=zeros, prior_std=1.0))
        1.0
    """
    log_ratio = log_variance - 2.0 * math.log(prior_std)
    kl = 0.5 * (tf.exp(log_ratio) + tf.square(mean) / prior_std**2 - 1.0 - log_ratio)
    return tf.reduce_mean(tf.reduce_sum(kl, axis=-1))


def maximum_mean_discrepancy(z, z_prior):
    """Estimates the squared MMD between codes and samples of the prior, without bias.

    The kernel is the mean of inverse multiquadric kernels C / (C + d^2), where d is the distance
    of two points. C is twice the total variance of the prior, times 0.1, 0.2, 0.5, 1, 2, 5 and 10.
    Source: Tolstikhin et al. 2018, "Wasserstein Auto-Encoders", arXiv 1711.01558, section 4 and
    algorithm 2.

    Args:
        z: Codes, float tensor of shape (batch, dim), batch >= 2.
        z_prior: Samples of the prior, same shape.

    Returns:
        A scalar in [-2, 2]. Its expectation is 0 if both samples come from one distribution.

    Example:
        >>> import tensorflow as tf
        >>> from adversarial_autoencoder import losses
        >>> z, z_prior = tf.random.stateless_normal((2, 500, 2), seed=(0, 0))
        >>> abs(float(losses.maximum_mean_discrepancy(z, z_prior))) < 0.01
        True
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
    """Computes L_D = -mean[log D(z') + log(1 - D(z))].

    Sources: Goodfellow et al. 2014, arXiv 1406.2661, equation 1; Makhzani et al. 2015,
    arXiv 1511.05644, section 1.

    Args:
        real_logits: Logits of D for samples z' of the prior (target 1), shape (batch, 1).
        fake_logits: Logits of D for codes z of the encoder (target 0), shape (batch, 1).

    Returns:
        A scalar >= 0, in nats. 2 log 2 = 1.386 if D outputs 0.5 for every input.

    Example:
        >>> import tensorflow as tf
        >>> from adversarial_autoencoder import losses
        >>> logits = tf.zeros((4, 1))
        >>> print(f"{losses.non_saturating_discriminator(logits, logits):.3f}")
        1.386
    """
    real, fake = tf.nn.softplus(-real_logits), tf.nn.softplus(fake_logits)
    return tf.reduce_mean(real) + tf.reduce_mean(fake)


def non_saturating_generator(fake_logits):
    """Computes L_G = -mean log D(z) (Goodfellow et al. 2014, arXiv 1406.2661, section 3).

    Args:
        fake_logits: Logits of D for codes z of the encoder, shape (batch, 1).

    Returns:
        A scalar >= 0, in nats. log 2 = 0.693 if D outputs 0.5 for every code.
    """
    return tf.reduce_mean(tf.nn.softplus(-fake_logits))


def least_squares_discriminator(real_logits, fake_logits):
    """Computes the discriminator's least-squares loss, with the targets 1 (real) and 0 (fake).

    Source: Mao et al. 2017, "Least Squares GAN", arXiv 1611.04076, equation 9.

    Args:
        real_logits: Outputs of D for samples of the prior, shape (batch, 1).
        fake_logits: Outputs of D for codes of the encoder, shape (batch, 1).

    Returns:
        A scalar >= 0. 0.25 if D outputs 0.5 for every input.
    """
    return 0.5 * (
        tf.reduce_mean(tf.square(real_logits - 1.0)) + tf.reduce_mean(tf.square(fake_logits))
    )


def least_squares_generator(fake_logits):
    """Computes the encoder's least-squares loss (Mao et al. 2017, arXiv 1611.04076, equation 9).

    Args:
        fake_logits: Outputs of D for codes of the encoder (target 1), shape (batch, 1).

    Returns:
        A scalar >= 0. 0.125 if D outputs 0.5 for every code.
    """
    return 0.5 * tf.reduce_mean(tf.square(fake_logits - 1.0))


def hinge_discriminator(real_logits, fake_logits):
    """Computes the discriminator's hinge loss (Lim and Ye 2017, "Geometric GAN", arXiv 1705.02894).

    The encoder's part of this loss is `wasserstein_generator`.

    Args:
        real_logits: Outputs of D for samples of the prior, shape (batch, 1).
        fake_logits: Outputs of D for codes of the encoder, shape (batch, 1).

    Returns:
        A scalar >= 0. 2 if D outputs 0 for every input.
    """
    return tf.reduce_mean(tf.nn.relu(1.0 - real_logits)) + tf.reduce_mean(
        tf.nn.relu(1.0 + fake_logits)
    )


def wasserstein_discriminator(real_logits, fake_logits):
    """Computes mean D(z) - mean D(z') (Arjovsky et al. 2017, arXiv 1701.07875, equation 2).

    The loss needs a Lipschitz-continuous D. Add `gradient_penalty` to keep D so.

    Args:
        real_logits: Outputs of D for samples z' of the prior, shape (batch, 1).
        fake_logits: Outputs of D for codes z of the encoder, shape (batch, 1).

    Returns:
        A scalar of any sign. 0 if D outputs the same value for every input.
    """
    return tf.reduce_mean(fake_logits) - tf.reduce_mean(real_logits)


def wasserstein_generator(fake_logits):
    """Computes -mean D(z), the encoder's part of the Wasserstein loss and of the hinge loss.

    Source: Arjovsky et al. 2017, arXiv 1701.07875, section 3.

    Args:
        fake_logits: Outputs of D for codes z of the encoder, shape (batch, 1).

    Returns:
        A scalar of any sign.
    """
    return -tf.reduce_mean(fake_logits)


def gradient_penalty(gradients):
    """Computes the mean squared deviation of gradient norms from 1.

    Source: Gulrajani et al. 2017, arXiv 1704.00028, equation 3 (without its weight, lambda).

    Args:
        gradients: Gradients of D's output with respect to its input, shape (batch, dim).

    Returns:
        A scalar >= 0. 0 if every gradient has norm 1.
    """
    norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=-1) + 1e-12)
    return tf.reduce_mean(tf.square(norms - 1.0))


class Adversarial(typing.NamedTuple):
    """An adversarial loss: the loss of the discriminator and the loss of the encoder.

    Args:
        discriminator: Function `(real_logits, fake_logits) -> loss`.
        generator: Function `(fake_logits) -> loss`; the encoder is the generator.
        threshold: The discriminator classifies an input as real if its logit is above this value.
        penalty: Whether to add a gradient penalty to the discriminator's loss.
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
