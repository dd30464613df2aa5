"""Builds, trains and loads the model of a run."""

from adversarial_autoencoder.optimizers import make_optimizer
from adversarial_autoencoder.training.build import build
from adversarial_autoencoder.training.load import load, load_with_epochs
from adversarial_autoencoder.training.train import check, forget, train

__all__ = ["build", "check", "forget", "load", "load_with_epochs", "make_optimizer", "train"]
