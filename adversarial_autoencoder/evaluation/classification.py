"""Classification errors, of q(y|x) or of a simple classifier trained on the codes.

Labels are integers of shape (n,) in 0..num_classes - 1. scikit-learn is imported where it is used:
each training imports this module, and the import takes a quarter of a second.
"""

import numpy as np

from adversarial_autoencoder.evaluation.checks import check_indices, check_same_shape

# Neighbours that vote on a class.
NEIGHBOURS = 5


def error_rate(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Computes the fraction of misclassified images.

    Args:
        labels: Labels, shape (n,).
        predicted: Predicted classes, shape (n,).

    Returns:
        The error, in [0, 1].

    Raises:
        ValueError: If the shapes differ.
    """
    check_same_shape(labels, predicted)
    return float(np.mean(labels != predicted))


def confusion(labels: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts the images for each pair of true class and predicted class.

    Args:
        labels: Labels, shape (n,), n >= 1.
        predicted: Predicted classes, shape (n,).
        num_classes: Number of classes. Classes without images have rows and columns of zeros.

    Returns:
        An integer array of shape (num_classes, num_classes). Rows are true classes, columns are
        predicted classes.

    Raises:
        ValueError: If the shapes differ or a class is not in 0..num_classes - 1.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.evaluation.classification import confusion
        >>> confusion(np.array([0, 0, 2]), np.array([0, 2, 2]), num_classes=3)
        array([[1, 0, 1],
               [0, 0, 0],
               [0, 0, 1]])
    """
    check_same_shape(labels, predicted)
    check_indices("Labels", labels, num_classes)
    check_indices("Predicted classes", predicted, num_classes)
    pairs = num_classes * labels.astype("int64") + predicted.astype("int64")
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, num_bins: int = 15) -> float:
    """Computes the expected calibration error of predicted probabilities.

    Guo et al. 2017 ("On Calibration of Modern Neural Networks", arXiv 1706.04599), equation 3. The
    confidence of an image is the probability of its predicted class. The images are sorted into
    bins by confidence. The result is the mean over the bins of the difference between accuracy and
    mean confidence. Each bin has a weight proportional to its number of images.

    Args:
        labels: Labels, shape (n,).
        probabilities: q(y|x), shape (n, num_classes).
        num_bins: Number of bins of equal width in [0, 1].

    Returns:
        The error, in [0, 1]. It is 0 if, for example, 9 of 10 predictions with a confidence of 0.9
        are correct.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    # The paper's bins exclude their lower bound and include their upper bound.
    bins = np.clip(np.ceil(confidence * num_bins).astype(int) - 1, 0, num_bins - 1)
    gaps = np.bincount(bins, weights=correct - confidence.astype("float64"), minlength=num_bins)
    return float(np.abs(gaps).sum() / len(labels))


def nearest_neighbour_error(
    z_train: np.ndarray,
    y_train: np.ndarray,
    z: np.ndarray,
    labels: np.ndarray,
    k: int = NEIGHBOURS,
) -> float:
    """Computes the error of a k-nearest-neighbour classifier trained on codes.

    Args:
        z_train: Codes of training images, shape (m, dim), m >= k.
        y_train: Labels of the training images, shape (m,).
        z: Codes of the images to classify, shape (n, dim).
        labels: Labels of the images to classify, shape (n,).
        k: Number of neighbours, >= 1.

    Returns:
        The error, in [0, 1].
    """
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(k).fit(z_train, y_train)
    return error_rate(labels, classifier.predict(z))


def linear_probe_error(
    z_train: np.ndarray, y_train: np.ndarray, z: np.ndarray, labels: np.ndarray
) -> float:
    """Computes the error of a logistic regression trained on standardized codes.

    Args:
        z_train: Codes of training images, shape (m, dim).
        y_train: Labels of the training images, shape (m,), with at least two different classes.
        z: Codes of the images to classify, shape (n, dim).
        labels: Labels of the images to classify, shape (n,).

    Returns:
        The error, in [0, 1].

    Raises:
        ValueError: If `y_train` has fewer than two classes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, tol=1e-3))
    return error_rate(labels, probe.fit(z_train, y_train).predict(z))
