"""The settings of a training as files: a dict for JSON, and a flag file."""

import dataclasses

from adversarial_autoencoder.config.config import Config
from adversarial_autoencoder.config.image_form import BY_TYPE
from adversarial_autoencoder.config.rules import NEED_IMAGES, unmet_needs
from adversarial_autoencoder.errors import InputError, did_you_mean

# Settings that runs of version 0.1.0 do not have, with the values that they were trained with.
SINCE_0_1 = {"normalize_codes": False, "value_range": BY_TYPE}


def from_dict(values: dict) -> Config:
    """Makes a `Config` of a dict, as `dataclasses.asdict` gives it and JSON keeps it.

    Args:
        values: The settings by name; a missing one takes its value in `SINCE_0_1`, or its default.

    Returns:
        The `Config`.

    Raises:
        InputError: If a setting is unknown or out of its range.
    """
    known = [field.name for field in dataclasses.fields(Config)]
    for name in values:
        if name not in known:
            raise InputError(
                f"config.json must have the settings of this version.{did_you_mean(name, known)} "
                f"Received: {name}"
            )
    return Config(**SINCE_0_1 | values)


def with_effect(config: Config, is_table: bool = False) -> dict:
    """Selects the settings that have a value and an effect.

    Args:
        config: The settings.
        is_table: Whether the training is on a table.

    Returns:
        A dict from name to value.
    """
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return {
        name: value
        for name, value in values.items()
        if value is not None
        and not unmet_needs(config, name)
        and not (is_table and name in NEED_IMAGES)
    }


def to_flags(config: Config, is_table: bool = False) -> str:
    """Writes the settings that have an effect as a flag file.

    Args:
        config: The settings.
        is_table: Whether the training is on a table.

    Returns:
        The text of the file, one flag a line.
    """
    values = with_effect(config, is_table)
    return "".join(f"--{name}={value}\n" for name, value in values.items())
