"""Measures of anomaly scores, if it is known which items are anomalous."""

import numpy as np
from sklearn import metrics


def measure(anomalous: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """Measures how well scores rank anomalous items above normal ones.

    Args:
        anomalous: Whether each item is anomalous, booleans of shape (n,), at least one of each.
        scores: Scores, shape (n,).

    Returns:
        "auroc", the area under the curve of true positives over false positives, 0.5 for chance;
        and "average_precision", the area under the curve of precision over recall, for chance the
        fraction of anomalous items. Both in [0, 1].
    """
    return {
        "auroc": float(metrics.roc_auc_score(anomalous, scores)),
        "average_precision": float(metrics.average_precision_score(anomalous, scores)),
    }


def roc_curve(anomalous: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Computes the points of the ROC curve.

    Args:
        anomalous: Whether each item is anomalous, booleans of shape (n,), at least one of each.
        scores: Scores, shape (n,).

    Returns:
        The false positive rates and the true positive rates, each of shape (points,), in [0, 1].
    """
    return metrics.roc_curve(anomalous, scores)[:2]
