"""Agreement between classes and clusters that were found without labels.

A clustering error needs a class for each cluster. Three rules assign classes to clusters on
validation images: `name_by_best_image`, `name_by_majority` and `name_by_matching`. `named_error`
then computes the error of the assignment on other images. Clusters are integers of shape (n,) in
0..num_clusters - 1.
"""

import numpy as np

from adversarial_autoencoder.evaluation.checks import check_indices, check_same_shape
from adversarial_autoencoder.evaluation.classification import confusion, error_rate

# It differs from every label, so all images of a cluster without a class count as errors.
NO_CLASS = -1


def name_by_best_image(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Assigns to each cluster the class of the image with the highest q(y|x) for this cluster.

    Makhzani et al. 2015, section 6.

    Args:
        labels: Labels of validation images, shape (n,).
        probabilities: q(y|x) of the same images, shape (n, num_clusters).

    Returns:
        The class of each cluster, an integer array of shape (num_clusters,).
    """
    return labels[probabilities.argmax(axis=0)]


def name_by_majority(labels: np.ndarray, clusters: np.ndarray, num_clusters: int) -> np.ndarray:
    """Assigns to each cluster the most frequent class of its images.

    Args:
        labels: Labels of validation images, shape (n,), n >= 1.
        clusters: Clusters of the same images, shape (n,).
        num_clusters: Number of clusters.

    Returns:
        The class of each cluster, an integer array of shape (num_clusters,). An empty cluster gets
        `NO_CLASS`.

    Raises:
        ValueError: If the shapes differ or a cluster is not in 0..num_clusters - 1.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.evaluation.clustering import name_by_majority
        >>> name_by_majority(np.array([4, 4, 1]), np.array([0, 0, 0]), num_clusters=2)
        array([ 4, -1])
    """
    counts = _contingency(labels, clusters, num_clusters)
    return np.where(counts.any(axis=0), counts.argmax(axis=0), NO_CLASS)


def name_by_matching(labels: np.ndarray, clusters: np.ndarray, num_clusters: int) -> np.ndarray:
    """Matches clusters and classes one to one: most images are in the cluster of their class.

    The Hungarian method (Kuhn 1955) finds the best matching. Use it with as many clusters as
    classes.

    Args:
        labels: Labels of validation images, shape (n,), n >= 1.
        clusters: Clusters of the same images, shape (n,).
        num_clusters: Number of clusters.

    Returns:
        The class of each cluster, an integer array of shape (num_clusters,). A cluster without a
        matching class gets `NO_CLASS`.

    Raises:
        ValueError: If the shapes differ or a cluster is not in 0..num_clusters - 1.
    """
    from scipy.optimize import linear_sum_assignment

    classes, matched = linear_sum_assignment(
        _contingency(labels, clusters, num_clusters), maximize=True
    )
    names = np.full(num_clusters, NO_CLASS)
    names[matched] = classes
    return names


def named_error(labels: np.ndarray, clusters: np.ndarray, names: np.ndarray) -> float:
    """Computes the fraction of images whose cluster has a class that differs from their label.

    Args:
        labels: Labels, shape (n,).
        clusters: Clusters, shape (n,).
        names: The class of each cluster, shape (num_clusters,), from one of the three rules.

    Returns:
        The error, in [0, 1].

    Raises:
        ValueError: If the shapes of labels and clusters differ.
    """
    return error_rate(labels, names[clusters])


def normalized_mutual_information(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Computes the mutual information of classes and clusters, divided by their mean entropy.

    Args:
        labels: Labels, shape (n,).
        clusters: Clusters, shape (n,).

    Returns:
        The normalized mutual information, in [0, 1]. It is 1 if each cluster is one class.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(labels, clusters)
    from sklearn.metrics import normalized_mutual_info_score

    return float(normalized_mutual_info_score(labels, clusters))


def adjusted_rand_index(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Computes the Rand index adjusted for chance (Hubert and Arabie 1985).

    Args:
        labels: Labels, shape (n,).
        clusters: Clusters, shape (n,).

    Returns:
        The index, in [-0.5, 1]. It is 1 if each cluster is one class, and 0 on average for random
        clusters.

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(labels, clusters)
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(labels, clusters))


def _contingency(labels, clusters, num_clusters):
    """Counts the images of each class (rows) in each cluster (columns)."""
    check_indices("Clusters", clusters, num_clusters)
    num_classes = labels.max() + 1
    counts = confusion(labels, clusters, max(num_classes, num_clusters))
    return counts[:num_classes, :num_clusters]
