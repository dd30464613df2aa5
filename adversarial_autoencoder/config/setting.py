"""A setting: a field of a dataclass that is also a command-line flag."""

import dataclasses
import math
import types
import typing
from collections.abc import Iterable

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.errors import InputError, check_choice, printable
from adversarial_autoencoder.systems import PhaseSpec


@dataclasses.dataclass(frozen=True)
class Interval:
    """The range of a number.

    Args:
        low: Lower bound, or None.
        high: Upper bound, or None.
        open_low: Whether the lower bound itself is not allowed.
        closed_high: Whether the upper bound itself is allowed.
    """

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    closed_high: bool = False

    def __contains__(self, value: float) -> bool:
        too_low = self.low is not None and (
            value < self.low or (self.open_low and value == self.low)
        )
        too_high = self.high is not None and (
            value > self.high or (not self.closed_high and value == self.high)
        )
        # An integer can be too large for a float.
        finite = isinstance(value, int) or math.isfinite(value)
        return finite and not too_low and not too_high

    def __str__(self):
        bounds = []
        if self.low is not None:
            bounds.append(f"above {self.low}" if self.open_low else f"at least {self.low}")
        if self.high is not None:
            bounds.append(f"{'at most' if self.closed_high else 'below'} {self.high}")
        return " and ".join(bounds)


def at_least(low: float, below: float | None = None) -> Interval:
    """The interval [low, below), without an upper bound if `below` is None."""
    return Interval(low, below)


def above(low: float, below: float | None = None, *, at_most: float | None = None) -> Interval:
    """The interval (low, below) or (low, at_most], without an upper bound if both are None."""
    if at_most is not None:
        return Interval(low, at_most, open_low=True, closed_high=True)
    return Interval(low, below, open_low=True)


@dataclasses.dataclass(frozen=True)
class Search:
    """The range in which `--mode tune` searches for a value.

    Args:
        low: Lower bound, of at most three digits.
        high: Upper bound, of at most three digits.
        log: Whether the search is on a logarithmic scale. A value of 0 then means "switched off",
            and the setting is not searched.
    """

    low: float
    high: float
    log: bool = False


def setting(
    default: typing.Any,
    help: str,
    *,
    choices: Iterable[str] = (),
    within: Interval | None = None,
    modes: tuple[str, ...] | None = None,
    needs: dict[str, tuple[str, ...]] | None = None,
    phases: tuple[PhaseSpec, ...] = (),
    is_path: bool = False,
    search: Search | None = None,
) -> typing.Any:
    """Makes a field of a `Settings` dataclass.

    Args:
        default: Default value; None for "not given".
        help: One line for `--help`, with the unit.
        choices: The allowed values, if they are few.
        within: The range of a number.
        modes: The modes that read the setting; None for all modes.
        needs: Values of other settings without which this one has no effect: a dict from name to
            the possible values.
        phases: Phases of which the system needs at least one, else the setting has no effect.
        is_path: Whether the value can be a path, in which `~` means the home folder.
        search: The range that `--mode tune` searches; None if it keeps the default.

    Returns:
        A `dataclasses.field`.
    """
    metadata = {
        "help": help,
        "choices": tuple(choices),
        "within": within,
        "modes": modes,
        "needs": needs or {},
        "phases": phases,
        "is_path": is_path,
        "search": search,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, init=False)
class Settings:
    """Base of a frozen dataclass of settings. It checks the type and range of every field.

    Each class that adds fields has a class attribute `GROUP`, their heading in `--help`.
    """

    def __init__(self, **given):
        values = self.defaults(given) | self.expanded(given)
        if unknown := set(values) - {field.name for field in dataclasses.fields(self)}:
            raise TypeError(f"{type(self).__name__} has no setting {min(unknown)}")
        for field in dataclasses.fields(self):
            value = values.get(field.name, field.default)
            object.__setattr__(self, field.name, value)
            # A list of runs reads thousands of settings, most of which have their default.
            is_default = type(value) is type(field.default) and value == field.default
            if not is_default and (value is not None or not is_optional(field)):
                _check(field, value)

    @classmethod
    def defaults(cls, given: dict) -> dict:
        """Defaults that differ from those of the fields, because of settings that were given."""
        del given
        return {}

    @classmethod
    def expanded(cls, given: dict) -> dict:
        """Replaces `~` in the given paths by the home folder.

        Args:
            given: Settings by name.

        Returns:
            The same settings. Only paths that start with `~` differ.

        Raises:
            InputError: If a path starts with the home folder of a user who does not exist.
        """
        paths = {field.name for field in dataclasses.fields(cls) if field.metadata["is_path"]}
        return given | {
            name: str(expand_home(value, name))
            for name, value in given.items()
            if name in paths and isinstance(value, str) and value.startswith("~")
        }

    @classmethod
    def groups(cls) -> dict[str, list[dataclasses.Field]]:
        """The fields by their group, in the order of `dataclasses.fields`."""
        fields = {field.name: field for field in dataclasses.fields(cls)}
        return {
            vars(base)["GROUP"]: [fields[name] for name in base.__annotations__ if name in fields]
            for base in reversed(cls.__mro__)
            if "GROUP" in vars(base)
        }


def flag_name(field: dataclasses.Field) -> str:
    """The flag of a field: its name without the underscore at the end of a Python keyword."""
    return field.name.rstrip("_")


def is_optional(field: dataclasses.Field) -> bool:
    """Whether a field may be None, for "not given"."""
    return isinstance(field.type, types.UnionType)


def value_type(field: dataclasses.Field) -> typing.Any:
    """The type of a field's value: int for `int` and for `int | None`."""
    return typing.get_args(field.type)[0] if is_optional(field) else field.type


def _check(field, value):
    """Raises InputError unless `value` has the field's type and is in its range."""
    kind, choices, within = (
        value_type(field),
        field.metadata["choices"],
        field.metadata["within"],
    )
    received = f"Received: {flag_name(field)}={value!r}"
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (kind is not bool and isinstance(value, bool)):
        raise InputError(f"{flag_name(field)} must be of type {kind.__name__}. {received}")
    if kind is str and value != printable(value):
        raise InputError(
            f"{flag_name(field)} must be text in UTF-8 without line breaks and control characters. "
            f"{received}"
        )
    if choices:
        check_choice(flag_name(field), value, choices)
    if within is not None and value not in within:
        raise InputError(f"{flag_name(field)} must be {within}. {received}")
