"""Adversarial autoencoders (Makhzani et al. 2015) in TensorFlow and Keras."""

import importlib
import os
import sys

__version__ = "0.1.0"

# The public names, and the modules that define them. They are imported at their first use: the
# settings and the run folders are also read without TensorFlow, which takes seconds to import.
_PUBLIC = {
    "AdversarialAutoencoder": "model",
    "PhaseOptimizer": "optimizers",
    "Config": "config",
    "InputError": "errors",
    "load_model": "model",
}
_MODULES = (
    "config",
    "data",
    "devices",
    "estimators",
    "evaluation",
    "export",
    "figures",
    "losses",
    "model",
    "networks",
    "observations",
    "optimizers",
    "phases",
    "posteriors",
    "priors",
    "runs",
    "systems",
    "tables",
    "training",
)

__all__ = [*_PUBLIC, *_MODULES]

# Keras reads it when it is imported.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
_backend = os.environ["KERAS_BACKEND"]
if "keras" in sys.modules:
    _backend = sys.modules["keras"].config.backend()
if _backend != "tensorflow":
    raise ImportError(
        "adversarial_autoencoder needs the TensorFlow backend: set the environment variable "
        f"KERAS_BACKEND=tensorflow before Keras is imported. Received: {_backend}"
    )


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__


# Keras can load a saved model only if it knows the classes. `load_model` works in any order.
if "keras" in sys.modules:
    importlib.import_module(f"{__name__}.model")
