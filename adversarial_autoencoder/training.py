"""Builds, trains, resumes and loads the model of a run."""

import contextlib
import dataclasses
import importlib
import math
import warnings
import zipfile

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder import callbacks, cluster, networks, phases, priors, safeguards
from adversarial_autoencoder.data.labels import UNLABELLED, training_labels
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.network_checks import check_prior
from adversarial_autoencoder.optimizers import FusedAdam, PhaseOptimizer

# What a variant's phases and a configuration's prior are called -> how they are made of it.
PHASES = {
    "reconstruction": lambda config: phases.Reconstruction(),
    "variational": lambda config: phases.Variational(),
    "mmd": lambda config: phases.MaximumMeanDiscrepancy(config.mmd_weight),
    "regularization": lambda config: _regularization(config, None),
    "regularization_z": lambda config: _regularization(config, "z"),
    "regularization_y": lambda config: _regularization(config, "y"),
    "classification": lambda config: phases.Classification(config.vat_weight, config.vat_epsilon),
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

# Images in a validation minibatch.
VALIDATION_BATCH = 1000

# How often a training shows images in TensorBoard, beside the first epoch: drawing takes time.
IMAGES = 10

# What the progress bar shows of the logs.
KEY_METRICS = (
    "reconstruction_loss",
    "val_reconstruction_loss",
    "val_prior_distance",
    "val_classification_accuracy",
)


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
        prior_y = priors.Categorical(shares)
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
            prior = _users_function(config.prior_function)
        check_prior(prior, config.z_dim)
    except InputError:
        raise
    except (OSError, ValueError, TypeError, EOFError, MemoryError) as error:
        raise InputError(f"prior={config.prior}: {error}") from error
    return prior


def _users_function(name):
    """Imports "module:function", and lets Keras find it again by this name in a saved model."""
    module, _, function = name.partition(":")
    try:
        sampler = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"prior must be the name of a function that can be imported. Received: {name} ({error})"
        ) from error
    if keras.saving.get_registered_object(name := f"{module}>{function}") is None:
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


def optimizer(config, steps, steps_per_epoch):
    """Makes the optimizers of a configuration, one for every step of the procedure.

    On the cosine schedule the rates fall to 0, but that of the discriminators, which have to follow
    the encoder to the end. Adam's epsilon is much larger than usual for the generator. Near the
    equilibrium the discriminator's gradients are small and mostly noise; Adam would blow them up to
    steps of full size, which spoil the reconstruction.

    Args:
        config: A `Config` with its epochs resolved.
        steps: Names of the steps of the model, such as "generator".
        steps_per_epoch: Minibatches in an epoch.

    Returns:
        A `PhaseOptimizer`.
    """

    def scheduled(rate, kind):
        if config.learning_rate_schedule == "step":
            epochs, factors = config.step_schedule
            # Keras's schedule keeps the old rate at its bound, which is counted from 0.
            bounds = [epoch * steps_per_epoch - 1 for epoch in epochs]
            rates = np.cumprod([rate, *factors]).tolist()
            return keras.optimizers.schedules.PiecewiseConstantDecay(bounds, rates)
        if config.learning_rate_schedule == "cosine" and kind != "discriminator":
            return keras.optimizers.schedules.CosineDecay(rate, config.epochs * steps_per_epoch)
        return rate

    def optimizer_of(step):
        kind = step.removesuffix("_z").removesuffix("_y")
        rate = scheduled(getattr(config, f"{kind}_learning_rate"), kind)
        momentum = getattr(config, f"{kind}_momentum")
        if config.optimizer == "sgd":
            return keras.optimizers.SGD(rate, momentum)
        epsilon = config.generator_epsilon if kind == "generator" else 1e-7
        return FusedAdam(rate, beta_1=momentum, epsilon=epsilon)

    return PhaseOptimizer({step: optimizer_of(step) for step in steps})


def train(config, dataset, run, strategy=None, further_callbacks=()):
    """Trains the model of a run, from its last finished epoch on.

    Args:
        config: A `Config`, resolved for the data and the hardware.
        dataset: The `data.Dataset`.
        run: The `runs.Run`, which every worker reads, and which the chief writes as the training
            goes on; None: the chief, which is another, begins a new one.
        strategy: What `distribution.make_strategy` made; None: the training has one device.
        further_callbacks: Keras callbacks of your own, called last, by every worker.

    Returns:
        The trained `AdversarialAutoencoder`.

    Raises:
        TrainingError: If a loss or a weight is not finite any more.
    """
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    strategy = strategy or tf.distribute.get_strategy()
    is_chief = cluster.is_chief(config.strategy)
    labels, shares = training_labels(config, dataset)
    if config.num_labels and is_chief:
        run.write_labelled(np.flatnonzero(labels >= 0), labels[labels >= 0])
    x = dataset.x_train
    if config.labelled_images_only and config.num_labels:
        known = np.flatnonzero(labels >= 0)
        x, labels = x.take(known, axis=0), labels[known]
    steps = len(x) // config.batch_size
    with strategy.scope():
        model = build(config, dataset.image_shape, shares)
        model.compile(
            optimizer(config, model.var_lists, steps),
            jit_compile=config.jit_compile == "true",
            # Keras does only one step at a time on several devices.
            steps_per_execution=_divisor(steps, limit=50) if config.strategy == "none" else 1,
        )
        if run is not None and run.is_trained:
            with _reading(run):
                model.load_weights(run.model_path)
    epochs_done = int(model.optimizer.iterations.numpy()) // steps

    def batches(worker):
        return training_batches(
            x,
            config.batch_size,
            config.seed,
            epochs_done,
            labels,
            labelled_stream="classification" in config.phases,
            worker=worker,
        )

    model.fit(
        strategy.distribute_datasets_from_function(batches),
        shuffle=False,
        steps_per_epoch=steps,
        initial_epoch=epochs_done,
        epochs=config.epochs,
        validation_data=_validation_data(config, dataset),
        validation_batch_size=VALIDATION_BATCH,
        verbose=0,
        callbacks=[
            safeguards.StopOnFault(),
            *(_callbacks(config, dataset, run, epochs_done) if is_chief else ()),
            *further_callbacks,
        ],
    )
    return model


def _callbacks(config, dataset, run, epochs_done):
    sample = callbacks.PriorDistance(dataset.x_validation)
    return [
        sample,
        safeguards.WarnOfCollapse(sample),
        callbacks.Progress(epochs_done, KEY_METRICS),
        callbacks.TensorBoard(
            run.logs_path,
            sample,
            labels=dataset.y_validation,
            class_names=dataset.class_names,
            image_every=math.ceil(config.epochs / IMAGES),
            text=_markdown_table(config),
        ),
        callbacks.Checkpoint(run, epochs_done),
    ]


def forget():
    """Frees what earlier trainings of this process left in Keras."""
    keras.backend.clear_session()


def check(config, dataset):
    """Raises InputError where the settings do not fit the data, before anything is written."""
    shares = training_labels(config, dataset)[1]
    prior = make_prior(config, shares)
    try:
        if config.network == "conv":
            build(config, dataset.image_shape, shares)
        if config.prior_function:
            sample = tf.function(lambda: prior(2, config.z_dim, tf.constant([0, 0], "int64")))
            sample()
    except Exception as error:  # Whatever the user's function does.
        raise InputError(str(error).strip().split("\n")[0]) from error


def _validation_data(config, dataset):
    """The validation images, with as large a share of their labels hidden as in the training.

    A discriminator that sees labels is measured in the game that it is trained in. The accuracy of
    a classifier needs them all.
    """
    if not config.uses_labels:
        return dataset.x_validation
    y = dataset.y_validation.astype("int32")
    if config.num_labels and config.variant.y is None:
        share = min(config.num_labels / len(dataset.x_train), 1)
        hidden = np.random.default_rng(config.seed).random(len(y)) >= share
        y = np.where(hidden, UNLABELLED, y)
    return dataset.x_validation, y


def load(run):
    """Loads the trained model of a run.

    Raises:
        InputError: If it cannot be read.
    """
    config, _ = run.read_config()
    if config.prior_function:
        _users_function(config.prior)
    with _reading(run):
        model = keras.saving.load_model(run.model_path, compile=False)
    if not isinstance(model, AdversarialAutoencoder) or model.z_dim != config.z_dim:
        raise InputError(
            f"model.keras of the run {run.name} must be the model of its config.json, with z_dim "
            f"{config.z_dim}. Received: {type(model).__name__}"
        )
    return model


@contextlib.contextmanager
def _reading(run):
    try:
        # Keras only warns where a file lacks a part of the model's or its optimizers' state.
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            yield
    except (UserWarning, OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"The run {run.name} must have a readable model.keras. "
            f"Received: {type(error).__name__} in {run.path}"
        ) from error


def _divisor(n, limit):
    """The largest divisor of `n` up to `limit`: `fit` does only whole groups of steps."""
    return max(d for d in range(1, limit + 1) if n % d == 0)


def _markdown_table(config):
    rows = (f"| {name} | {value} |" for name, value in dataclasses.asdict(config).items())
    return "\n".join(["| setting | value |", "|---|---|", *rows])
