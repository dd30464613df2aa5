"""The maximum mean discrepancy between two samples, computed in blocks to save memory."""

from collections.abc import Callable

import numpy as np

from adversarial_autoencoder.evaluation.checks import check_same_width

# Points of each sample in one block. A block of the kernel has at most _BLOCK^2 values.
_BLOCK = 500


def maximum_mean_discrepancy(
    a: np.ndarray, b: np.ndarray, kernel: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> float:
    """Computes the unbiased estimate of the squared maximum mean discrepancy.

    Gretton et al. 2012 ("A Kernel Two-Sample Test"), lemma 6.

    Args:
        a: Points, shape (n, dim), n >= 2.
        b: Points, shape (m, dim), m >= 2.
        kernel: A positive definite kernel. It takes two arrays of points with shapes (n, dim) and
            (m, dim), and returns an array of shape (n, m).

    Returns:
        The estimate. Its mean is 0 for two samples of the same distribution, so it can be negative.

    Raises:
        ValueError: If the arrays are not two-dimensional or their row lengths differ.
    """
    check_same_width(a, b)

    def blocks(points):
        return [points[i : i + _BLOCK] for i in range(0, len(points), _BLOCK)]

    def total(points, others):
        return float(kernel(points, others).sum(dtype="float64"))

    def mean_of_pairs(points):
        parts = blocks(points)
        between = sum(total(p, q) for i, p in enumerate(parts) for q in parts[:i])
        within = sum(total(p, p) - np.trace(kernel(p, p), dtype="float64") for p in parts)
        return float(2 * between + within) / (len(points) * (len(points) - 1))

    across = sum(total(p, q) for p in blocks(a) for q in blocks(b)) / (len(a) * len(b))
    return mean_of_pairs(a) + mean_of_pairs(b) - 2 * across
