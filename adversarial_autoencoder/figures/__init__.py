"""Figures of a trained model.

Each function returns a `Figure`, a `matplotlib.figure.Figure` that displays itself in Jupyter. Save
it with `figure.savefig(path)`, or convert it to an image with `to_array`.
"""

# First, because it decides how Matplotlib is imported.
from adversarial_autoencoder.figures import backend  # noqa: F401
from adversarial_autoencoder.figures.anomalies import anomalies, roc
from adversarial_autoencoder.figures.canvas import Figure, to_array
from adversarial_autoencoder.figures.distribution import histograms
from adversarial_autoencoder.figures.images import (
    cluster_grid,
    interpolations,
    reconstructions,
    samples,
    style_grid,
)
from adversarial_autoencoder.figures.latent import latent_grid, latent_scatter
from adversarial_autoencoder.figures.latent_columns import latent_columns, latent_columns_shown
from adversarial_autoencoder.figures.measures import comparison, confusion
from adversarial_autoencoder.figures.trials import trials

__all__ = [
    "Figure",
    "anomalies",
    "cluster_grid",
    "comparison",
    "confusion",
    "histograms",
    "interpolations",
    "latent_columns",
    "latent_columns_shown",
    "latent_grid",
    "latent_scatter",
    "reconstructions",
    "roc",
    "samples",
    "style_grid",
    "to_array",
    "trials",
]
