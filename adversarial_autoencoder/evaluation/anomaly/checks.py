"""What an anomaly score needs, to be checked before a training or a computation."""

import numbers
from typing import Any

from adversarial_autoencoder.errors import InputError, check_choice

# What a score measures.
KINDS = ("both", "reconstruction", "latent")


def check_arguments(kind: Any, contamination: Any) -> None:
    """Checks two arguments of `fit`, for callers that train before it.

    Args:
        kind: One of `KINDS`.
        contamination: A number in (0, 0.5].

    Raises:
        InputError: If one of them is out of range.
    """
    check_choice("kind", kind, KINDS)
    if not (isinstance(contamination, numbers.Real) and 0 < float(contamination) <= 0.5):
        raise InputError(
            "contamination must be above 0 and at most 0.5. "
            f"Received: contamination={contamination!r}"
        )


def check_model(model: Any) -> None:
    """Checks that a model can score items without labels.

    Args:
        model: An `AdversarialAutoencoder`.

    Raises:
        InputError: If its decoder needs the label of each item.
    """
    if model.codes.needs_y:
        raise InputError(
            "An anomaly score needs a decoder without labels. "
            f"Received: {model.name}, whose decoder needs the label of each "
            f"{model.observation.noun}"
        )
