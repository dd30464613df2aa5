"""A setting: a field of a dataclass that is a command-line flag, documented and validated."""

import dataclasses
import math
import types
import typing

from adversarial_autoencoder.errors import InputError, did_you_mean


def setting(
    default,
    help,
    *,
    group,
    choices=(),
    low=None,
    high=None,
    open_low=False,
    modes=None,
    needs=None,
    phase=None,
):
    """A field of a settings dataclass.

    Args:
        default: Its default value.
        help: One line for `--help`, with the unit.
        group: The heading in `--help` under which it stands.
        choices: The values allowed, if they are few.
        low: The smallest value allowed (with `open_low`, the largest not allowed).
        high: The smallest value too large.
        open_low: Whether `low` itself is refused.
        modes: The modes that read it; None: all.
        needs: The values of other settings, a dict from name to tuple, without which it has no
            effect.
        phase: How the name of a phase begins without which it has no effect, or a tuple of such
            beginnings, of which one is enough.
    """
    metadata = {
        "help": help,
        "group": group,
        "choices": tuple(choices),
        "low": low,
        "high": high,
        "open_low": open_low,
        "modes": modes,
        "needs": needs or {},
        "phase": phase,
    }
    return dataclasses.field(default=default, metadata=metadata)


class Settings:
    """Validates every field of a dataclass by its type and metadata."""

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None or not is_optional(field):
                _check(field, value)


def is_optional(field):
    """Whether a field may be None, for "not given"."""
    return isinstance(field.type, types.UnionType)


def value_type(field):
    """The type of a field's value: int for `int` and for `int | None`."""
    return typing.get_args(field.type)[0] if is_optional(field) else field.type


def _check(field, value):
    """Raises InputError unless `value` has the field's type and lies in its range."""
    kind, limits = value_type(field), field.metadata
    received = f"Received: {field.name}={value!r}"
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (kind is not bool and isinstance(value, bool)):
        raise InputError(f"{field.name} must be of type {kind.__name__}. {received}")
    if limits["choices"] and value not in limits["choices"]:
        raise InputError(
            f"{field.name} must be one of {', '.join(limits['choices'])}."
            f"{did_you_mean(value, limits['choices'])} {received}"
        )
    low, high = limits["low"], limits["high"]
    bounds = []
    if low is not None:
        bounds.append(f"above {low}" if limits["open_low"] else f"at least {low}")
    if high is not None:
        bounds.append(f"below {high}")
    if not bounds:
        return
    too_low = low is not None and (value < low or (limits["open_low"] and value == low))
    too_high = high is not None and value >= high
    if too_low or too_high or not math.isfinite(value):
        raise InputError(f"{field.name} must be {' and '.join(bounds)}. {received}")
