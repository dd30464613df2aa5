"""Similarity of generated and real images, measured in a feature space.

Each measure takes two arrays of features from `evaluation.features`. The features of real images
have the shape (n, dim), the features of generated images have the shape (m, dim). Compare a value
only with values that come from the same feature space and the same numbers of images.
"""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from adversarial_autoencoder.evaluation.checks import check_same_width
from adversarial_autoencoder.evaluation.mmd import maximum_mean_discrepancy

# Maximum memory of one block of distances, in MiB.
_MEMORY = 64


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Computes the Fréchet distance between two Gaussians fitted to the features (FID).

    Heusel et al. 2017 ("GANs Trained by a Two Time-Scale Update Rule", arXiv 1706.08500). With the
    means m and covariances C of real (r) and generated (g) features, the distance is
    |m_r - m_g|^2 + tr(C_r + C_g - 2 (C_r C_g)^(1/2)).

    Args:
        real: Features of real images, shape (n, dim), n >= 2.
        generated: Features of generated images, shape (m, dim), m >= 2.

    Returns:
        The distance, >= 0, in squared units of the features. It is 0 if means and covariances are
        equal.

    Raises:
        ValueError: If the arrays are not two-dimensional or their row lengths differ.
    """
    check_same_width(real, generated)
    real, generated = np.asarray(real, "float64"), np.asarray(generated, "float64")
    c_real, c_generated = (np.atleast_2d(np.cov(f, rowvar=False)) for f in (real, generated))
    # C_r C_g has the same eigenvalues as S C_g S with S = C_r^(1/2), which is symmetric.
    values, vectors = np.linalg.eigh(c_real)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ c_generated @ root), 0)).sum()
    shift = np.sum(np.square(real.mean(axis=0) - generated.mean(axis=0)))
    return float(max(shift + np.trace(c_real) + np.trace(c_generated) - 2 * cross, 0))


def kernel_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Computes the kernel distance (KID), the unbiased squared MMD with a cubic kernel.

    Binkowski et al. 2018 ("Demystifying MMD GANs", arXiv 1801.01401), section 4. The kernel is
    (a b / dim + 1)^3. The paper averages over subsets of the images. This function uses all images
    at once.

    Args:
        real: Features of real images, shape (n, dim), n >= 2.
        generated: Features of generated images, shape (m, dim), m >= 2.

    Returns:
        The distance. Its mean is 0 for two samples of the same distribution, so it can be negative.

    Raises:
        ValueError: If the arrays are not two-dimensional or their row lengths differ.
    """

    def kernel(a, b):
        k = a @ b.T / a.shape[1] + 1
        return k * k * k  # Much faster than k**3.

    real, generated = np.asarray(real, "float64"), np.asarray(generated, "float64")
    return maximum_mean_discrepancy(real, generated, kernel)


def precision_and_recall(
    real: np.ndarray, generated: np.ndarray, k: int = 3
) -> tuple[float, float]:
    """Computes which fraction of generated images is realistic and of real images is covered.

    Kynkäänniemi et al. 2019 ("Improved Precision and Recall Metric for Assessing Generative
    Models", arXiv 1904.06991), section 2. Around each image of a sample, take the ball whose radius
    is the distance to its k-th nearest neighbour in the sample. The sample covers an image that is
    in at least one of these balls. Precision is the fraction of generated images that the real
    images cover. Recall is the fraction of real images that the generated images cover.

    Args:
        real: Features of real images, shape (n, dim), n > k.
        generated: Features of generated images, shape (m, dim), m > k.
        k: Index of the neighbour that sets the radius, >= 1.

    Returns:
        Precision and recall, each in [0, 1].

    Raises:
        ValueError: If the arrays are not two-dimensional or their row lengths differ.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.evaluation.generation import precision_and_recall
        >>> real = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> precision_and_recall(real, np.array([[0.1], [0.2], [9.0], [9.1]]), k=1)
        (0.5, 0.25)
    """
    check_same_width(real, generated)
    return _covered(generated, real, k), _covered(real, generated, k)


def _covered(points, sample, k):
    """Computes the fraction of points that a sample covers."""
    # Without an argument, kneighbors does not count a point as its own neighbour.
    neighbours = NearestNeighbors(n_neighbors=k).fit(sample)
    radii = neighbours.kneighbors()[0][:, -1]
    blocks = pairwise_distances_chunked(
        points,
        sample,
        reduce_func=lambda distances, start: (distances <= radii).any(axis=1),
        working_memory=_MEMORY,
    )
    return float(np.concatenate(list(blocks)).mean())
