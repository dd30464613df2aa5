"""Trains one run from the command line: new, or from its last completed epoch on."""

import contextlib
import dataclasses
import pathlib
import shlex
from typing import TYPE_CHECKING

from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config, rules
from adversarial_autoencoder.devices import tf_config
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError, counted, print_warning
from adversarial_autoencoder.modes.printing import print_columns, program
from adversarial_autoencoder.modes.select_run import (
    check_data,
    check_prior_is_named,
    is_finished,
    located_prior,
    run_to_resume,
    with_overrides,
)
from adversarial_autoencoder.runs.settings import cores, read_cores

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command

# What every training measures after each epoch, and the summary prints.
MEASURES = ("val_reconstruction_loss", "val_prior_distance", "val_prior_distance_floor")


def train_run(command: "Command", overrides: dict) -> None:
    """Trains a new run, or resumes one.

    Args:
        command: The `Command`.
        overrides: The given settings of a training, a dict from name to value.

    Raises:
        InputError: If the settings or the data cannot be used.
        TrainingError: If the training fails.
    """
    run = run_to_resume(command, overrides)
    if run is None:
        config = Config.of(**overrides)
    else:
        config = with_overrides(run, run.read_config()[0], overrides)
        check_prior_is_named(run, config, overrides)
    with tf_config.output_of_chief(config.strategy), contextlib.ExitStack() as holding:
        if run is not None and tf_config.is_chief(config.strategy):
            holding.enter_context(run.held())
        _train(command, run, config, overrides, holding)


def _train(command, run, config, overrides, holding):
    """Trains a run from its last completed epoch on. If it is None, makes and locks a new one."""
    batch_size_is_given = config.batch_size is not None
    config, dataset = with_data(config, overrides)
    if run is not None and _is_complete(command, run, config, dataset):
        return
    import_tensorflow()
    from adversarial_autoencoder import training
    from adversarial_autoencoder.devices import hardware
    from adversarial_autoencoder.devices.strategy import check_agreement, make_strategy
    from adversarial_autoencoder.training.callbacks import StopOnSignal

    strategy = make_strategy(config)
    config = hardware.choose(config)
    training.check(config, dataset, strategy)
    settings = dataclasses.replace(config, dataset=None, data_dir=None)
    epochs_done = 0 if run is None else run.completed_epochs()
    check_agreement(strategy, f"{settings} {dataset.checksum} {epochs_done}")
    if not tf_config.is_chief(config.strategy):
        with StopOnSignal() as stop:
            training.train(config, dataset, run, strategy, further_callbacks=[stop])
        return
    if run is None:
        name, number = command.run_name, False
        if name is None:
            name, number = runs.default_name(config, dataset), True
        run = runs.create(command.results_dir, name, number)
        holding.enter_context(run.held())
    elif epochs_done and (before := read_cores(run.path) or cores()) != cores():
        print_warning(
            f"The run {run.name} was trained on {counted(before, 'core')} of the CPU, and "
            f"continues on {counted(cores(), 'core')}. Sums in another order have other last bits, "
            "so the weights will not be equal to those of an uninterrupted training."
        )
    run.write_config(config, dataset)
    replicas = strategy.num_replicas_in_sync
    if config.image_size:
        print(config.image_form.resizing(), flush=True)
    print_columns(dataset)
    size = "x".join(map(str, dataset.image_shape))
    print(
        f"Training {config.model} with z_dim {config.z_dim} on {dataset.name}, "
        f"{counted(len(dataset.x_train), dataset.noun)} of "
        f"{size if dataset.schema is None else counted(dataset.image_shape[0], 'column')}, "
        f"for {counted(config.epochs, 'epoch')} on the {hardware.device()} in {config.precision}"
        f"{' by XLA' if config.jit_compile == 'true' else ''}"
        f"{f', each minibatch split over {replicas} replicas' if replicas > 1 else ''}",
        flush=True,
    )
    if not batch_size_is_given and config.batch_size != config.system.batch_size:
        print(
            f"A minibatch has {counted(config.batch_size, dataset.noun)} instead of "
            f"{config.system.batch_size}, because the data is small. "
            "--batch_size sets another number.",
            flush=True,
        )
    try:
        with run.attempt(), StopOnSignal(run) as stop:
            training.train(config, dataset, run, strategy, further_callbacks=[stop])
    except (KeyboardInterrupt, SystemExit):
        epochs, options = run.completed_epochs(), _options(command, run, config)
        saved = "; the last one is saved" if epochs else ""
        print(f"\nCompleted {epochs} of {counted(config.epochs, 'epoch')}{saved}.")
        print(f"Stopped. To resume: {program()} --mode train --resume {options}")
        raise
    _print_summary(command, run, config, dataset)


def with_data(config: Config, overrides: dict) -> tuple[Config, data.Dataset]:
    """Loads the data of a training, and fills in the settings that follow from it.

    Args:
        config: The settings.
        overrides: Those that the user has given.

    Returns:
        The resolved `Config`, and the data set.

    Raises:
        InputError: If the data cannot be used, or does not fit the settings.
    """
    dataset = data.load_of(config)
    if dataset.schema is not None:
        rules.check_given_for_table(overrides, dataset.name)
    return _located(config, dataset).for_data(**dataset.sizes), dataset


def _located(config, dataset):
    """The settings with absolute paths, and with the form in which the images were read.

    They hold in every working directory and for other images.
    """

    def absolute(path):
        return path and str(pathlib.Path(path).resolve())

    named = config.dataset in (None, *data.NAMES)
    return dataclasses.replace(
        config,
        dataset=config.dataset or dataset.name if named else absolute(config.dataset),
        prior=located_prior(config.prior),
        data_dir=absolute(config.data_dir),
        test_dataset=absolute(config.test_dataset),
        columns=absolute(config.columns),
        **dataset.form.settings(),
    )


def _is_complete(command, run, config, dataset):
    """Whether a run has all its epochs; checks that it can be continued with this data."""
    begun, recorded = run.read_config()
    last = run.read_last()
    if missing := [name for name in MEASURES if last and name not in last]:
        raise InputError(
            f"The history of the run {run.name} must have the columns {', '.join(MEASURES)}. "
            f"Received: no column {missing[0]}"
        )
    check_data(run, dataset, recorded)
    if config.prior.endswith(".npy"):
        run.check_prior(config.prior)
    if is_finished(run, config):
        length = counted(config.epochs, "epoch")
        print(f"The run has its {length}. Give a larger --epochs to train further.")
        _print_summary(command, run, config, dataset)
        return True
    if config.epochs != begun.epochs and config.learning_rate_schedule == "cosine":
        length = counted(config.epochs, "epoch")
        print(f"The cosine schedule is stretched from {begun.epochs} to {length}.")
    return False


def _print_summary(command, run, config, dataset):
    last = run.read_last()
    loss = config.reconstruction_loss if dataset.schema is None else "mean over columns"
    print(f"Run:     {run.path}")
    print(
        f"Result:  on validation {dataset.noun}s after {counted(last['epoch'], 'epoch')}: "
        f"reconstruction loss {last['val_reconstruction_loss']:.4f} "
        f"({loss}), distance to the prior {last['val_prior_distance']:.3f} "
        f"(between two samples of the prior: {last['val_prior_distance_floor']:.3f})"
    )
    if "val_classification_accuracy" in last:
        print(f"         classification error {1 - last['val_classification_accuracy']:.2%}")
    if "val_clusters_in_use" in last:
        line = (
            f"         {last['val_clusters_in_use']:.0f} of {config.num_clusters} clusters in use"
        )
        if "val_cluster_error" in last:
            line += f", error {last['val_cluster_error']:.2%} if each stands for its main class"
        print(line)
    mode, options = _next_mode(config, dataset), _options(command, run, config)
    print(
        f"Next:    {program()} --mode {mode} {options}"
        f"   and   tensorboard --logdir {shlex.quote(str(run.path))}"
    )


def _next_mode(config, dataset):
    """The mode that best shows what a system has learned."""
    if dataset.schema is not None:
        return "evaluate"
    if config.system.y and not config.system.cluster_heads:
        return "cluster_grid" if config.infers_clusters else "style_grid"
    return "latent_grid" if config.z_dim >= 2 else "sample"


def _options(command, run, config):
    """The flags that name a run, and that allow the import of its prior."""
    prior = ["--prior", config.prior] if config.prior_function else []
    if run.path.parent != pathlib.Path(command.results_dir):
        return shlex.join(["--run", str(run.path), *prior])
    folder = [] if command.results_dir == "results" else ["--results_dir", command.results_dir]
    return shlex.join([*folder, "--run", run.name, *prior])
