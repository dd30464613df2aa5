"""Parzen's estimate of the log-likelihood of images under a generator.

It is here because the literature reports it. It rewards smooth samples and says little about their
quality (Theis et al. 2016, arXiv 1511.01844), so that it should never stand alone.
"""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

from adversarial_autoencoder.evaluation.checks import check_same_width

# Mebibytes of distances computed at once.
_MEMORY = 64

# The kernel widths that are tried, in units of the pixels.
SIGMAS = tuple(np.geomspace(0.02, 2.0, 25).round(4).tolist())


def parzen_log_likelihoods(x, samples, sigmas):
    """Log-likelihood of each point under Gaussian kernels around samples.

    log p(x) = log mean_i N(x; samples_i, sigma^2 I), Breuleux et al. 2011; Goodfellow et al. 2014.

    Args:
        x: Points, shape (n, dim).
        samples: Samples of the generator, shape (m, dim).
        sigmas: Standard deviations of the kernel, a sequence of k numbers above 0.

    Returns:
        Log-likelihoods in nats, shape (k, n).

    Raises:
        ValueError: If the shapes do not fit.
    """
    check_same_width(x, samples)
    sigmas = np.asarray(sigmas, "float64")

    def of_block(squared, start):
        # Relative to the nearest sample, whose exponential would underflow too.
        nearest = squared.min(axis=1, keepdims=True)
        farther = squared - nearest
        sums = [np.exp(farther * (-0.5 / sigma**2)).sum(axis=1) for sigma in sigmas]
        return np.log(np.transpose(sums)) - 0.5 * nearest / sigmas**2

    blocks = pairwise_distances_chunked(
        np.asarray(x, "float64"),
        np.asarray(samples, "float64"),
        reduce_func=of_block,
        working_memory=_MEMORY,
        squared=True,
    )
    scale = 0.5 * x.shape[1] * np.log(2 * np.pi * sigmas**2) + np.log(len(samples))
    return np.concatenate(list(blocks)).T - scale[:, None]


def choose_sigma(x_validation, samples, sigmas=SIGMAS):
    """The width of the kernel under which validation images are the most likely.

    Args:
        x_validation: Images that are not those to be measured, shape (n, dim).
        samples: Samples of the generator, shape (m, dim).
        sigmas: Standard deviations to try, rising.

    Returns:
        The best of `sigmas` and of three more towards each of its neighbours: half a step of the
        default's ratio, 1.2, costs 7 nats on MNIST.
    """

    def best(widths):
        means = parzen_log_likelihoods(x_validation, samples, widths).mean(axis=1)
        return int(means.argmax())

    i = best(sigmas)
    chosen = sigmas[i]
    neighbours = (*sigmas[max(i - 1, 0) : i], *sigmas[i + 1 : i + 2])
    finer = [chosen * (other / chosen) ** (k / 4) for other in neighbours for k in (1, 2, 3)]
    finer.append(chosen)
    return float(finer[best(finer)])


def parzen(x, samples, sigma):
    """Mean log-likelihood of images under Gaussian kernels around samples of a generator.

    Args:
        x: Images, shape (n, dim), n >= 2.
        samples: Samples of the generator, shape (m, dim).
        sigma: Standard deviation of the kernel, from `choose_sigma`.

    Returns:
        The mean over the images, and its standard error, both in nats.
    """
    (values,) = parzen_log_likelihoods(x, samples, [sigma])
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
