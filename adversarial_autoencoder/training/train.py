"""Trains, resumes and loads the model of a run."""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder.data.labels import UNLABELLED, training_labels
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.devices import tf_config
from adversarial_autoencoder.errors import InputError, first_line
from adversarial_autoencoder.training import callbacks
from adversarial_autoencoder.training.build import build, make_prior
from adversarial_autoencoder.training.callbacks import safeguards
from adversarial_autoencoder.training.load import reading
from adversarial_autoencoder.training.step_optimizers import optimizer

# Images in a validation minibatch.
VALIDATION_BATCH = 1000

# How often a training shows images in TensorBoard, beside the first epoch: drawing takes time.
IMAGES = 4

# What the progress bar shows of the logs.
KEY_METRICS = (
    "reconstruction_loss",
    "val_reconstruction_loss",
    "val_prior_distance",
    "val_classification_accuracy",
)


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
    is_chief = tf_config.is_chief(config.strategy)
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
            with reading(run):
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


def check(config, dataset, strategy=None):
    """Raises InputError where the settings do not fit the data, before anything is written."""
    shares = training_labels(config, dataset)[1]
    if config.information_weight:
        values = config.num_clusters if config.infers_clusters else len(shares)
        replicas = strategy.num_replicas_in_sync if strategy else 1
        if config.batch_size < values * replicas:
            raise InputError(
                f"information_weight needs at least {values} images in a minibatch, one for each "
                f"value of y{f', on each of {replicas} replicas' if replicas > 1 else ''}. "
                f"Received: batch_size={config.batch_size}"
            )
    prior = make_prior(config, shares)
    try:
        if config.network == "conv":
            build(config, dataset.image_shape, shares)
        if config.prior_function:
            sample = tf.function(lambda: prior(2, config.z_dim, tf.constant([0, 0], "int64")))
            sample()
    except Exception as error:  # Whatever the user's function does.
        raise InputError(first_line(error)) from error


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


def _divisor(n, limit):
    """The largest divisor of `n` up to `limit`: `fit` does only whole groups of steps."""
    return max(d for d in range(1, limit + 1) if n % d == 0)


def _markdown_table(config):
    rows = (f"| {name} | {value} |" for name, value in dataclasses.asdict(config).items())
    return "\n".join(["| setting | value |", "|---|---|", *rows])
