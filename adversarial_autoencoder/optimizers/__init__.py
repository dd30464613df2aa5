"""Optimizers: one for each step of the procedure, a fused Adam, and schedules."""

from adversarial_autoencoder.optimizers.fused_adam import FusedAdam
from adversarial_autoencoder.optimizers.phase_optimizer import PhaseOptimizer
from adversarial_autoencoder.optimizers.procedure import make_optimizer
from adversarial_autoencoder.optimizers.schedules import CosineOverFit, LateStart

__all__ = ["CosineOverFit", "FusedAdam", "LateStart", "PhaseOptimizer", "make_optimizer"]
