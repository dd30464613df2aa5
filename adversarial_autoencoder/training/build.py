"""Builds the model of a configuration: its networks, priors and phases."""

import importlib

import keras
import numpy as np

from adversarial_autoencoder import networks, phases, priors
from adversarial_autoencoder.errors import InputError, first_line
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.model.checks import check_prior

# What a variant's phases and a configuration's prior are called -> how they are made of it.
PHASES = {
    "reconstruction": lambda config: phases.Reconstruction(config.detach_y),
    "variational": lambda config: phases.Variational(),
    "mmd": lambda config: phases.MaximumMeanDiscrepancy(config.mmd_weight),
    "regularization": lambda config: _regularization(config, None),
    "regularization_z": lambda config: _regularization(config, "z"),
    "regularization_y": lambda config: _regularization(config, "y"),
    "classification": lambda config: phases.Classification(**_consistency(config)),
    "consistency": lambda config: phases.Consistency(**_consistency(config)),
}
PRIORS = {
    "gaussian": lambda config, ring: priors.Gaussian(config.prior_std),
    "uniform": lambda config, ring: priors.Uniform(config.prior_std),
    "laplace": lambda config, ring: priors.Laplace(config.prior_std),
    "gamma": lambda config, ring: priors.Gamma(config.prior_shape, config.prior_std),
    "gaussian_mixture": lambda config, ring: priors.GaussianMixture(
        **ring, std_along=config.prior_length, std_across=config.prior_width
    ),
    "swiss_roll": lambda config, ring: priors.SwissRoll(
        **ring, turns=config.prior_turns, std=config.prior_width
    ),
}


def build(config, image_shape, class_shares=None):
    """Builds the model of a configuration, untrained and not compiled.

    Args:
        config: A `Config`.
        image_shape: Shape of one image, (height, width, channels).
        class_shares: Share of each class among the labelled images; None where labels are not used.

    Returns:
        An `AdversarialAutoencoder`.

    Raises:
        InputError: If the prior cannot be made, or does not fit.
    """
    keras.utils.set_random_seed(config.seed)
    prior = make_prior(config, class_shares)
    names = config.phases
    hidden = {
        "hidden_units": config.hidden_units,
        "hidden_layers": config.hidden_layers,
        "dropout": config.dropout,
        "weight_std": config.weight_std,
        "dtype": None if config.precision == "auto" else config.precision,
    }
    num_classes, prior_y = 0, None
    if config.variant.y:
        shares = None if config.infers_clusters else class_shares
        num_classes = len(shares) if shares else config.num_clusters
        prior_y = priors.Categorical(shares, config.y_temperature)
    conditional = config.condition_prior_on_labels
    inputs_of = {
        "z": {"dim": config.z_dim, "num_classes": len(class_shares) if conditional else 0},
        "y": {"dim": num_classes},
    }
    suffixes = {"z": ("", "_z"), "y": ("_y",)}
    discriminators = {
        code: networks.discriminator(
            **inputs_of[code],
            input_noise=config.discriminator_noise,
            name="discriminator" if code == "z" else f"discriminator_{code}",
            **hidden,
        )
        for code in inputs_of
        if any(f"regularization{suffix}" in names for suffix in suffixes[code])
    }
    return AdversarialAutoencoder(
        networks.encoder(
            image_shape,
            config.z_dim,
            num_classes=num_classes if config.variant.y == "inferred" else 0,
            separate_y=config.separate_y,
            posterior=config.posterior,
            noise_dim=config.noise_dim if config.posterior == "universal" else 0,
            network=config.network,
            input_noise=config.input_noise,
            corruption=config.corruption,
            batch_norm=config.batch_norm,
            **hidden,
        ),
        networks.decoder(
            image_shape,
            config.z_dim,
            num_classes=num_classes,
            head_margin=config.head_margin if config.variant.cluster_heads else None,
            network=config.network,
            **hidden,
        ),
        discriminators or None,
        prior={"z": prior} | ({"y": prior_y} if prior_y else {}),
        posterior="gaussian" if config.posterior == "gaussian" else "deterministic",
        reconstruction_loss=config.reconstruction_loss,
        phases=[PHASES[name](config) for name in names],
        seed=config.seed,
        name=config.model,
    )


def make_prior(config, class_shares=None):
    """Makes the prior p(z) of a configuration.

    Args:
        config: A `Config`.
        class_shares: Share of each class among the labelled images, or None.

    Raises:
        InputError: If there is no such prior, or it has not z_dim dimensions.
    """
    ring = {"num_components": config.prior_components or 10, "radius": config.prior_radius}
    if config.condition_prior_on_labels:
        if config.prior_components not in (None, len(class_shares)):
            raise InputError(
                f"prior_components must be {len(class_shares)}, one for each class. "
                f"Received: prior_components={config.prior_components}"
            )
        ring |= {"num_components": len(class_shares), "weights": class_shares}
    try:
        if config.prior in PRIORS:
            prior = PRIORS[config.prior](config, ring)
        elif config.prior.endswith(".npy"):
            prior = priors.Samples(np.load(config.prior, allow_pickle=False))
        else:
            prior = users_function(config.prior_function)
        check_prior(prior, config.z_dim)
    except InputError:
        raise
    except Exception as error:  # Of a file, or whatever the user's function does.
        raise InputError(f"prior={config.prior}: {first_line(error)}") from error
    return prior


def users_function(name):
    """Imports "module:function", and lets Keras find it again by this name in a saved model."""
    module, _, function = name.partition(":")
    try:
        sampler = getattr(importlib.import_module(module), function)
    except Exception as error:  # To import it runs the user's module.
        raise InputError(
            "prior must be the name of a function that can be imported. "
            f"Received: {name} ({first_line(error)})"
        ) from error
    if keras.saving.get_registered_object(f"{module}>{function}") is None:
        keras.saving.register_keras_serializable(module, function)(sampler)
    try:
        config = keras.saving.serialize_keras_object(sampler)
        found = keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError):
        found = None
    if found is not sampler:
        raise InputError(
            f"prior must be a function made by def, which a saved model can name. Received: {name}"
        )
    return sampler


def _regularization(config, code):
    return phases.Regularization(code, config.adversarial_loss, config.gradient_penalty)


def _consistency(config):
    names = ("consistency", "vat_weight", "vat_epsilon", "vat_warmup", "information_weight")
    return {name: getattr(config, name) for name in names}
