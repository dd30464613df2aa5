"""How anomalous an item is: badly reconstructed, or with a code that normal items do not have.

An autoencoder of normal images or rows reconstructs anomalous ones badly. Some anomalous items are
reconstructed well, because the decoder generalizes; their codes are then in a region that normal
items leave empty. The score joins both (Schreyer et al. 2019, "Detection of Accounting Anomalies
in the Latent Space using Adversarial Autoencoder Neural Networks", arXiv 1908.00734, section 3;
Pidhorskyi et al. 2018, "Generative Probabilistic Novelty Detection with Adversarial Autoencoders",
arXiv 1807.02588, equation 4). Here, the mixture of `gaussian_mixture` is the density of the codes.
"""

from adversarial_autoencoder.evaluation.anomaly.checks import KINDS, check_arguments, check_model
from adversarial_autoencoder.evaluation.anomaly.measures import measure, roc_curve
from adversarial_autoencoder.evaluation.anomaly.scorer import (
    CONTAMINATION,
    MAX_ITEMS,
    MIN_ITEMS,
    Scorer,
    fit,
    load,
)

__all__ = [
    "CONTAMINATION",
    "KINDS",
    "MAX_ITEMS",
    "MIN_ITEMS",
    "Scorer",
    "check_arguments",
    "check_model",
    "fit",
    "load",
    "measure",
    "roc_curve",
]
