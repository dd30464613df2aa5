"""How well images are reconstructed.

Every measure takes images x and their reconstructions, arrays of the same shape (n, height, width,
channels) with values in [0, 1].
"""

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.evaluation.checks import check_same_shape

# Images compared at once.
_BLOCK = 1000


def mean_squared_error(x, reconstruction):
    """Mean over images and pixels of the squared difference, in [0, 1]."""
    check_same_shape(x, reconstruction)
    return float(np.mean(np.square(np.subtract(x, reconstruction)), dtype="float64"))


def binary_cross_entropy(x, reconstruction):
    """Binary cross-entropy of a pixel, read as a probability, in nats; the mean over all.

    The reconstruction is kept 1e-7 away from 0 and 1, so that no pixel costs more than 16.1 nats.
    """
    check_same_shape(x, reconstruction)
    p = np.clip(np.asarray(reconstruction, "float32"), 1e-7, 1 - 1e-7)
    return float(-np.mean(x * np.log(p) + (1 - x) * np.log1p(-p), dtype="float64"))


def peak_signal_to_noise_ratio(x, reconstruction):
    """Mean over images of -10 log10 of the mean squared error of an image, in decibels.

    Infinite where an image is reconstructed without any error.
    """
    check_same_shape(x, reconstruction)
    difference = np.subtract(x, reconstruction).reshape(len(x), -1)
    with np.errstate(divide="ignore"):
        ratios = -10 * np.log10(np.mean(np.square(difference), axis=1, dtype="float64"))
    return float(np.mean(ratios))


def structural_similarity(x, reconstruction):
    """Mean over images of the structural similarity SSIM, at most 1, which equal images have.

    Wang et al. 2004, with their constants: a Gaussian window of 11 pixels and standard deviation
    1.5, K1 = 0.01, K2 = 0.03. The window is as large as the image where that is smaller.
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
