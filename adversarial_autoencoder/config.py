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


# The priors that have a name, and those of them whose components can be classes.
PRIORS = ("gaussian", "uniform", "laplace", "gamma", "gaussian_mixture", "swiss_roll")
COMPONENT_PRIORS = ("gaussian_mixture", "swiss_roll")


def _setting(
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
    z_dim: int = _setting(2, "dimensions of the style code z", group="Model", low=1, high=100_001)
    posterior: str = _setting(
        "deterministic",
        "q(z|x): a point, a Gaussian, or any distribution by noise as an input of the encoder",
        group="Model",
        choices=("deterministic", "gaussian", "universal"),
    )
    noise_dim: int = _setting(
        10,
        "noise inputs of the encoder of a universal posterior",
        group="Model",
        low=1,
        high=100_001,
        needs={"posterior": ("universal",)},
    )
    num_labels: int | None = _setting(
        None,
        "labelled training images, as many of each class, the others count as unlabelled; 0: all;"
        " not given: all, or none where the system can do without",
        group="Model",
        low=0,
        high=10**9,
    )
    num_clusters: int = _setting(
        10,
        "values of y where it is inferred without labels",
        group="Model",
        low=2,
        high=10_001,
        needs={"model": ("clustering_aae", "dimensionality_reduction_aae")},
    )
    head_margin: float = _setting(
        2.0,
        "least distance between the cluster heads of dimensionality_reduction_aae",
        group="Model",
        low=0,
        needs={"model": ("dimensionality_reduction_aae",)},
    )
    reconstruction_loss: str = _setting(
        "mse",
        "mean squared error, or binary cross-entropy on logits",
        group="Model",
        choices=("mse", "bce"),
    )
    prior: str = _setting(
        "gaussian",
        f"p(z): {', '.join(PRIORS)}; FILE.npy, samples of shape (n, z_dim); or module:function,"
        " your sampler (n, dim, seed) -> tensor",
        group="Prior",
    )
    prior_std: float = _setting(
        5.0,
        "standard deviation of a gaussian, uniform, laplace or gamma prior",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": ("gaussian", "uniform", "laplace", "gamma")},
    )
    prior_shape: float = _setting(
        2.0,
        "shape of the gamma prior",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": ("gamma",)},
    )
    prior_components: int | None = _setting(
        None,
        "components of the mixture, or arcs of the roll; not given: 10, or one for each class",
        group="Prior",
        low=1,
        high=10_001,
        needs={"prior": COMPONENT_PRIORS},
    )
    prior_radius: float = _setting(
        8.0,
        "distance from 0 of the mixture's means, or of the roll's outer end",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": COMPONENT_PRIORS},
    )
    prior_width: float = _setting(
        0.5,
        "standard deviation across a component of the mixture, or across the roll",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": COMPONENT_PRIORS},
    )
    prior_length: float = _setting(
        2.0,
        "standard deviation along a component of the mixture",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": ("gaussian_mixture",)},
    )
    prior_turns: float = _setting(
        2.0,
        "turns of the roll",
        group="Prior",
        low=0,
        open_low=True,
        high=101,
        needs={"prior": ("swiss_roll",)},
    )
    condition_prior_on_labels: bool = _setting(
        False,
        "pair each labelled image with the component or arc of its class (section 2.3)",
        group="Prior",
    )
    network: str = _setting(
        "mlp",
        "fully connected, or convolutional encoder and decoder",
        group="Networks",
        choices=("mlp", "conv"),
    )
    hidden_units: int = _setting(
        1000,
        "units in each hidden layer; conv: a sixteenth of it are the filters of the deepest",
        group="Networks",
        low=1,
        high=100_001,
    )
    hidden_layers: int = _setting(
        2, "hidden layers of each network", group="Networks", low=1, high=101
    )
    dropout: float = _setting(
        0.0, "share of hidden units dropped in training", group="Networks", low=0, high=1
    )
    batch_norm: bool = _setting(
        False, "normalise the hidden layers of the encoder over the minibatch", group="Networks"
    )
    weight_std: float = _setting(
        0.0,
        "standard deviation of the initial weights N(0, std^2); 0: Glorot uniform",
        group="Networks",
        low=0,
    )
    input_noise: float = _setting(
        0.0,
        "corruption of the encoder's input in training: standard deviation, or share of pixels",
        group="Networks",
        low=0,
    )
    corruption: str = _setting(
        "gaussian",
        "what --input_noise does: add noise, or set pixels to 0 (and scale up the others)",
        group="Networks",
        choices=("gaussian", "masking"),
    )
    discriminator_noise: float = _setting(
        0.0,
        "standard deviation of noise on the discriminators' input in training",
        group="Networks",
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
    adversarial_loss: str = _setting(
        "non_saturating",
        "the game of discriminator and generator",
        group="Training",
        choices=("non_saturating", "least_squares", "hinge", "wasserstein_gp"),
    )
    gradient_penalty: float = _setting(
        10.0,
        "weight of wasserstein_gp's gradient penalty",
        group="Training",
        low=0,
        needs={"adversarial_loss": ("wasserstein_gp",)},
    )
    mmd_weight: float = _setting(
        0.25,
        "weight of wae_mmd's discrepancy beside the mean loss over pixels",
        group="Training",
        low=0,
        needs={"model": ("wae_mmd",)},
    )
    optimizer: str = _setting(
        "adam", "for every step of the procedure", group="Optimizer", choices=("adam", "sgd")
    )
    reconstruction_learning_rate: float = _setting(
        1.5e-3, "rate for encoder and decoder", group="Optimizer", low=0, open_low=True
    )
    discriminator_learning_rate: float = _setting(
        1e-3, "rate for the discriminators", group="Optimizer", low=0, open_low=True
    )
    generator_learning_rate: float = _setting(
        1e-3, "rate for the encoder as generator", group="Optimizer", low=0, open_low=True
    )
    classification_learning_rate: float = _setting(
        1e-3, "rate for the encoder as classifier", group="Optimizer", low=0, open_low=True
    )
    reconstruction_momentum: float = _setting(
        0.9, "Adam's beta_1, or SGD's momentum", group="Optimizer", low=0, high=1
    )
    discriminator_momentum: float = _setting(
        0.9, "Adam's beta_1, or SGD's momentum", group="Optimizer", low=0, high=1
    )
    generator_momentum: float = _setting(
        0.9, "Adam's beta_1, or SGD's momentum", group="Optimizer", low=0, high=1
    )
    classification_momentum: float = _setting(
        0.9, "Adam's beta_1, or SGD's momentum", group="Optimizer", low=0, high=1
    )
    generator_epsilon: float = _setting(
        0.015,
        "Adam's epsilon for the generator: gradients much smaller than it make smaller steps",
        group="Optimizer",
        low=0,
        open_low=True,
        needs={"optimizer": ("adam",)},
    )
    learning_rate_schedule: str = _setting(
        "cosine",
        "constant; or falling to 0 along a half cosine over all epochs (not the discriminators');"
        " or by --step_factors",
        group="Optimizer",
        choices=("constant", "cosine", "step"),
    )
    step_epochs: str = _setting(
        "50,1000",
        "epochs after which the rates change in a step schedule",
        group="Optimizer",
        needs={"learning_rate_schedule": ("step",)},
    )
    step_factors: str = _setting(
        "0.1",
        "what they are multiplied with: one factor, or one each",
        group="Optimizer",
        needs={"learning_rate_schedule": ("step",)},
    )
    seed: int = _setting(
        0, "seed of weights, noise and shuffling", group="Training", low=0, high=2**31
    )

    def __post_init__(self):
        super().__post_init__()
        _check_together(self)

    @classmethod
    def of(cls, **given):
        """Makes the settings of a system: those given, else its own defaults, else the usual ones.

        Raises:
            InputError: If one of them is out of its range, has no effect, or contradicts another.
        """
        variant = VARIANTS.get(given.get("model", "aae"))
        config = cls(**(variant.defaults if variant else {}) | given)
        for name in given:
            for other, values in config.unmet_needs(name):
                raise InputError(
                    f"--{name} goes with --{other} {' or '.join(values)}. "
                    f"Received: {other}={getattr(config, other)!r}"
                )
        return config

    def unmet_needs(self, name):
        """The other settings, as (name, values), without whose values this one has no effect."""
        needs = type(self).__dataclass_fields__[name].metadata["needs"]
        return [(other, v) for other, v in needs.items() if getattr(self, other) not in v]

    @property
    def variant(self):
        """The row of `VARIANTS`."""
        return VARIANTS[self.model]

    @property
    def phases(self):
        """Names of the phases, in their order."""
        named = self.variant.phases
        return [p for p in named if p != "classification" or self.num_labels is not None]

    @property
    def uses_labels(self):
        """Whether the training reads the labels of (some) training images."""
        needed = self.variant.labels == "needed" or self.num_labels is not None
        return needed or self.condition_prior_on_labels

    @property
    def infers_clusters(self):
        """Whether y is a cluster that is found without labels."""
        return self.variant.y == "inferred" and self.num_labels is None

    @property
    def step_schedule(self):
        """The epochs and factors of a step schedule, two lists of the same length."""
        try:
            epochs = [int(part) for part in self.step_epochs.split(",")]
            factors = [float(part) for part in self.step_factors.split(",")]
        except ValueError:
            epochs, factors = [], []
        factors = factors * len(epochs) if len(factors) == 1 else factors
        rising = epochs == sorted(set(epochs)) and min(epochs, default=0) > 0
        if not rising or len(factors) != len(epochs) or not all(0 < f < 1e9 for f in factors):
            raise InputError(
                "step_epochs must be rising epochs, such as 50,1000, and step_factors one factor"
                " above 0, or one for each. "
                f"Received: step_epochs={self.step_epochs}, step_factors={self.step_factors}"
            )
        return epochs, factors

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


def _check_together(config):
    """Raises InputError where settings contradict each other."""

    def expect(condition, expected, *names):
        if not condition:
            received = ", ".join(f"{name}={getattr(config, name)}" for name in names)
            raise InputError(f"{expected}. Received: {received}")

    if "variational" in config.phases:
        expect(config.posterior == "gaussian", "A vae needs a gaussian posterior", "posterior")
        expect(config.prior == "gaussian", "A vae needs a gaussian prior", "prior")
    if config.prior == "swiss_roll":
        expect(config.z_dim == 2, "A swiss_roll has z_dim 2", "z_dim")
    if config.prior == "gaussian_mixture":
        expect(config.z_dim % 2 == 0, "A gaussian_mixture needs an even z_dim", "z_dim")
    if config.condition_prior_on_labels:
        expect(
            config.prior in COMPONENT_PRIORS,
            f"condition_prior_on_labels needs a prior {' or '.join(COMPONENT_PRIORS)}",
            "prior",
        )
        expect(
            any(phase.startswith("regularization") for phase in config.phases),
            "condition_prior_on_labels needs an adversarial model",
            "model",
        )
    elif config.variant.labels == "unused":
        expect(
            config.num_labels is None,
            "num_labels needs a model that uses labels, or condition_prior_on_labels",
            "num_labels",
            "model",
        )
    if config.variant.y == "given":
        expect(not config.num_labels, f"{config.model} needs all labels", "num_labels")
    if config.corruption == "masking":
        expect(config.input_noise < 1, "A share of pixels must be below 1", "input_noise")
    if config.learning_rate_schedule == "step":
        _ = config.step_schedule


MODES = {
    "train": "train a new run, or go on with one",
    "latent_grid": "decode a regular grid of codes into one picture of the latent space",
    "latent_scatter": "draw the codes of the test images, by class, beside the prior",
    "reconstruct": "draw test images above their reconstructions",
    "sample": "draw images decoded from samples of the prior",
    "interpolate": "draw straight lines through the latent space between test images",
    "style_grid": "draw every style with every class: rows share z, columns run over y",
    "cluster_grid": "draw the head of each cluster, then test images assigned to it",
    "classify": "measure the test error, draw the confusion; or name the classes of --images",
    "list": "print a table of the runs, the newest first",
}
FIGURES = tuple(mode for mode in MODES if mode not in ("train", "list"))


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
    grid_class: int = _setting(
        0,
        "value of y that the grid is decoded with, where the model has one",
        group="Figures",
        low=0,
        modes=("latent_grid",),
    )
    num_images: int = _setting(
        10,
        "images in a row; in sample, interpolate and style_grid also rows",
        group="Figures",
        low=1,
        high=51,
        modes=("reconstruct", "sample", "interpolate", "style_grid", "cluster_grid"),
    )
    style_from: str = _setting(
        "test",
        "the z of the rows are those of test images, or samples of the prior",
        group="Figures",
        choices=("test", "prior"),
        modes=("style_grid",),
    )
    images: str | None = _setting(
        None,
        "your images, a folder or an .npz file, whose classes go to predictions.csv",
        group="Figures",
        modes=("classify",),
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
    """Writes the settings of a Config that have an effect as the lines of a flag file."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return "".join(
        f"--{name}={value}\n"
        for name, value in values.items()
        if value is not None and not config.unmet_needs(name)
    )
