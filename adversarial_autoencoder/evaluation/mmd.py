"""The maximum mean discrepancy between two samples, in blocks that need little memory."""

import numpy as np

from adversarial_autoencoder.evaluation.checks import check_same_width

# Points of each side whose kernel is computed at once.
_BLOCK = 500


def maximum_mean_discrepancy(a, b, kernel):
    """Unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, lemma 6).

    Args:
        a: Points, shape (n, dim), n >= 2.
        b: Points, shape (m, dim), m >= 2.
        kernel: A positive definite function of two arrays of points, (n, dim) and (m, dim), whose
            values have the shape (n, m).

    Returns:
        A number, 0 on average for two samples of one distribution, and so at times below 0.

    Raises:
        ValueError: If the shapes do not fit.
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
