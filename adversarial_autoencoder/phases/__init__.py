"""The training procedure of Makhzani et al. 2015 (arXiv 1511.05644), phase by phase.

A model runs its phases in order on every minibatch. A phase computes its losses under its own
`tf.GradientTape`, names the variables that each of its steps updates, and has each step's own
optimizer apply the gradients.
"""

from adversarial_autoencoder.phases.classification import Classification
from adversarial_autoencoder.phases.consistency import Consistency
from adversarial_autoencoder.phases.phase import Phase, Step
from adversarial_autoencoder.phases.reconstruction import (
    MaximumMeanDiscrepancy,
    Reconstruction,
    Variational,
)
from adversarial_autoencoder.phases.regularization import Regularization

__all__ = [
    "Classification",
    "Consistency",
    "MaximumMeanDiscrepancy",
    "Phase",
    "Reconstruction",
    "Regularization",
    "Step",
    "Variational",
]
