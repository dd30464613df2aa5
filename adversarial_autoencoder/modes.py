"""What `--mode` does: one function a mode, each prints what it wrote.

Importing TensorFlow takes seconds, so that what was asked for is checked before. The modules that
need it are reached through the package, which imports them when they are first used.
"""

import contextlib
import dataclasses
import pathlib
import shlex

import numpy as np

import adversarial_autoencoder as aae
from adversarial_autoencoder import cluster, data, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.measurement import compare, evaluate, fitted_codes, print_table
from adversarial_autoencoder.quiet import import_tensorflow
from adversarial_autoencoder.repetition import train_seeds
from adversarial_autoencoder.selection import (
    check_data,
    check_prior_is_named,
    is_finished,
    located,
    run_to_continue,
    shown_run,
    with_given,
)


def train(command, given):
    """Trains a new run, or goes on with one.

    Args:
        command: The `Command`.
        given: The settings of `Config` given on the command line, a dict.
    """
    if command.seeds is not None:
        train_seeds(command, given, train)
        return
    run = run_to_continue(command, given)
    if run is None:
        config = Config.of(**given)
    else:
        config = with_given(run, run.read_config()[0], given)
        check_prior_is_named(run, config, given)
    with cluster.output_of_chief(config.strategy), contextlib.ExitStack() as holding:
        if run is not None and cluster.is_chief(config.strategy):
            holding.enter_context(run.held())
        _train(command, run, config, holding)


def _train(command, run, config, holding):
    """Trains a run from its last finished epoch on; None: a new one, which is held then."""
    dataset = data.load(config.dataset, config.data_dir)
    config = located(config, dataset).for_data(len(dataset.x_train))
    if run is not None:
        begun, recorded = run.read_config()
        check_data(run, dataset, recorded)
        if config.prior.endswith(".npy"):
            run.check_prior(config.prior)
        if is_finished(run, config):
            print(f"The run has its {config.epochs} epochs; a larger --epochs goes on with it.")
            _print_summary(command, run, config)
            return
        if config.epochs != begun.epochs and config.learning_rate_schedule == "cosine":
            print(
                f"The cosine schedule is stretched from {begun.epochs} to {config.epochs} epochs."
            )
    import_tensorflow()
    strategy = aae.distribution.make_strategy(config)
    config = aae.hardware.choose(config)
    aae.training.check(config, dataset, strategy)
    settings = dataclasses.replace(config, dataset=None, data_dir=None)
    epochs_done = len(run.read_history()) if run is not None and run.is_trained else 0
    aae.distribution.check_agreement(strategy, f"{settings} {dataset.checksum} {epochs_done}")
    if not cluster.is_chief(config.strategy):
        aae.training.train(config, dataset, run, strategy)
        return
    if run is None:
        name, number = command.run_name, False
        if name is None:
            name, number = runs.default_name(config, dataset), True
        run = runs.create(command.results_dir, name, number)
        holding.enter_context(run.held())
    run.write_config(config, dataset)
    print(
        f"Training {config.model} with z_dim {config.z_dim} on {dataset.name}, "
        f"{len(dataset.x_train)} images of {'x'.join(map(str, dataset.image_shape))}, "
        f"for {config.epochs} epochs on the {aae.hardware.device()} in {config.precision}"
        f"{' by XLA' if config.jit_compile == 'true' else ''}"
        f"{_replicas(strategy.num_replicas_in_sync)}",
        flush=True,
    )
    try:
        with run.attempt(), aae.safeguards.StopOnSignal() as stop:
            aae.training.train(config, dataset, run, strategy, further_callbacks=[stop])
    except (KeyboardInterrupt, SystemExit):
        epochs, options = len(run.read_history()), _options(command, run, config)
        print(f"\n{epochs} of {config.epochs} epochs are finished; the last of them is kept.")
        print(f"Stopped. To go on: python run.py --mode train --resume {options}")
        raise
    _print_summary(command, run, config)


def _replicas(n):
    return f", each minibatch divided over {n} replicas" if n > 1 else ""


def prepare(command, given):
    """Writes a folder of images as files from which a training streams them."""
    for flag, value in (("dataset", given.get("dataset")), ("output_dir", command.output_dir)):
        if value is None:
            raise InputError(f"The mode prepare needs --{flag}. Received: none")
    import_tensorflow()
    dataset = data.prepare(given["dataset"], command.output_dir)
    print(f"{len(dataset.x_train)} images for training, {len(dataset.x_validation)} for validation")
    print(f"and {len(dataset.x_test)} for test: {command.output_dir}")
    print(f"Next:    python run.py --mode train --dataset {command.output_dir}")


def latent_grid(command, given):
    """Decodes a regular grid of codes into one picture of the latent space."""
    shown = shown_run(command, given, dims := _dims(command))
    model, y = shown.model, command.grid_class
    if y and (y >= model.num_classes or model.cluster_heads is not None):
        raise InputError(
            "grid_class must be a value of y that the decoder takes beside z"
            f"{f', below {model.num_classes}' if model.num_classes else ''}. "
            f"Received: grid_class={y}"
        )
    figure = aae.figures.latent_grid(model, command.grid_size, command.grid_range, dims, y)
    _save(shown.run, figure, "latent_grid")


def latent_scatter(command, given):
    """Draws the codes of the test images, by class, beside the prior."""
    shown = shown_run(command, given, dims := _dims(command), with_data=True)
    model, dataset = shown.model, shown.dataset
    z, prior_labels = model.represent(dataset.x_test, seed=0), None
    if shown.config.condition_prior_on_labels and getattr(model.prior, "has_components", False):
        shares = data.training_labels(shown.config, dataset)[1]
        prior_labels = np.random.default_rng(0).choice(len(shares), len(z), p=shares)
    z_prior = model.draw_representation(len(z), labels=prior_labels)
    figure = aae.figures.latent_scatter(
        z, z_prior, dataset.y_test, dataset.class_names, dims, prior_labels, model.cluster_heads
    )
    _save(shown.run, figure, "latent_scatter")


def reconstruct(command, given):
    """Draws test images above their reconstructions."""
    shown = shown_run(command, given, with_data=True)
    chosen = slice(command.num_images)
    figure = aae.figures.reconstructions(
        shown.model, shown.dataset.x_test[chosen], shown.given_labels(chosen)
    )
    _save(shown.run, figure, "reconstruct")


def sample(command, given):
    """Draws images decoded from samples of the prior, or of a mixture fitted to the codes."""
    fitted = command.sampler == "gaussian_mixture"
    shown = shown_run(command, given, with_data=fitted)
    z, n = None, command.num_images
    if fitted:
        z = fitted_codes(shown.model, shown.dataset, n * (shown.model.num_classes or n))
    figure = aae.figures.samples(shown.model, n, n, z=z)
    _save(shown.run, figure, "sample_gaussian_mixture" if fitted else "sample")


def interpolate(command, given):
    """Draws straight lines through the latent space between pairs of test images."""
    shown = shown_run(command, given, with_data=True)
    x = shown.dataset.x_test
    rows = min(command.num_images, len(x) // 2)
    if not rows:
        raise InputError(f"{shown.dataset.name} must have 2 test images. Received: 1")
    ends = slice(rows), slice(rows, 2 * rows)
    x_from, x_to = (x[end] for end in ends)
    y_from, y_to = (shown.given_labels(end) for end in ends)
    figure = aae.figures.interpolations(shown.model, x_from, x_to, command.num_images, y_from, y_to)
    _save(shown.run, figure, "interpolate")


def style_grid(command, given):
    """Draws every style with every class: rows share z, columns run over y."""

    def fits(config):
        return config.variant.y is not None and not config.variant.cluster_heads

    shown = shown_run(
        command,
        given,
        with_data=True,
        needs=("trained run with a y beside z (such as supervised_aae)", fits),
    )
    model, dataset, rows = shown.model, shown.dataset, command.num_images
    names = () if shown.config.infers_clusters else dataset.class_names
    if command.style_from == "prior":
        z, x = aae.priors.draw(model.prior, rows, model.z_dim), None
    else:
        x = dataset.x_test[:rows]
        z = model.encode(x)
    _save(shown.run, aae.figures.style_grid(model, z, names, x), "style_grid")


def cluster_grid(command, given):
    """Draws the head of each cluster, then test images assigned to it."""
    shown = shown_run(
        command,
        given,
        with_data=True,
        needs=(
            "trained run that infers y (such as clustering_aae)",
            lambda config: config.variant.y == "inferred",
        ),
    )
    figure = aae.figures.cluster_grid(shown.model, shown.dataset.x_test, command.num_images)
    _save(shown.run, figure, "cluster_grid")


def classify(command, given):
    """Measures the test error and draws the confusion, or names the classes of a user's images."""

    def fits(config):
        return config.variant.y == "inferred" and not config.infers_clusters

    names, images = data.load_images(command.images) if command.images else (None, None)
    shown = shown_run(
        command,
        given,
        with_data=images is None,
        needs=("trained run that classifies (such as semi_supervised_aae)", fits),
    )
    model, dataset = shown.model, shown.dataset
    if images is not None:
        shape, class_names = shown.run.read_classes()
        if images.shape[-1] == 1:  # Grey images in colour, for a model of colour images.
            images = np.repeat(images, shape[-1], axis=-1)
        if images.shape[1:] != shape:
            raise InputError(
                f"images must have the shape {shape} (height, width, channels). "
                f"Received: {images.shape[1:]}"
            )
        probabilities = model.classify(images)
        classes = [class_names[k] for k in probabilities.argmax(axis=1)]
        path = shown.run.write_predictions(names, classes, probabilities.max(axis=1))
        print(f"Wrote {path}")
        return
    if dataset.y_test is None:
        raise InputError(f"{dataset.name} must have test labels. Received: none")
    # It imports scikit-learn, which takes a second.
    from adversarial_autoencoder.evaluation.classification import confusion

    predicted = model.classify(dataset.x_test).argmax(axis=1)
    counts = confusion(dataset.y_test, predicted, model.num_classes)
    wrong = counts.sum() - np.trace(counts)
    print(f"Test error: {wrong / counts.sum():.2%} ({wrong} of {counts.sum()} images)")
    _save(shown.run, aae.figures.confusion(counts, dataset.class_names), "confusion")


def list_runs(command, given):
    """Prints a table of the runs, the newest first."""
    del given
    header = ("name", "model", "data", "status", "epochs", "reconstruction", "prior distance")
    rows, broken = [header], []
    for run in runs.list_runs(command.results_dir):
        try:
            config, recorded = run.read_config()
            history = run.read_history()
            status = run.status(config.epochs)
        except InputError as error:
            broken.append(str(error))
            continue
        last = history[-1] if history else {}
        metrics = [last.get(f"val_{name}") for name in ("reconstruction_loss", "prior_distance")]
        metrics = ["-" if value is None else f"{value:.4f}" for value in metrics]
        epochs = f"{len(history)}/{config.epochs}"
        rows.append((run.name, config.model, recorded["name"], status, epochs, *metrics))
    if len(rows) == 1 and not broken:
        print(f"There are no runs in {command.results_dir}: train one with --mode train.")
        return
    print_table(rows)
    for line in broken:
        print(line)


MODES = {
    "train": train,
    "latent_grid": latent_grid,
    "latent_scatter": latent_scatter,
    "reconstruct": reconstruct,
    "sample": sample,
    "interpolate": interpolate,
    "style_grid": style_grid,
    "cluster_grid": cluster_grid,
    "classify": classify,
    "evaluate": evaluate,
    "compare": compare,
    "prepare": prepare,
    "list": list_runs,
}


def _dims(command):
    """The two dimensions of --grid_dims."""
    try:
        i, j = (int(part) for part in command.grid_dims.split(","))
    except ValueError:
        i = j = -1
    if i == j or min(i, j) < 0:
        raise InputError(
            "grid_dims must be two different dimensions of z, counted from 0, such as 0,1. "
            f"Received: grid_dims={command.grid_dims}"
        )
    return i, j


def _save(run, figure, name):
    print(f"Wrote {run.write_figure(figure, name)}")


def _print_summary(command, run, config):
    last = run.read_history()[-1]
    print(f"Run:     {run.path}")
    print(
        f"Result:  on validation images after {last['epoch']} epochs: reconstruction loss "
        f"{last['val_reconstruction_loss']:.4f} ({config.reconstruction_loss}), distance to the "
        f"prior {last['val_prior_distance']:.3f} (two samples of the prior: "
        f"{last['val_prior_distance_floor']:.3f})"
    )
    if "val_classification_accuracy" in last:
        print(f"         classification error {1 - last['val_classification_accuracy']:.2%}")
    print(
        f"Next:    python run.py --mode {_next_mode(config)} {_options(command, run, config)}"
        f"   and   tensorboard --logdir {shlex.quote(command.results_dir)}"
    )


def _next_mode(config):
    """The mode that shows best what a system has learned."""
    if config.variant.y and not config.variant.cluster_heads:
        return "cluster_grid" if config.infers_clusters else "style_grid"
    return "latent_grid" if config.z_dim >= 2 else "sample"


def _options(command, run, config):
    """The flags that name a run, and that allow its prior to be imported."""
    prior = ["--prior", config.prior] if config.prior_function else []
    if run.path.parent != pathlib.Path(command.results_dir):
        return shlex.join(["--run", str(run.path), *prior])
    folder = [] if command.results_dir == "results" else ["--results_dir", command.results_dir]
    return shlex.join([*folder, "--run", run.name, *prior])
