"""The settings of a training as they are kept: a dict for JSON, and the lines of a flag file."""

import dataclasses

from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.rules import unmet_needs
from adversarial_autoencoder.errors import InputError, did_you_mean


def from_dict(values):
    """Makes a Config of a dict, as `dataclasses.asdict` gives it and JSON keeps it.

    A field that is missing takes its default: an older version did not know it.

    Raises:
        InputError: If a field is unknown or out of its range.
    """
    if "consistency" not in values and values.get("vat_weight"):
        # Before it was named, its weight told; and its steps did not grow.
        values = values | {"consistency": "vat", "vat_warmup": 0}
    known = [field.name for field in dataclasses.fields(Config)]
    for name in values:
        if name not in known:
            raise InputError(
                "The settings must be those of this version."
                f"{did_you_mean(name, known)} Received: {name}"
            )
    return Config(**values)


def to_flags(config):
    """Writes the settings of a Config that have an effect as the lines of a flag file."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return "".join(
        f"--{name}={value}\n"
        for name, value in values.items()
        if value is not None and not unmet_needs(config, name)
    )
