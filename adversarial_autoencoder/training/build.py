"""Builds the model of a configuration: its networks, priors and phases."""

import pathlib

import keras

from adversarial_autoencoder import networks, phases, priors
from adversarial_autoencoder.config.model_groups import COMPONENTS
from adversarial_autoencoder.data.array_files import read_npy
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.model.checks import check_prior
from adversarial_autoencoder.observations import Columns
from adversarial_autoencoder.systems import PRIORS, REGULARIZATION, Y, Z
from adversarial_autoencoder.training.users_function import users_function

# From the kind of a phase to a function of the `Config` and of the code that makes it.
PHASES = {
    "reconstruction": lambda config, code: phases.Reconstruction(config.detach_y),
    "variational": lambda config, code: phases.Variational(),
    "mmd": lambda config, code: phases.MaximumMeanDiscrepancy(config.mmd_weight),
    "regularization": lambda config, code: phases.Regularization(
        code, config.adversarial_loss, config.gradient_penalty
    ),
    "classification": lambda config, code: phases.Classification(_consistency(config)),
    "consistency": lambda config, code: _consistency(config),
}


def build(config, image_shape, class_shares=None, schema=None):
    """Builds the model of a configuration, untrained and not compiled.

    Args:
        config: A `Config`.
        image_shape: Shape of one image, (height, width, channels). Not used for a table.
        class_shares: Fraction of each class among the labelled images; None without labels.
        schema: The `tables.Schema` of a data set of rows; None for images.

    Returns:
        An `AdversarialAutoencoder`.

    Raises:
        InputError: If the prior does not fit.
    """
    keras.utils.set_random_seed(config.seed)
    code_priors = {Z: make_prior(config, class_shares)}
    observation = None if schema is None else Columns(schema)
    image_shape = image_shape if schema is None else (schema.width,)
    num_classes = 0
    if config.system.y:
        shares = None if config.infers_clusters else class_shares
        num_classes = len(shares) if shares else config.num_clusters
        code_priors[Y] = priors.Categorical(shares, config.y_temperature)
    num_label_classes = len(class_shares) if config.condition_prior_on_labels else 0
    hidden = {
        "hidden_units": config.hidden_units,
        "hidden_layers": config.hidden_layers,
        "dropout": config.dropout,
        "weight_std": config.weight_std,
        "dtype": None if config.precision == "auto" else config.precision,
    }
    # The networks are built in a fixed order, because each draws its weights from one generator.
    discriminators = _discriminators(config, code_priors, num_classes, num_label_classes, hidden)
    encoder = _encoder(config, image_shape, num_classes, code_priors[Z], hidden)
    decoder = networks.decoder(
        image_shape,
        config.z_dim,
        num_classes=num_classes,
        head_margin=config.head_margin if config.system.cluster_heads else None,
        network=config.network,
        **hidden,
    )
    return AdversarialAutoencoder(
        encoder,
        decoder,
        discriminators or None,
        prior=code_priors,
        posterior="gaussian" if config.posterior == "gaussian" else "deterministic",
        reconstruction_loss=config.reconstruction_loss,
        observation=observation,
        phases=[PHASES[phase.kind](config, phase.code) for phase in config.phases],
        seed=config.seed,
        name=config.model,
    )


def _discriminators(config, code_priors, num_classes, num_label_classes, hidden):
    """The discriminators of the codes that the phases regularize, a dict by code, z first."""
    sizes = {Z: (config.z_dim, num_label_classes), Y: (num_classes, 0)}
    regularized = {phase.code or Z for phase in config.phases if phase.kind == REGULARIZATION.kind}
    return {
        code: networks.discriminator(
            size,
            num_classes=label_classes,
            prior=code_priors[Z] if code == Z and config.normalize_codes else None,
            input_noise=config.discriminator_noise,
            name="discriminator" if code == Z else f"discriminator_{code}",
            **hidden,
        )
        for code, (size, label_classes) in sizes.items()
        if code in regularized
    }


def _encoder(config, image_shape, num_classes, prior, hidden):
    return networks.encoder(
        image_shape,
        config.z_dim,
        num_classes=num_classes if config.system.y == "inferred" else 0,
        separate_y=config.separate_y,
        posterior=config.posterior,
        noise_dim=config.noise_dim if config.posterior == "universal" else 0,
        network=config.network,
        input_noise=config.input_noise,
        corruption=config.corruption,
        normalize_codes=config.normalize_codes and config.has_phase(REGULARIZATION),
        prior=prior,
        batch_norm=config.batch_norm,
        **hidden,
    )


def make_prior(config, class_shares=None):
    """Makes the prior p(z) of a configuration.

    Args:
        config: A `Config`.
        class_shares: Fraction of each class among the labelled images, or None.

    Returns:
        A callable `(n, dim, seed) -> tensor`.

    Raises:
        InputError: If the prior cannot be read or called, or does not have z_dim dimensions.
    """
    if config.prior in PRIORS:
        return _named_prior(config, class_shares)
    is_function = config.prior_function is not None
    source = users_function(config.prior) if is_function else read_npy(pathlib.Path(config.prior))
    try:
        if not is_function and source.dtype.kind not in "biuf":
            raise ValueError(f"Samples must be numbers. Received: {source.dtype}")
        prior = source if is_function else priors.Samples(source)
        check_prior(prior, config.z_dim)
    except (TypeError, ValueError) as error:
        raise InputError(f"prior={config.prior}: {error}") from error
    return prior


def _named_prior(config, class_shares):
    spec = PRIORS[config.prior]
    arguments = {argument: getattr(config, name) for argument, name in spec.settings.items()}
    if spec.has_components:
        arguments["num_components"] = config.prior_components or COMPONENTS
        if config.condition_prior_on_labels:
            if config.prior_components not in (None, len(class_shares)):
                raise InputError(
                    f"prior_components must be {len(class_shares)}, one for each class. "
                    f"Received: prior_components={config.prior_components}"
                )
            arguments |= {"num_components": len(class_shares), "weights": class_shares}
    sampler = keras.saving.get_registered_object(f"adversarial_autoencoder>{spec.sampler}")
    return sampler(**arguments)


def _consistency(config):
    if config.consistency == "none":
        return None
    names = ("consistency", "vat_weight", "vat_epsilon", "vat_warmup", "information_weight")
    return phases.Consistency(**{name: getattr(config, name) for name in names})
