"""How much generated images are like real ones, in a space of features.

Every measure takes the features of real and of generated images, arrays of shape (n, dim) and
(m, dim), as those of `features`. A value says something only beside other values in the same space,
with the same numbers of images.
"""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from adversarial_autoencoder.evaluation.checks import check_same_width
from adversarial_autoencoder.evaluation.mmd import maximum_mean_discrepancy

# Mebibytes of distances computed at once.
_MEMORY = 64


def frechet_distance(real, generated):
    """Fréchet distance between two Gaussians with the moments of the samples (FID).

    Heusel et al. 2017 ("GANs Trained by a Two Time-Scale Update Rule", arXiv 1706.08500):
    |m_r - m_g|^2 + tr(C_r + C_g - 2 (C_r C_g)^(1/2)), in squared units of the features.

    Returns:
        The distance, >= 0; 0 for equal moments.
    """
    check_same_width(real, generated)
    real, generated = np.asarray(real, "float64"), np.asarray(generated, "float64")
    c_real, c_generated = (np.atleast_2d(np.cov(f, rowvar=False)) for f in (real, generated))
    # C_r C_g has the eigenvalues of the symmetric S C_g S with S = C_r^(1/2).
    values, vectors = np.linalg.eigh(c_real)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ c_generated @ root), 0)).sum()
    shift = np.sum(np.square(real.mean(axis=0) - generated.mean(axis=0)))
    return float(max(shift + np.trace(c_real) + np.trace(c_generated) - 2 * cross, 0))


def kernel_distance(real, generated):
    """Kernel Inception distance (KID), in the features given: the unbiased squared MMD.

    Binkowski et al. 2018 ("Demystifying MMD GANs", arXiv 1801.01401), section 4: the kernel is
    (a b / dim + 1)^3. It is computed from all images at once instead of from subsets of them.

    Returns:
        The distance, 0 on average for samples of one distribution, and so at times below 0.
    """

    def kernel(a, b):
        k = a @ b.T / a.shape[1] + 1
        return k * k * k  # A power of 3 takes many times as long.

    real, generated = (np.asarray(features, "float64") for features in (real, generated))
    return maximum_mean_discrepancy(real, generated, kernel)


def precision_and_recall(real, generated, k=3):
    """Which share of generated images look real, and which share of real ones can be generated.

    Kynkäänniemi et al. 2019 ("Improved Precision and Recall Metric", arXiv 1904.06991): a point is
    covered by a sample if it lies within the distance of a point of the sample to that point's k-th
    nearest neighbour in the sample. Precision is the share of generated images covered by the real
    ones, recall that of the real images covered by the generated ones.

    Args:
        real, generated: Features, with more than k images each.
        k: Number of the neighbour, >= 1.

    Returns:
        Precision and recall, each in [0, 1].
    """
    check_same_width(real, generated)
    return _covered(generated, real, k), _covered(real, generated, k)


def _covered(points, sample, k):
    """The share of points that a sample covers."""
    # Without points, scikit-learn leaves the point itself out of its neighbours.
    neighbours = NearestNeighbors(n_neighbors=k).fit(sample)
    radii = neighbours.kneighbors()[0][:, -1]
    blocks = pairwise_distances_chunked(
        points,
        sample,
        reduce_func=lambda distances, start: (distances <= radii).any(axis=1),
        working_memory=_MEMORY,
    )
    return float(np.concatenate(list(blocks)).mean())
