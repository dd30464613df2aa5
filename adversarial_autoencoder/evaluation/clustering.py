"""How well clusters that were found without labels agree with classes.

Three rules name a class for each cluster, on validation images; the error of that naming is then
measured on others, by `named_error`. Clusters are integers of shape (n,) in 0..num_clusters - 1.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from adversarial_autoencoder.evaluation.checks import check_same_shape
from adversarial_autoencoder.evaluation.classification import error_rate

# The name of a cluster that has none.
NO_CLASS = -1


def name_by_best_image(labels, probabilities):
    """A cluster is named by the image with the highest q(y|x) for it.

    Makhzani et al. 2015, section 6.

    Args:
        labels: Labels of validation images, shape (n,).
        probabilities: q(y|x) of these images, shape (n, num_clusters).

    Returns:
        The class of each cluster, integers of shape (num_clusters,).
    """
    return labels[probabilities.argmax(axis=0)]


def name_by_majority(labels, clusters, num_clusters):
    """A cluster is named by the class of most of its images; `NO_CLASS` where it has none.

    Args:
        labels: Labels of validation images, shape (n,).
        clusters: Their clusters, shape (n,).
        num_clusters: Number of clusters.

    Returns:
        The class of each cluster, integers of shape (num_clusters,).
    """
    counts = _contingency(labels, clusters, num_clusters)
    return np.where(counts.any(axis=0), counts.argmax(axis=0), NO_CLASS)


def name_by_matching(labels, clusters, num_clusters):
    """Clusters and classes are matched one to one so that the most images are named right.

    The Hungarian method (Kuhn 1955); for as many clusters as classes.

    Args and returns: as for `name_by_majority`.
    """
    classes, matched = linear_sum_assignment(
        _contingency(labels, clusters, num_clusters), maximize=True
    )
    names = np.full(num_clusters, NO_CLASS)
    names[matched] = classes
    return names


def named_error(labels, clusters, names):
    """The share of images whose cluster is not named as their label is, in [0, 1].

    Args:
        labels: Labels, shape (n,).
        clusters: Clusters, shape (n,).
        names: The class of each cluster, shape (num_clusters,).
    """
    return error_rate(labels, names[clusters])


def normalized_mutual_information(labels, clusters):
    """Mutual information of class and cluster over the mean of their entropies, in [0, 1]."""
    check_same_shape(labels, clusters)
    return float(normalized_mutual_info_score(labels, clusters))


def adjusted_rand_index(labels, clusters):
    """Rand index adjusted for chance (Hubert and Arabie 1985): 1: equal, 0: as by chance."""
    check_same_shape(labels, clusters)
    return float(adjusted_rand_score(labels, clusters))


def _contingency(labels, clusters, num_clusters):
    """How many images of each class, in rows, are in each cluster, in columns."""
    check_same_shape(labels, clusters)
    counts = np.zeros((labels.max() + 1, num_clusters), int)
    np.add.at(counts, (labels, clusters), 1)
    return counts
