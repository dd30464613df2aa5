"""All settings of a training, with the defaults of each system."""

import dataclasses
import math
from typing import Any

from adversarial_autoencoder.config import rules
from adversarial_autoencoder.config.image_form import ImageForm, in_one_form
from adversarial_autoencoder.config.model_groups import (
    COMPONENTS,
    DataSettings,
    ModelSettings,
    NetworkSettings,
    PriorSettings,
)
from adversarial_autoencoder.config.training_groups import (
    BATCHES,
    LARGE,
    MIN_BATCH_SIZE,
    MIN_STEPS,
    MMD_WEIGHT,
    MMD_WEIGHT_OF_TABLES,
    VAT_STEP,
    VAT_STEP_OF_TABLES,
    OptimizerSettings,
    SpeedSettings,
    TrainingSettings,
)
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.systems import (
    CLASSIFICATION,
    COMPONENT_PRIORS,
    CONSISTENCY,
    MMD,
    NETWORKS,
    PRIORS,
    REGULARIZATION,
    SYSTEMS,
    PhaseSpec,
    System,
    network_defaults,
)


# A dataclass takes the fields of its bases from the last base to the first.
@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class Config(
    SpeedSettings,
    OptimizerSettings,
    TrainingSettings,
    DataSettings,
    NetworkSettings,
    PriorSettings,
    ModelSettings,
):
    """Everything that a training depends on. The run folder keeps it as config.json.

    `Config(model=..., ...)` fills in what is not given: first with the system's own defaults, then
    with the general ones. `Config.of` also refuses a setting that has no effect. The fields are in
    `config.model_groups` and `config.training_groups`.

    Example:
    >>> config = Config(model="supervised_aae", hidden_units=500)
    >>> config.z_dim, config.prior_std, config.hidden_units
    (10, 1.0, 500)

    Args:
        **given: The settings that differ from their defaults.

    Raises:
        InputError: If a setting is out of its range or contradicts another one.
        TypeError: If there is no such setting.
    """

    def __init__(self, **given: Any):
        super().__init__(**given)
        rules.check_together(self)

    @classmethod
    def defaults(cls, given: dict) -> dict:
        """Defaults that follow from the system and from other settings that were given."""
        model = given.get("model", "aae")
        # A name that is no system is refused later, with the other settings out of range.
        system = SYSTEMS[model] if model in tuple(SYSTEMS) else System("", ())
        defaults = dict(system.defaults)
        if (prior := given.get("prior")) in tuple(PRIORS):
            defaults = PRIORS[prior].defaults | defaults
        if (network := given.get("network")) in tuple(NETWORKS):
            z_dim = given.get("z_dim", defaults.get("z_dim", cls.z_dim))
            defaults = network_defaults(network, z_dim) | defaults
        if given.get("prior") in COMPONENT_PRIORS:
            # With components it would tie z to the class instead of making it independent.
            defaults.pop("condition_prior_on_labels", None)
        if "vat_weight" in given:
            defaults["consistency"] = "vat" if given["vat_weight"] else "none"
        if given.get("num_labels", defaults.get("num_labels")) is None:
            defaults |= system.defaults_without_labels
            if given.get("consistency", defaults.get("consistency")) == "none":
                # Without a phase that trains y apart from the reconstruction.
                defaults |= {"information_weight": 0.0, "detach_y": False}
        return defaults

    @classmethod
    def expanded(cls, given: dict) -> dict:
        """Replaces `~` in the given paths, and writes sizes and ranges in one form."""
        return in_one_form(super().expanded(given))

    @classmethod
    def of(cls, **given: Any) -> "Config":
        """Makes the settings, and checks that each given one has an effect.

        Args:
            **given: The settings that differ from their defaults.

        Returns:
            A `Config`.

        Raises:
            InputError: If a setting is out of its range, has no effect, or contradicts another one.
        """
        config = cls(**given)
        rules.check_given(config, given)
        return config

    @property
    def image_form(self) -> ImageForm:
        """The form into which images are brought."""
        return ImageForm.of(self.image_size, self.channels, self.value_range)

    @property
    def system(self) -> System:
        """The row of `SYSTEMS`."""
        return SYSTEMS[self.model]

    @property
    def phases(self) -> list[PhaseSpec]:
        """The phases of the training, in order."""
        without_labels = self.num_labels is None
        used = {
            CLASSIFICATION: not without_labels,
            CONSISTENCY: without_labels and self.consistency != "none",
        }
        return [phase for phase in self.system.phases if used.get(phase, True)]

    def has_phase(self, *wanted: PhaseSpec) -> bool:
        """Whether the training has at least one of these phases."""
        return any(one.includes(phase) for one in wanted for phase in self.phases)

    @property
    def uses_labels(self) -> bool:
        """Whether the training reads labels of training images."""
        needed = self.system.labels == "needed" or self.num_labels is not None
        return needed or self.condition_prior_on_labels

    @property
    def prior_function(self) -> str | None:
        """The user's "module:function" that samples the prior, or None."""
        is_function = self.prior not in PRIORS and not self.prior.endswith(".npy")
        return self.prior if is_function else None

    @property
    def labelled_images_only(self) -> bool:
        """Whether the training skips images without a label, because the user gives y."""
        return self.system.y == "given"

    @property
    def infers_clusters(self) -> bool:
        """Whether y is a cluster that the model finds without labels."""
        return self.system.y == "inferred" and self.num_labels is None

    @property
    def step_schedule(self) -> tuple[list[int], list[float]]:
        """The epochs and the factors of a step schedule, two lists of the same length.

        Raises:
            InputError: If `step_epochs` or `step_factors` cannot be used.
        """
        try:
            epochs = [int(part) for part in self.step_epochs.split(",")]
            factors = [float(part) for part in self.step_factors.split(",")]
        except ValueError:
            epochs, factors = [], []
        factors = factors * len(epochs) if len(factors) == 1 else factors
        rising = epochs == sorted(set(epochs)) and all(0 < epoch < LARGE for epoch in epochs)
        rising = rising and bool(epochs)
        if not rising or len(factors) != len(epochs) or not all(0 < f < 1e9 for f in factors):
            raise InputError(
                "step_epochs must be rising epochs, such as 50,1000, and step_factors one factor"
                " above 0, or one for each epoch. "
                f"Received: step_epochs={self.step_epochs}, step_factors={self.step_factors}"
            )
        return epochs, factors

    def for_data(
        self,
        num_images: int,
        is_table: bool = False,
        num_inputs: int | None = None,
        num_classes: int | None = None,
    ) -> "Config":
        """Fills in the values that follow from the data, and checks the settings against it.

        A run records them, so that a later default does not change it. `data.Dataset.sizes` has the
        arguments.

        Args:
            num_images: Number of training images, or of rows of a table.
            is_table: Whether the data is a table.
            num_inputs: Number of inputs of the encoder, such as pixels; None: do not fill in
                `vat_epsilon`.
            num_classes: Number of classes; None: do not fill in `prior_components`.

        Returns:
            A `Config` with `batch_size`, `epochs`, `y_start`, `vat_warmup`, `mmd_weight`,
            `vat_epsilon` and `prior_components`, those without an effect excepted.

        Raises:
            InputError: If a minibatch is larger than the data, or the training ends before
                `y_start`.
        """
        if self.labelled_images_only and self.num_labels:
            num_images = min(num_images, self.num_labels)
        batch_size = self.batch_size or self._default_batch_size(num_images)
        if batch_size > num_images:
            raise InputError(
                f"batch_size must be at most the {num_images} training images. "
                f"Received: batch_size={batch_size}"
            )
        normalizes = self.normalize_codes and self.has_phase(REGULARIZATION)
        if batch_size == 1 and (self.batch_norm or normalizes):
            raise InputError(
                "A minibatch must have at least 2 images, over which the encoder normalizes. "
                "Received: batch_size=1"
            )
        steps = num_images // batch_size
        epochs = self.epochs or max(self.system.epochs, math.ceil(MIN_STEPS / steps))
        y_start, vat_warmup = self._late_starts(epochs * steps)
        if y_start >= epochs * steps:
            raise InputError(
                f"y_start must be below the {epochs * steps} minibatches of the training. "
                f"Received: y_start={y_start}"
            )
        mmd_weight = self.mmd_weight
        if mmd_weight is None and self.has_phase(MMD):
            mmd_weight = MMD_WEIGHT_OF_TABLES if is_table else MMD_WEIGHT
        vat_epsilon = self.vat_epsilon
        if vat_epsilon is None and num_inputs and not rules.unmet_needs(self, "vat_epsilon"):
            step = VAT_STEP_OF_TABLES if is_table else VAT_STEP
            vat_epsilon = step * math.sqrt(num_inputs)
        components = self.prior_components
        if components is None and num_classes is not None and self.prior in COMPONENT_PRIORS:
            components = num_classes if self.condition_prior_on_labels else COMPONENTS
        return dataclasses.replace(
            self,
            epochs=epochs,
            batch_size=batch_size,
            y_start=y_start,
            vat_warmup=vat_warmup,
            mmd_weight=mmd_weight,
            vat_epsilon=vat_epsilon,
            prior_components=components,
        )

    def _late_starts(self, steps):
        """`y_start` and `vat_warmup`; what is not given is a share of all steps."""
        classifies = self.has_phase(CLASSIFICATION)
        share = 1 / 6 if classifies else 0.8 if self.information_weight else 0.0
        if self.consistency == "none":
            share = 0.0
        # It begins at the last of very few minibatches.
        y_start = min(round(share * steps), steps - 1) if self.y_start is None else self.y_start
        warmup = round(steps / 8) if classifies else 0
        return y_start, warmup if self.vat_warmup is None else self.vat_warmup

    def _default_batch_size(self, num_images):
        """The size of a minibatch that is not given: smaller for few images."""
        least = max(MIN_BATCH_SIZE, self.num_clusters if self.information_weight else 0)
        return min(self.system.batch_size, max(num_images // BATCHES, least), num_images)
