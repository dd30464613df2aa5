"""Builds, trains, resumes and loads the model of a run."""

import contextlib
import dataclasses
import math
import warnings
import zipfile

import keras
import tensorflow as tf

from adversarial_autoencoder import callbacks, networks, phases, priors
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.optimizers import PhaseOptimizer
from adversarial_autoencoder.variants import VARIANTS

PHASES = {"reconstruction": phases.Reconstruction, "regularization": phases.Regularization}

# Images in a validation minibatch.
VALIDATION_BATCH = 1000

# How often a training shows images in TensorBoard, at most.
IMAGES = 50

# What the progress bar shows of the logs.
KEY_METRICS = ("reconstruction_loss", "val_reconstruction_loss", "val_prior_distance")


def build(config, image_shape):
    """Builds the model of a configuration, untrained and not compiled.

    Args:
        config: A `Config`.
        image_shape: Shape of one image, (height, width, channels).

    Returns:
        An `AdversarialAutoencoder`.
    """
    keras.utils.set_random_seed(config.seed)
    hidden = {
        "hidden_units": config.hidden_units,
        "hidden_layers": config.hidden_layers,
        "dropout": config.dropout,
        "weight_std": config.weight_std,
    }
    names = VARIANTS[config.model].phases
    discriminator = None
    if "regularization" in names:
        discriminator = networks.discriminator(config.z_dim, **hidden)
    return AdversarialAutoencoder(
        networks.encoder(image_shape, config.z_dim, **hidden),
        networks.decoder(image_shape, config.z_dim, **hidden),
        discriminator,
        prior=priors.Gaussian(config.prior_std),
        reconstruction_loss=config.reconstruction_loss,
        phases=[PHASES[name]() for name in names],
        seed=config.seed,
        name=config.model,
    )


def optimizer(config, steps, steps_per_epoch):
    """Makes the optimizers of a configuration: Adam for every step of the procedure.

    On the cosine schedule the rates of reconstruction and generator fall to 0, while the
    discriminator keeps its own: it has to follow the encoder to the end. The generator's epsilon is
    much larger than Adam's usual one. Near the equilibrium the discriminator's gradients are small
    and mostly noise; Adam would blow them up to steps of full size, which spoil the reconstruction.

    Args:
        config: A `Config` with its epochs resolved.
        steps: Names of the steps of the model, such as "generator".
        steps_per_epoch: Minibatches in an epoch.

    Returns:
        A `PhaseOptimizer`.
    """

    def falling(rate):
        if config.learning_rate_schedule == "constant":
            return rate
        return keras.optimizers.schedules.CosineDecay(rate, config.epochs * steps_per_epoch)

    adam = keras.optimizers.Adam
    optimizers = {
        "reconstruction": adam(falling(config.reconstruction_learning_rate)),
        "discriminator": adam(config.discriminator_learning_rate),
        "generator": adam(
            falling(config.generator_learning_rate), epsilon=config.generator_epsilon
        ),
    }
    return PhaseOptimizer({step: optimizers[step] for step in steps})


def train(config, dataset, run):
    """Trains the model of a run, from its last finished epoch on.

    Args:
        config: A `Config`, resolved for the data.
        dataset: The `data.Dataset`.
        run: The `runs.Run`; its files are written as the training goes on.

    Returns:
        The trained `AdversarialAutoencoder`.
    """
    steps = len(dataset.x_train) // config.batch_size
    model = build(config, dataset.image_shape)
    model.compile(
        optimizer(config, model.var_lists, steps),
        jit_compile=True,
        steps_per_execution=_divisor(steps, limit=50),
    )
    if run.is_trained:
        with _reading(run):
            model.load_weights(run.model_path)
    epochs_done = int(model.optimizer.iterations) // steps
    sample = callbacks.PriorDistance(dataset.x_validation)
    model.fit(
        training_batches(dataset.x_train, config.batch_size, config.seed, epochs_done),
        shuffle=False,
        steps_per_epoch=steps,
        initial_epoch=epochs_done,
        epochs=config.epochs,
        validation_data=dataset.x_validation,
        validation_batch_size=VALIDATION_BATCH,
        verbose=0,
        callbacks=[
            sample,
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
        ],
    )
    return model


def load(run):
    """Loads the trained model of a run.

    Raises:
        InputError: If it cannot be read.
    """
    with _reading(run):
        return keras.saving.load_model(run.model_path, compile=False)


def device():
    """The name of the device that a training uses, such as "CPU" or "GPU"."""
    return "GPU" if tf.config.list_physical_devices("GPU") else "CPU"


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
