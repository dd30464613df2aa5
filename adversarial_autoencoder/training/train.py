"""Trains the model of a run, and resumes it."""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from adversarial_autoencoder import networks
from adversarial_autoencoder.config.files import with_effect
from adversarial_autoencoder.data.labels import UNLABELLED, training_labels
from adversarial_autoencoder.devices import tf_config
from adversarial_autoencoder.errors import InputError, counted
from adversarial_autoencoder.model import archive
from adversarial_autoencoder.model.batch import images_at_once
from adversarial_autoencoder.networks.normalization import finite_moments
from adversarial_autoencoder.systems import CLASSIFICATION, REGULARIZATION
from adversarial_autoencoder.training import callbacks
from adversarial_autoencoder.training.build import make_prior
from adversarial_autoencoder.training.callbacks.time_budget import SHARE
from adversarial_autoencoder.training.fit import check_batch_size, compiled, fit
from adversarial_autoencoder.training.load import reading_model

# Images in a validation minibatch, at most.
VALIDATION_BATCH = 1000

# How often a training writes images for TensorBoard, after the first epoch: drawing takes time.
IMAGES = 4

# The logs that the progress bar shows.
KEY_METRICS = (
    "reconstruction_loss",
    "val_reconstruction_loss",
    "val_prior_distance",
    "val_classification_accuracy",
    "val_cluster_error",
)


def train(config, dataset, run, strategy=None, further_callbacks=()):
    """Trains the model of a run, starting after its last completed epoch.

    Args:
        config: A `Config`, resolved for the hardware.
        dataset: The `data.Dataset`.
        run: The `runs.Run`. Every worker reads it, and the chief writes it. None for a worker that
            is not the chief, if the run is new.
        strategy: What `devices.strategy.make_strategy` made; None for one device.
        further_callbacks: Your own Keras callbacks. Every worker calls them last.

    Returns:
        The trained `AdversarialAutoencoder`.

    Raises:
        TrainingError: If a loss, a gradient or a weight is not finite.
    """
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    config = config.for_data(**dataset.sizes)
    strategy = strategy or tf.distribute.get_strategy()
    is_chief = tf_config.is_chief(config.strategy)
    labels, shares = training_labels(config, dataset)
    if config.labelled_images_only:
        dataset = dataset.held_out_with_labels()
    if labels is not None and is_chief and (config.num_labels or labels.min() == UNLABELLED):
        run.write_labelled(np.flatnonzero(labels >= 0), labels[labels >= 0])
    x = dataset.x_train
    if config.labelled_images_only and config.num_labels:
        known = np.flatnonzero(labels >= 0)
        x, labels = x.take(known, axis=0), labels[known]
    steps_per_epoch = len(x) // config.batch_size
    with strategy.scope():
        model = compiled(config, dataset.image_shape, steps_per_epoch, shares, dataset.schema)
        if run is not None and run.is_trained:
            with reading_model(run):
                archive.check_weights(run.model_path)
                model.load_weights(run.model_path)
    epochs_done = int(model.optimizer.iterations.numpy()) // steps_per_epoch

    fit(
        model,
        config,
        x,
        labels,
        steps_per_epoch,
        strategy,
        initial_epoch=epochs_done,
        epochs=config.epochs,
        validation_data=_validation_data(config, dataset),
        validation_batch_size=images_at_once(VALIDATION_BATCH, dataset.image_shape),
        callbacks=[
            callbacks.StopOnFault(run),
            *(_callbacks(config, dataset, run, epochs_done) if is_chief else ()),
            *further_callbacks,
        ],
    )
    return model


def _callbacks(config, dataset, run, epochs_done):
    distance = callbacks.PriorDistance(
        dataset.x_validation, dataset.y_validation, config.infers_clusters, run
    )
    tensorboard = callbacks.TensorBoard(
        run.logs_path, distance, settings=dataclasses.asdict(config)
    )
    # Workers that are stopped together must not wait for each other at the end of the epoch.
    share = 1 if config.strategy == "multi_worker" else SHARE
    frames = callbacks.Frames(run, dataset.x_validation, epochs_done)
    checkpoint = callbacks.Checkpoint(run, epochs_done, share, frames)
    used = with_effect(config, dataset.schema is not None)
    return [
        distance,
        callbacks.WarnOfCollapse(distance),
        callbacks.Progress(epochs_done, KEY_METRICS),
        tensorboard,
        # The tab HParams: one row for each run, such as the runs of --seeds.
        hparams.KerasCallback(str(run.logs_path), used, trial_id=run.name),
        frames,
        checkpoint,
        callbacks.Pictures(
            tensorboard,
            labels=dataset.y_validation,
            class_names=dataset.class_names,
            every=math.ceil(config.epochs / IMAGES),
            checkpoint=checkpoint,
        ),
    ]


def forget():
    """Frees the memory that earlier trainings of this process hold in Keras."""
    keras.backend.clear_session()


def check(config, dataset, strategy=None):
    """Checks that the settings fit the data, before anything is written.

    Args:
        config: A `Config`.
        dataset: The `data.Dataset`.
        strategy: The strategy of the training; None for one device.

    Raises:
        InputError: If they do not.
    """
    config = config.for_data(**dataset.sizes)
    labels, shares = training_labels(config, dataset)
    replicas = strategy.num_replicas_in_sync if strategy else 1
    if config.has_phase(CLASSIFICATION):
        labelled = np.count_nonzero(labels != UNLABELLED)
        if labelled < config.batch_size and labelled % replicas:
            raise InputError(
                f"A minibatch has all labelled images, so their number must be a multiple of the "
                f"{replicas} replicas. Received: {counted(labelled, 'labelled image')}"
            )
    check_batch_size(config, shares, replicas)
    prior = make_prior(config, shares)
    parts = {f"prior={config.prior}": keras.saving.serialize_keras_object(prior)}
    if dataset.schema is not None:
        parts[f"the table {dataset.name}"] = dataset.schema.get_config()
    archive.check_parts(parts)
    conditioned = config.condition_prior_on_labels and getattr(prior, "has_components", False)
    if conditioned and config.system.y:  # Of a named prior, the settings are checked already.
        raise InputError(
            "condition_prior_on_labels needs a model without y for a prior with components, which "
            f"would make z depend on y. Received: prior={config.prior}, model={config.model}"
        )
    if dataset.schema is not None and config.consistency == "augment":
        raise InputError(
            "consistency augment shifts and rotates images; consistency vat works on tables. "
            f"Received: the table {dataset.name}"
        )
    try:
        if config.normalize_codes and config.has_phase(REGULARIZATION):
            finite_moments(prior, config.z_dim)
        networks.check_network(config.network, dataset.image_shape, config.hidden_layers)
    except ValueError as error:
        raise InputError(error) from error


def _validation_data(config, dataset):
    """The validation images, with the same fraction of hidden labels as in training.

    A discriminator that sees labels is then measured under the conditions of its training. A
    classifier is measured with all labels.
    """
    if not config.uses_labels:
        return dataset.x_validation
    y = dataset.y_validation
    if y is None:
        y = np.full(len(dataset.x_validation), UNLABELLED)
    y = y.astype("int32")
    if config.num_labels and config.system.y is None:
        share = min(config.num_labels / len(dataset.x_train), 1)
        hidden = np.random.default_rng(config.seed).random(len(y)) >= share
        y = np.where(hidden, UNLABELLED, y)
    return dataset.x_validation, y
