"""Which settings of a training need, or exclude, each other."""

from adversarial_autoencoder.errors import InputError, did_you_mean
from adversarial_autoencoder.systems import COMPONENT_PRIORS, PRIORS, VARIANTS


def unmet_needs(config, name):
    """The other settings, as (name, values), without whose values this one has no effect."""
    metadata = type(config).__dataclass_fields__[name].metadata
    needs, phase = metadata["needs"], metadata["phase"]
    unmet = [(other, v) for other, v in needs.items() if getattr(config, other) not in v]
    if phase and not any(named.startswith(phase) for named in config.phases):
        models = [m for m, v in VARIANTS.items() if any(p.startswith(phase) for p in v.phases)]
        if config.model not in models:
            unmet.append(("model", models))
        elif name != "consistency":
            near = ("consistency", ("vat", "augment"))
            either = ("num_labels", ("N", "--consistency vat", "--consistency augment"))
            unmet.append(either if "classification" in config.variant.phases else near)
    if name == "num_clusters" and not unmet and not config.infers_clusters:
        unmet = [("num_labels", ("not given",))]
    if name == "corruption" and not unmet and not config.input_noise:
        unmet = [("input_noise", ("above 0",))]
    return unmet


def check_given(config, given):
    """Raises InputError where a setting that was given, a dict from its name, has no effect."""
    for name, value in given.items():
        if name == "vat_weight" and not value:  # No less than none.
            continue
        for other, values in unmet_needs(config, name):
            raise InputError(
                f"--{name} goes with --{other} {' or '.join(values)}. "
                f"Received: {other}={getattr(config, other)!r}"
            )


def check_together(config):
    """Raises InputError where settings contradict each other."""

    def expect(condition, expected, *names):
        if not condition:
            received = ", ".join(f"{name}={getattr(config, name)}" for name in names)
            raise InputError(f"{expected}. Received: {received}")

    if config.prior_function and ":" not in config.prior:
        raise InputError(
            f"prior must be {', '.join(PRIORS)}, FILE.npy or module:function."
            f"{did_you_mean(config.prior, PRIORS)} Received: prior={config.prior!r}"
        )
    if config.variant.labels == "needed" and config.variant.y == "inferred":
        expect(config.num_labels is not None, f"{config.model} needs num_labels", "num_labels")
    if "variational" in config.phases:
        expect(config.posterior == "gaussian", "A vae needs a gaussian posterior", "posterior")
        expect(config.prior == "gaussian", "A vae needs a gaussian prior", "prior")
    if config.y_temperature:
        expect(
            config.y_temperature >= 1e-3, "y_temperature is 0 or at least 0.001", "y_temperature"
        )
    if config.detach_y and config.variant.y == "inferred":
        expect(
            {"classification", "consistency"} & set(config.phases),
            "detach_y needs labels or a consistency",
            "num_labels",
            "consistency",
        )
    if config.y_start and "consistency" in config.phases:
        expect(
            config.information_weight,
            "Without labels y_start needs information_weight, by which y is learned until then",
            "y_start",
            "information_weight",
        )
    if "mmd" in config.phases:
        expect(config.batch_size > 1, "wae_mmd compares at least 2 images", "batch_size")
    if config.prior == "swiss_roll":
        expect(config.z_dim == 2, "A swiss_roll has z_dim 2", "z_dim")
    if config.prior == "gaussian_mixture":
        expect(config.z_dim % 2 == 0, "A gaussian_mixture needs an even z_dim", "z_dim")
    if config.condition_prior_on_labels:
        expect(
            config.prior in COMPONENT_PRIORS or config.variant.y,
            f"condition_prior_on_labels needs a prior {' or '.join(COMPONENT_PRIORS)}, or a code y",
            "prior",
            "model",
        )
        expect(
            any(phase.startswith("regularization") for phase in config.phases),
            "condition_prior_on_labels needs an adversarial model",
            "model",
        )
        expect(
            config.variant.y != "inferred" or config.variant.labels != "unused",
            "condition_prior_on_labels needs a model that may see labels",
            "model",
        )
    elif config.variant.labels == "unused":
        expect(
            config.num_labels is None,
            "num_labels needs a model that uses labels, or condition_prior_on_labels",
            "num_labels",
            "model",
        )
    if config.jit_compile == "true":
        # Keras does not compile a step that exchanges gradients.
        expect(config.strategy == "none", "jit_compile needs strategy none", "strategy")
    if config.learning_rate_schedule == "step":
        _ = config.step_schedule
