"""What `--mode` does: the one table of modes.

A mode is a function of the `Command` and of the given settings of a training, a dict from name to
value. The first line of its docstring is its help. It checks what was asked for before it imports
TensorFlow, which takes seconds.
"""

from adversarial_autoencoder.modes.card import card
from adversarial_autoencoder.modes.compare import compare, list_runs
from adversarial_autoencoder.modes.export import explore, export
from adversarial_autoencoder.modes.files import encode
from adversarial_autoencoder.modes.measure import classify, evaluate
from adversarial_autoencoder.modes.pictures import (
    animate,
    cluster_grid,
    histograms,
    interpolate,
    latent_grid,
    latent_scatter,
    reconstruct,
    sample,
    style_grid,
)
from adversarial_autoencoder.modes.prepare import prepare
from adversarial_autoencoder.modes.score import score
from adversarial_autoencoder.modes.train import train
from adversarial_autoencoder.modes.tuning.tune import tune

MODES = {
    "train": train,
    "tune": tune,
    "histograms": histograms,
    "latent_grid": latent_grid,
    "latent_scatter": latent_scatter,
    "reconstruct": reconstruct,
    "sample": sample,
    "interpolate": interpolate,
    "style_grid": style_grid,
    "cluster_grid": cluster_grid,
    "animate": animate,
    "explore": explore,
    "encode": encode,
    "classify": classify,
    "score": score,
    "evaluate": evaluate,
    "export": export,
    "card": card,
    "compare": compare,
    "prepare": prepare,
    "list": list_runs,
}

__all__ = ["MODES"]
