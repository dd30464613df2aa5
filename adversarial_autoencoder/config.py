"""The settings: one dataclass field is one command-line flag, documented and validated here."""

import dataclasses
import difflib
import math
import types
import typing

from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.variants import VARIANTS

# The default length of a training: that of MNIST, and the least for small data sets.
DEFAULT_EPOCHS, MIN_STEPS = 40, 2000


def _setting(default, help, *, group, choices=(), low=None, high=None, open_low=False, modes=None):
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
    """
    metadata = {
        "help": help,
        "group": group,
        "choices": tuple(choices),
        "low": low,
        "high": high,
        "open_low": open_low,
        "modes": modes,
    }
    return dataclasses.field(default=default, metadata=metadata)


class _Settings:
    """Validates every field of a dataclass by its type and metadata."""

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is not None or not is_optional(field):
                _check(field, value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(_Settings):
    """Everything that a training depends on; saved as config.json in its run folder."""

    model: str = _setting("aae", "the system to train", group="Model", choices=VARIANTS)
    z_dim: int = _setting(2, "dimensions of the latent code z", group="Model", low=1, high=100_001)
    prior_std: float = _setting(
        5.0, "standard deviation of the prior N(0, std^2)", group="Model", low=0, open_low=True
    )
    reconstruction_loss: str = _setting(
        "mse",
        "mean squared error, or binary cross-entropy on logits",
        group="Model",
        choices=("mse", "bce"),
    )
    hidden_units: int = _setting(
        1000, "units in each hidden layer", group="Model", low=1, high=100_001
    )
    hidden_layers: int = _setting(
        2, "hidden layers of each network", group="Model", low=1, high=101
    )
    dropout: float = _setting(
        0.0, "share of hidden units dropped in training", group="Model", low=0, high=1
    )
    weight_std: float = _setting(
        0.0,
        "standard deviation of the initial weights N(0, std^2); 0: Glorot uniform",
        group="Model",
        low=0,
    )
    dataset: str | None = _setting(
        None,
        "mnist, fashion_mnist, digits (8x8, embedded), an .npz file or a folder of images;"
        " not given: mnist, or digits where it cannot be had",
        group="Data",
    )
    data_dir: str | None = _setting(
        None,
        "folder with mnist.npz or the four IDX files; not given: the environment variable"
        " AAE_DATA_DIR, else Keras's download cache",
        group="Data",
    )
    epochs: int | None = _setting(
        None,
        f"passes over the training images; not given: {DEFAULT_EPOCHS}, or for small data as many"
        f" as make {MIN_STEPS} minibatches",
        group="Training",
        low=1,
        high=10**9,
    )
    batch_size: int = _setting(100, "images in a minibatch", group="Training", low=1, high=10**9)
    reconstruction_learning_rate: float = _setting(
        1.5e-3, "Adam's rate for encoder and decoder", group="Training", low=0, open_low=True
    )
    discriminator_learning_rate: float = _setting(
        1e-3, "Adam's rate for the discriminator", group="Training", low=0, open_low=True
    )
    generator_learning_rate: float = _setting(
        1e-3, "Adam's rate for the encoder as generator", group="Training", low=0, open_low=True
    )
    generator_epsilon: float = _setting(
        0.015,
        "Adam's epsilon for the generator: gradients much smaller than it make smaller steps",
        group="Training",
        low=0,
        open_low=True,
    )
    learning_rate_schedule: str = _setting(
        "cosine",
        "constant, or falling to 0 along a half cosine over all epochs (not the discriminator's)",
        group="Training",
        choices=("constant", "cosine"),
    )
    seed: int = _setting(
        0, "seed of weights, noise and shuffling", group="Training", low=0, high=2**31
    )

    def for_data(self, num_images):
        """Fills in the number of epochs where it was left open, now that the data is known.

        Args:
            num_images: Number of training images.

        Raises:
            InputError: If a minibatch is larger than the data.
        """
        if self.batch_size > num_images:
            raise InputError(
                f"batch_size must be at most the {num_images} training images. "
                f"Received: batch_size={self.batch_size}"
            )
        enough = math.ceil(MIN_STEPS / (num_images // self.batch_size))
        return dataclasses.replace(self, epochs=self.epochs or max(DEFAULT_EPOCHS, enough))


MODES = {
    "train": "train a new run, or go on with one",
    "latent_grid": "decode a regular grid of codes into one picture of the latent space",
    "latent_scatter": "draw the codes of the test images, by class, beside the prior",
    "reconstruct": "draw test images above their reconstructions",
    "sample": "draw images decoded from samples of the prior",
    "interpolate": "draw straight lines through the latent space between test images",
    "list": "print a table of the runs, the newest first",
}
FIGURES = ("latent_grid", "latent_scatter", "reconstruct", "sample", "interpolate")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command(_Settings):
    """What to do this time, with which run, and how to show it."""

    mode: str = _setting("train", "what to do", group="Command", choices=MODES)
    run: str | None = _setting(
        None,
        "name or path of a run; not given: the newest that fits",
        group="Command",
        modes=("train", *FIGURES),
    )
    run_name: str | None = _setting(
        None,
        "name of the run to train, which goes on if it was begun; not given: model-dataset-z-time",
        group="Command",
        modes=("train",),
    )
    resume: bool = _setting(
        False,
        "go on with the training of --run from its last finished epoch",
        group="Command",
        modes=("train",),
    )
    results_dir: str = _setting("results", "folder of the runs", group="Command")
    debug: bool = _setting(False, "show the traceback of an error", group="Command")
    grid_size: int = _setting(
        20, "images along each side", group="Figures", low=2, high=101, modes=("latent_grid",)
    )
    grid_range: float | None = _setting(
        None,
        "the grid reaches from -range to range; not given: 2 prior standard deviations",
        group="Figures",
        low=0,
        open_low=True,
        modes=("latent_grid",),
    )
    grid_dims: str = _setting(
        "0,1",
        "the two dimensions of z that are drawn",
        group="Figures",
        modes=("latent_grid", "latent_scatter"),
    )
    num_images: int = _setting(
        10,
        "images in a row; in sample and interpolate also rows",
        group="Figures",
        low=1,
        high=51,
        modes=("reconstruct", "sample", "interpolate"),
    )


def check_mode(mode, names):
    """Raises InputError if a setting was given, by its name, that the mode does not read."""
    for field in dataclasses.fields(Command):
        modes = field.metadata["modes"]
        if field.name in names and modes and mode not in modes:
            raise InputError(
                f"--{field.name} goes with --mode {', '.join(modes)}. Received: --mode {mode}"
            )


def is_optional(field):
    """Whether a field may be None, for "not given"."""
    return isinstance(field.type, types.UnionType)


def value_type(field):
    """The type of a field's value: int for `int` and for `int | None`."""
    return typing.get_args(field.type)[0] if is_optional(field) else field.type


def did_you_mean(value, choices):
    """Returns " Did you mean X?" where a choice is close to `value`, else an empty string."""
    close = difflib.get_close_matches(str(value), [str(choice) for choice in choices], n=1)
    return f" Did you mean {close[0]}?" if close else ""


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


def config_from_dict(values):
    """Makes a Config of a dict, as `dataclasses.asdict` gives it and JSON keeps it.

    A field that is missing takes its default: an older version did not know it.

    Raises:
        InputError: If a field is unknown or out of its range.
    """
    known = [field.name for field in dataclasses.fields(Config)]
    for name in values:
        if name not in known:
            raise InputError(
                "The settings must be those of this version."
                f"{did_you_mean(name, known)} Received: {name}"
            )
    return Config(**values)


def to_flags(config):
    """Writes a Config as the lines of a flag file, for `--flagfile`."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return "".join(f"--{name}={value}\n" for name, value in values.items() if value is not None)
