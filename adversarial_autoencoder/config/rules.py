"""Rules between settings: which settings need each other, and which exclude each other."""

from typing import TYPE_CHECKING

from adversarial_autoencoder.errors import InputError, did_you_mean
from adversarial_autoencoder.systems import (
    CLASSIFICATION,
    COMPONENT_PRIORS,
    CONSISTENCY,
    CONSISTENCY_LOSSES,
    MMD,
    PRIORS,
    REGULARIZATION,
    SYSTEMS,
    VARIATIONAL,
)

if TYPE_CHECKING:
    from adversarial_autoencoder.config.config import Config

# Settings without an effect on a training on a table.
NEED_IMAGES = ("reconstruction_loss",)


def unmet_needs(config: "Config", name: str) -> list[tuple[str, tuple[str, ...]]]:
    """What a setting lacks to have an effect.

    Args:
        config: The `Config`.
        name: Name of the setting.

    Returns:
        Pairs of another setting and the values of it that are needed; empty if the setting has an
        effect.
    """
    metadata = type(config).__dataclass_fields__[name].metadata
    needs, phases = metadata["needs"], metadata["phases"]
    unmet = [(other, v) for other, v in needs.items() if getattr(config, other) not in v]
    if phases and not config.has_phase(*phases):
        models = tuple(
            model
            for model, system in SYSTEMS.items()
            if any(wanted.includes(phase) for wanted in phases for phase in system.phases)
        )
        if config.model not in models:
            unmet.append(("model", models))
        elif name != "consistency":
            near = ("consistency", CONSISTENCY_LOSSES)
            either = ("num_labels", ("N", "--consistency vat", "--consistency augment"))
            unmet.append(either if CLASSIFICATION in config.system.phases else near)
    if name == "num_clusters" and not unmet and not config.infers_clusters:
        unmet = [("num_labels", ("not given",))]
    if name == "corruption" and not unmet and not config.input_noise:
        unmet = [("input_noise", ("above 0",))]
    return unmet


def check_given(config: "Config", given: dict) -> None:
    """Checks that every given setting has an effect.

    Args:
        config: The `Config` that was made of them.
        given: The given settings by name.

    Raises:
        InputError: If one has no effect.
    """
    for name, value in given.items():
        if name == "vat_weight" and not value:  # 0 switches VAT off, with or without --consistency.
            continue
        for other, values in unmet_needs(config, name):
            raise InputError(
                f"--{name} needs --{other} {' or '.join(values)}. "
                f"Received: {other}={getattr(config, other)!r}"
            )


def check_given_for_table(given: dict, name: str) -> None:
    """Checks that every given setting has an effect on a training on a table.

    Args:
        given: The given settings by name.
        name: Name of the table.

    Raises:
        InputError: If one has no effect.
    """
    for setting in NEED_IMAGES:
        if setting in given:
            raise InputError(
                f"--{setting} needs images; that of a table follows from its columns. "
                f"Received: {setting}={given[setting]!r} and the table {name}"
            )


def check_together(config: "Config") -> None:
    """Checks that the settings do not contradict each other.

    Args:
        config: The `Config`.

    Raises:
        InputError: If two settings contradict each other.
    """

    def expect(condition, expected, *names):
        if not condition:
            received = ", ".join(f"{name}={getattr(config, name)}" for name in names)
            raise InputError(f"{expected}. Received: {received}")

    system = config.system
    if config.prior_function and ":" not in config.prior:
        raise InputError(
            f"prior must be {', '.join(PRIORS)}, FILE.npy or module:function."
            f"{did_you_mean(config.prior, PRIORS)} Received: prior={config.prior!r}"
        )
    if system.labels == "needed" and system.y == "inferred":
        expect(config.num_labels is not None, f"{config.model} needs num_labels", "num_labels")
    if config.has_phase(VARIATIONAL):
        expect(config.posterior == "gaussian", "A vae needs a gaussian posterior", "posterior")
        expect(config.prior == "gaussian", "A vae needs a gaussian prior", "prior")
    if config.y_temperature:
        expect(
            config.y_temperature >= 1e-3,
            "y_temperature must be 0 or at least 0.001",
            "y_temperature",
        )
    if config.has_phase(MMD):
        expect(config.batch_size != 1, "wae_mmd compares at least 2 images", "batch_size")
    if config.prior == "swiss_roll":
        expect(config.z_dim == 2, "A swiss_roll needs z_dim 2", "z_dim")
    if config.prior == "gaussian_mixture":
        expect(config.z_dim % 2 == 0, "A gaussian_mixture needs an even z_dim", "z_dim")
    if config.condition_prior_on_labels:
        expect(
            config.prior in COMPONENT_PRIORS or system.y,
            "condition_prior_on_labels needs a model with y, or a prior with components"
            f" ({' or '.join(COMPONENT_PRIORS)})",
            "prior",
            "model",
        )
        expect(
            config.prior not in COMPONENT_PRIORS or not system.y,
            "condition_prior_on_labels needs a model without y for a prior with components, which"
            " would make z depend on y",
            "prior",
            "model",
        )
        expect(
            config.has_phase(REGULARIZATION),
            "condition_prior_on_labels needs an adversarial model",
            "model",
        )
        expect(
            system.y != "inferred" or system.labels != "unused",
            "condition_prior_on_labels needs a model that can use labels",
            "model",
        )
    elif system.labels == "unused":
        expect(
            config.num_labels is None,
            "num_labels needs a model that uses labels, or condition_prior_on_labels",
            "num_labels",
            "model",
        )
    if config.detach_y and system.y == "inferred":
        expect(
            config.has_phase(CLASSIFICATION, CONSISTENCY),
            "detach_y needs labels or a consistency loss",
            "num_labels",
            "consistency",
        )
    if config.y_start and config.has_phase(CONSISTENCY):
        expect(
            config.information_weight,
            "Without labels y_start needs information_weight, which trains y until then",
            "y_start",
            "information_weight",
        )
    if config.jit_compile == "true":
        # Keras does not compile a step that exchanges gradients between devices.
        expect(config.strategy == "none", "jit_compile needs strategy none", "strategy")
    if config.learning_rate_schedule == "step":
        _ = config.step_schedule
