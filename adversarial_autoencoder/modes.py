"""What `--mode` does: one function a mode, each prints what it wrote.

Importing TensorFlow takes seconds, so that what was asked for is checked before. The modules that
need it are reached through the package, which imports them when they are first used.
"""

import dataclasses
import pathlib

import adversarial_autoencoder as aae
from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.quiet import import_tensorflow

# Settings that may differ from those a run was begun with: its length, and where its data lies.
CHANGEABLE = ("epochs", "dataset", "data_dir")


def train(command, given):
    """Trains a new run, or goes on with one.

    Args:
        command: The `Command`.
        given: The settings of `Config` given on the command line, a dict.
    """
    run = _run_to_continue(command)
    if run is None:
        config = Config(**given)
    else:
        config, recorded = run.read_config()
        config = _with_given(run, config, given)
    dataset = data.load(config.dataset, config.data_dir)
    if run is not None:
        _check_data(run, dataset, recorded)
    config = config.for_data(dataset.name, len(dataset.x_train))
    if run is None:
        name = command.run_name or runs.default_name(config, dataset)
        run = runs.create(command.results_dir, name)
    elif len(run.read_history()) >= config.epochs:
        print(f"The run already has {config.epochs} epochs; a larger --epochs goes on with it.")
    import_tensorflow()
    run.write_config(config, dataset)
    try:
        aae.training.train(config, dataset, run)
    except KeyboardInterrupt:
        print(f"\nStopped. To go on: python run.py --mode train --resume {_options(command, run)}")
        raise
    last = run.read_history()[-1]
    print(f"Run:     {run.path}")
    print(
        f"Result:  after {last['epoch']} epochs, on validation images: reconstruction loss "
        f"{last['val_reconstruction_loss']:.4f} ({config.reconstruction_loss}), "
        f"distance to the prior {last['val_prior_distance']:.3f}"
    )
    print(
        f"Next:    python run.py --mode latent_grid {_options(command, run)}"
        f"   |   tensorboard --logdir {command.results_dir}"
    )


def latent_grid(command, given):
    """Decodes a regular grid of codes into one picture of the latent space."""
    dims = _grid_dims(command)

    def fits(config):
        return config.z_dim > max(dims)

    run, model = _trained(command, given, fits, f"trained run with z_dim above {max(dims)}")
    figure = aae.figures.latent_grid(model, command.grid_size, command.grid_range, dims)
    _save(run, figure, "latent_grid")


def latent_scatter(command, given):
    """Draws the codes of the test images, by class, beside the prior."""
    run, model = _trained(command, given)
    dataset = _dataset(run, given)
    z = model.encode(dataset.x_test)
    z_prior = aae.priors.draw(model.prior, len(z), model.z_dim)
    dims = _grid_dims(command) if model.z_dim > 1 else (0, 0)
    figure = aae.figures.latent_scatter(z, z_prior, dataset.y_test, dataset.class_names, dims)
    _save(run, figure, "latent_scatter")


def reconstruct(command, given):
    """Draws test images above their reconstructions."""
    run, model = _trained(command, given)
    dataset = _dataset(run, given)
    _save(
        run, aae.figures.reconstructions(model, dataset.x_test[: command.num_images]), "reconstruct"
    )


def sample(command, given):
    """Draws images decoded from samples of the prior."""
    run, model = _trained(command, given)
    _save(run, aae.figures.samples(model, command.num_images, command.num_images), "sample")


def interpolate(command, given):
    """Draws straight lines through the latent space between test images."""
    run, model = _trained(command, given)
    x = _dataset(run, given).x_test[: 2 * command.num_images]
    half = len(x) // 2
    _save(run, aae.figures.interpolations(model, x[:half], x[half : 2 * half]), "interpolate")


def list_runs(command, given):
    """Prints a table of the runs, the newest first."""
    del given
    header = ("name", "model", "data", "epochs", "reconstruction", "prior distance")
    rows = []
    for run in runs.list_runs(command.results_dir):
        try:
            config, recorded = run.read_config()
        except InputError as error:
            rows.append((run.name, str(error), "", "", "", ""))
            continue
        history = run.read_history()
        last = history[-1] if history else {}
        metrics = [last.get(f"val_{name}") for name in ("reconstruction_loss", "prior_distance")]
        rows.append(
            (
                run.name,
                config.model,
                recorded["name"],
                f"{len(history)}/{config.epochs}",
                *("-" if value is None else f"{value:.4f}" for value in metrics),
            )
        )
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


MODES = {
    "train": train,
    "latent_grid": latent_grid,
    "latent_scatter": latent_scatter,
    "reconstruct": reconstruct,
    "sample": sample,
    "interpolate": interpolate,
    "list": list_runs,
}


def _run_to_continue(command):
    if command.resume:
        return runs.find(command.results_dir, command.run, what="run")
    if command.run_name is not None:
        runs.check_name(command.run_name)
        path = pathlib.Path(command.results_dir, command.run_name)
        if (path / "config.json").exists():
            return runs.Run(path)
    return None


def _with_given(run, config, given):
    """The settings of a run with those given on the command line, where they may change."""
    for name, value in given.items():
        if name not in CHANGEABLE and value != getattr(config, name):
            raise InputError(
                f"The run {run.name} has {name}={getattr(config, name)}. Received: {name}={value}"
            )
    return dataclasses.replace(config, **given)


def _check_data(run, dataset, recorded):
    if dataset.checksum != recorded["checksum"]:
        raise InputError(
            f"The data of the run {run.name} must be unchanged: {recorded['checksum']}. "
            f"Received: {dataset.name} with {dataset.checksum}"
        )


def _trained(command, given, fits=lambda config: True, what="trained run"):
    """Finds the run to show and loads its model."""

    def fits_given(run):
        try:
            config = _with_given(run, run.read_config()[0], given)
        except InputError:
            return False
        return run.is_trained and fits(config)

    run = runs.find(command.results_dir, command.run, fits_given, what)
    config = _with_given(run, run.read_config()[0], given)
    if not run.is_trained:
        raise InputError(f"The run {run.name} must have finished an epoch. Received: none")
    if not fits(config):
        raise InputError(f"--run must be a {what}. Received: run={run.name}, z_dim={config.z_dim}")

    import_tensorflow()
    return run, aae.training.load(run)


def _dataset(run, given):
    config, recorded = run.read_config()
    config = _with_given(run, config, given)
    dataset = data.load(config.dataset, config.data_dir)
    _check_data(run, dataset, recorded)
    return dataset


def _grid_dims(command):
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
    run.figures_path.mkdir(exist_ok=True)
    path = run.figures_path / f"{name}.png"
    with runs.atomic(path) as temporary:
        figure.savefig(temporary, dpi=150)
    print(f"Wrote {path}")


def _options(command, run):
    """The flags that name a run."""
    where = "" if command.results_dir == "results" else f"--results_dir {command.results_dir} "
    return f"{where}--run {run.name}"
