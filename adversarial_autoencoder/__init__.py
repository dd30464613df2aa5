"""Adversarial autoencoders (Makhzani et al. 2015) in TensorFlow and Keras."""

import importlib

__version__ = "0.1.0"

# The public names, and the modules that they live in. They are imported when first used: the
# settings and the run folders are also read without TensorFlow, which takes seconds to import.
_PUBLIC = {
    "AdversarialAutoencoder": "model",
    "PhaseOptimizer": "optimizers",
    "Config": "config",
    "InputError": "errors",
}
_MODULES = (
    "config",
    "data",
    "devices",
    "evaluation",
    "figures",
    "losses",
    "model",
    "networks",
    "optimizers",
    "phases",
    "posteriors",
    "priors",
    "runs",
    "systems",
    "training",
)

__all__ = [*_PUBLIC, *_MODULES]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
