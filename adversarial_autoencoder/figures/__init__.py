"""Figures of a trained model.

Each function returns a `matplotlib.figure.Figure`. Save it with `figure.savefig(path)`, or convert
it to an image with `to_array`.
"""

from adversarial_autoencoder.figures.canvas import to_array
from adversarial_autoencoder.figures.images import (
    cluster_grid,
    interpolations,
    reconstructions,
    samples,
    style_grid,
)
from adversarial_autoencoder.figures.latent import latent_grid, latent_scatter
from adversarial_autoencoder.figures.measures import comparison, confusion

__all__ = [
    "cluster_grid",
    "comparison",
    "confusion",
    "interpolations",
    "latent_grid",
    "latent_scatter",
    "reconstructions",
    "samples",
    "style_grid",
    "to_array",
]
