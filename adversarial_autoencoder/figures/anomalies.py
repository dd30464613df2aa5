"""Figures of anomaly scores: the most anomalous images, and the ROC curve."""

from collections.abc import Sequence

import numpy as np

from adversarial_autoencoder.figures.canvas import Figure
from adversarial_autoencoder.figures.labels import labels as shortened
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.observations.pixels import to_unit_interval

ROWS = ("image", "reconstruction", "error")


def anomalies(
    model: AdversarialAutoencoder, x: np.ndarray, where: np.ndarray, names: Sequence[str]
) -> Figure:
    """Draws images, their reconstructions, and where they differ.

    Args:
        model: The trained model, whose decoder needs no labels.
        x: Images, shape (n, height, width, channels): integers in 0..255 or floats in [0, 1].
        where: The errors of their pixels, shape (n, height, width), >= 0, from
            `evaluation.anomaly.Scorer.where`.
        names: Names of the images.

    Returns:
        The figure. All heat maps have one scale.
    """
    n, height, width = where.shape
    inches = 1.1
    figure = Figure(inches * n + 1.6, inches * len(ROWS) * height / width + 0.8)
    panels = figure.subplots(len(ROWS), n, squeeze=False)
    images = to_unit_interval(x).numpy()
    reconstructions = model(images).numpy()
    high = float(np.quantile(where, 0.999)) or 1.0
    for column, name in enumerate(shortened(names)):
        for axes, image in zip(panels[:, column], (images, reconstructions), strict=False):
            axes.imshow(image[column].squeeze(), cmap="gray", vmin=0, vmax=1)
        heat = panels[2, column].imshow(where[column], cmap="inferno", vmin=0, vmax=high)
        panels[0, column].set_title(name, fontsize="small")
    for axes in panels.flat:
        axes.set_xticks([])
        axes.set_yticks([])
    for axes, name in zip(panels[:, 0], ROWS, strict=True):
        axes.set_ylabel(name)
    figure.suptitle("The most anomalous images (name: score)", fontsize="medium")
    figure.colorbar(heat, ax=panels, label="error (1: mean of normal images)", shrink=0.8)
    return figure.finished()


def roc(false_positives: np.ndarray, true_positives: np.ndarray, area: float) -> Figure:
    """Draws an ROC curve.

    Args:
        false_positives: Fractions of normal items above each threshold, shape (n,), in [0, 1].
        true_positives: Fractions of anomalous items above them, same shape and range.
        area: Area under the curve.

    Returns:
        The figure.
    """
    figure = Figure(4.2, 4)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--", linewidth=1)
    axes.plot(false_positives, true_positives)
    axes.set_xlabel("normal items above the threshold")
    axes.set_ylabel("anomalous items above the threshold")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.01)
    axes.set_title(f"ROC curve, area {area:.4f}", fontsize="medium")
    return figure.finished()
