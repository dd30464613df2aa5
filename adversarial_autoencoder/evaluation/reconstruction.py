"""Differences between images and their reconstructions.

Each measure takes two arrays of the same shape (n, height, width, channels) with values in [0, 1].
"""

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.evaluation.checks import check_same_shape

# Images in one call of tf.image.ssim, which needs many times their memory.
_BLOCK = 1000


def mean_squared_error(x: np.ndarray, reconstruction: np.ndarray) -> float:
    """Computes the mean squared error over all images and pixels.

    Args:
        x: Images, shape (n, height, width, channels), values in [0, 1].
        reconstruction: Reconstructions, same shape and range.

    Returns:
        The error, in [0, 1].

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(x, reconstruction)
    return float(np.mean(np.square(np.subtract(x, reconstruction)), dtype="float64"))


def binary_cross_entropy(x: np.ndarray, reconstruction: np.ndarray) -> float:
    """Computes the mean binary cross-entropy over all images and pixels.

    Each pixel is a probability. The function clips the reconstruction to [1e-7, 1 - 1e-7], so the
    cross-entropy of one pixel is at most 16.1 nats.

    Args:
        x: Images, shape (n, height, width, channels), values in [0, 1].
        reconstruction: Reconstructions, same shape and range.

    Returns:
        The cross-entropy per pixel, in nats.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(x, reconstruction)
    p = np.clip(np.asarray(reconstruction, "float32"), 1e-7, 1 - 1e-7)
    return float(-np.mean(x * np.log(p) + (1 - x) * np.log1p(-p), dtype="float64"))


def peak_signal_to_noise_ratio(x: np.ndarray, reconstruction: np.ndarray) -> float:
    """Computes the peak signal-to-noise ratio of each image, then the mean over the images.

    The ratio of an image is -10 log10 of its mean squared error.

    Args:
        x: Images, shape (n, height, width, channels), values in [0, 1].
        reconstruction: Reconstructions, same shape and range.

    Returns:
        The ratio in decibels. It is infinite if at least one image has no error.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(x, reconstruction)
    difference = np.subtract(x, reconstruction).reshape(len(x), -1)
    with np.errstate(divide="ignore"):
        ratios = -10 * np.log10(np.mean(np.square(difference), axis=1, dtype="float64"))
    return float(np.mean(ratios))


def structural_similarity(x: np.ndarray, reconstruction: np.ndarray) -> float:
    """Computes the structural similarity (SSIM) of each image, then the mean over the images.

    Wang et al. 2004 ("Image Quality Assessment: From Error Visibility to Structural Similarity"),
    equation 13, with the constants of the paper: a Gaussian window of 11 x 11 pixels with standard
    deviation 1.5, K1 = 0.01 and K2 = 0.03. Images with fewer than 11 rows or columns have a
    smaller window.

    Args:
        x: Images, shape (n, height, width, channels), values in [0, 1].
        reconstruction: Reconstructions, same shape and range.

    Returns:
        The similarity, at most 1. It is 1 if all images are equal to their reconstructions.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(x, reconstruction)
    size = min(11, *x.shape[1:3])
    values = [
        tf.image.ssim(
            np.asarray(x[i : i + _BLOCK], "float32"),
            np.asarray(reconstruction[i : i + _BLOCK], "float32"),
            max_val=1.0,
            filter_size=size,
        )
        for i in range(0, len(x), _BLOCK)
    ]
    return float(np.mean(np.concatenate(values), dtype="float64"))
