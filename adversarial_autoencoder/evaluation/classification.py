"""How well the classes of images are told: by q(y|x), or from their codes z.

Labels are integers of shape (n,) in 0..num_classes - 1.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from adversarial_autoencoder.evaluation.checks import check_same_shape


def error_rate(labels, predicted):
    """The share of images whose predicted class is not their label, in [0, 1]."""
    check_same_shape(labels, predicted)
    return float(np.mean(labels != predicted))


def confusion(labels, predicted, num_classes):
    """How often images of each class were given each class.

    Returns:
        Integers of shape (num_classes, num_classes): rows are true, columns predicted classes.
    """
    check_same_shape(labels, predicted)
    counts = np.zeros((num_classes, num_classes), int)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def calibration_error(labels, probabilities, num_bins=15):
    """Expected calibration error (Guo et al. 2017, "On Calibration", arXiv 1706.04599, equation 3).

    The mean difference, over bins of the highest probability, between that probability and how
    often it was right; each bin counts by its images.

    Args:
        labels: Labels, shape (n,).
        probabilities: q(y|x), shape (n, num_classes).
        num_bins: Number of bins of equal width in [0, 1].

    Returns:
        The error, in [0, 1]; 0 where what has a probability of 90 % is right 9 times in 10.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    # A bin reaches from above its lower bound to its upper one.
    bins = np.clip(np.ceil(confidence * num_bins).astype(int) - 1, 0, num_bins - 1)
    gaps = np.bincount(bins, weights=right - confidence.astype("float64"), minlength=num_bins)
    return float(np.abs(gaps).sum() / len(labels))


def nearest_neighbour_error(z_train, y_train, z, labels, k=5):
    """Error of the majority of the k nearest training codes, in [0, 1].

    Args:
        z_train: Codes of training images, shape (m, dim), m >= k.
        y_train: Their labels, shape (m,).
        z: Codes of the images to classify, shape (n, dim).
        labels: Their labels, shape (n,).
        k: Number of neighbours, >= 1.
    """
    classifier = KNeighborsClassifier(k).fit(z_train, y_train)
    return error_rate(labels, classifier.predict(z))


def linear_probe_error(z_train, y_train, z, labels):
    """Error of a logistic regression on standardised training codes, in [0, 1].

    Args: as for `nearest_neighbour_error`; there must be two classes in `y_train`.
    """
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=1e-3))
    return error_rate(labels, probe.fit(z_train, y_train).predict(z))
