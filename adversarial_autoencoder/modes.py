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
from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.durable import atomic
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
    run = _run_to_continue(command, given)
    with contextlib.ExitStack() as holding:
        if run is None:
            config = Config.of(**given)
        else:
            begun, recorded = run.read_config()
            config = _with_given(run, begun, given)
            _check_prior_is_named(run, config, given)
            holding.enter_context(run.held())
        dataset = data.load(config.dataset, config.data_dir)
        config = _located(config, dataset).for_data(len(dataset.x_train))
        if run is not None:
            _check_data(run, dataset, recorded)
            if config.prior.endswith(".npy"):
                run.check_prior(config.prior)
            if _is_finished(run, config):
                print(f"The run has its {config.epochs} epochs; a larger --epochs goes on with it.")
                _print_summary(command, run, config)
                return
            if config.epochs != begun.epochs and config.learning_rate_schedule == "cosine":
                print(
                    f"The cosine schedule is stretched from {begun.epochs} to {config.epochs} "
                    "epochs."
                )
        import_tensorflow()
        config = aae.hardware.choose(config)
        aae.training.check(config, dataset)
        if run is None:
            name, number = command.run_name, False
            if name is None:
                name, number = runs.default_name(config, dataset), True
            run = runs.create(command.results_dir, name, number)
            holding.enter_context(run.held())
        _train(command, run, config, dataset)


def _train(command, run, config, dataset):
    """Trains a run that this process holds, and says what came of it."""
    run.write_config(config, dataset)
    print(
        f"Training {config.model} with z_dim {config.z_dim} on {dataset.name}, "
        f"{len(dataset.x_train)} images of {'x'.join(map(str, dataset.image_shape))}, "
        f"for {config.epochs} epochs on the {aae.hardware.device()} in {config.precision}"
        f"{' by XLA' if config.jit_compile == 'true' else ''}",
        flush=True,
    )
    try:
        with run.attempt(), aae.safeguards.StopOnSignal() as stop:
            aae.training.train(config, dataset, run, further_callbacks=[stop])
    except (KeyboardInterrupt, SystemExit):
        epochs, options = len(run.read_history()), _options(command, run, config)
        print(f"\n{epochs} of {config.epochs} epochs are finished; the last of them is kept.")
        print(f"Stopped. To go on: python run.py --mode train --resume {options}")
        raise
    _print_summary(command, run, config)


def latent_grid(command, given):
    """Decodes a regular grid of codes into one picture of the latent space."""
    shown = _shown(command, given, dims := _dims(command))
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
    shown = _shown(command, given, dims := _dims(command), with_data=True)
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
    shown = _shown(command, given, with_data=True)
    chosen = slice(command.num_images)
    figure = aae.figures.reconstructions(
        shown.model, shown.dataset.x_test[chosen], shown.given_labels(chosen)
    )
    _save(shown.run, figure, "reconstruct")


def sample(command, given):
    """Draws images decoded from samples of the prior."""
    shown = _shown(command, given)
    figure = aae.figures.samples(shown.model, command.num_images, command.num_images)
    _save(shown.run, figure, "sample")


def interpolate(command, given):
    """Draws straight lines through the latent space between pairs of test images."""
    shown = _shown(command, given, with_data=True)
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

    shown = _shown(
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
    shown = _shown(
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
    shown = _shown(
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
    counts = np.zeros((model.num_classes, model.num_classes), int)
    np.add.at(counts, (dataset.y_test, model.classify(dataset.x_test).argmax(axis=1)), 1)
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
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
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
    "list": list_runs,
}


def _run_to_continue(command, given):
    """The run to go on with, or None to begin one."""
    if command.resume:
        if command.run and command.run_name:
            raise InputError("--resume takes one of --run and --run_name. Received: both")
        return runs.find(
            command.results_dir,
            command.run_name if command.run is None else command.run,
            lambda run: not _is_finished(run, _fitting_config(run, given)),
            "run that is not finished",
        )
    if command.run:
        raise InputError(
            "--mode train takes --run with --resume, and --run_name for a new run. "
            f"Received: run={command.run}"
        )
    if command.run_name is not None:
        runs.check_name(command.run_name)
        path = pathlib.Path(command.results_dir, command.run_name)
        if (path / "config.json").exists():
            return runs.Run(path)
    return None


@dataclasses.dataclass(frozen=True)
class _Shown:
    """A trained run to show: its settings, its model, and its `data.Dataset` where it is needed."""

    run: runs.Run
    config: Config
    model: object
    dataset: data.Dataset | None

    def given_labels(self, chosen):
        """The labels of some test images, where the decoder is given them; else None."""
        if self.config.variant.y != "given":
            return None
        if self.dataset.y_test is None:
            raise InputError(f"{self.dataset.name} must have test labels. Received: none")
        return self.dataset.y_test[chosen]


def _shown(command, given, dims=(0,), with_data=False, needs=("trained run", lambda config: True)):
    """Finds the run to show and loads its model, and its data where that is needed.

    Args:
        command: The `Command`.
        given: The settings of `Config` that the run must have.
        dims: The dimensions of z that are drawn.
        with_data: Whether to load the data.
        needs: What the run must be, for the error, and a function that tells of its `Config`.

    Returns:
        A `_Shown`.
    """
    what, serves = needs
    what += f" with z_dim above {max(dims)}" if max(dims) else ""

    def fits(run):
        config = _fitting_config(run, given)
        return run.is_trained and config.z_dim > max(dims) and serves(config)

    run = runs.find(command.results_dir, command.run, fits, what)
    config, recorded = run.read_config()
    config = _with_given(run, config, given)
    if not (run.is_trained and config.z_dim > max(dims) and serves(config)):
        state = "" if run.is_trained else ", not trained"
        raise InputError(
            f"--run must be a {what}. "
            f"Received: {run.name}, {config.model} with z_dim {config.z_dim}{state}"
        )
    _check_prior_is_named(run, config, given)
    dataset = None
    if with_data:
        dataset = data.load(config.dataset, config.data_dir)
        _check_data(run, dataset, recorded)
    import_tensorflow()
    return _Shown(run, config, aae.training.load(run), dataset)


def _check_prior_is_named(run, config, given):
    """Raises InputError unless the user allows a function that config.json names to be imported."""
    if config.prior_function and given.get("prior") != config.prior:
        raise InputError(
            f"The run {run.name} draws its prior with a function of yours: --prior "
            f"{config.prior} allows it to be imported. Received: no --prior"
        )


def _fitting_config(run, given):
    """The settings of a run, which must be those given; its data may lie elsewhere."""
    config, _ = run.read_config()
    dataset = given.get("dataset", config.dataset)
    if dataset not in data.NAMES:
        dataset = str(pathlib.Path(dataset).resolve())
    if dataset != config.dataset:
        raise InputError(f"The run {run.name} has dataset={config.dataset}. Received: {dataset}")
    return _with_given(run, config, given)


def _with_given(run, config, given):
    """The settings of a run with those given on the command line, where they may change."""
    if "prior" in given:
        given = given | {"prior": _located_prior(given["prior"])}
    for name, value in given.items():
        # The file of samples may have moved; its checksum tells whether it is the same.
        if name == "prior" and value.endswith(".npy") and config.prior.endswith(".npy"):
            continue
        if name not in CHANGEABLE and value != getattr(config, name):
            raise InputError(
                f"The run {run.name} has {name}={getattr(config, name)}. Received: {name}={value}"
            )
    return dataclasses.replace(config, **given)


def _located(config, dataset):
    """The settings with paths that hold in every working directory."""
    is_path = config.dataset is not None and config.dataset not in data.NAMES
    return dataclasses.replace(
        config,
        dataset=str(pathlib.Path(config.dataset).resolve()) if is_path else dataset.name,
        prior=_located_prior(config.prior),
        data_dir=config.data_dir and str(pathlib.Path(config.data_dir).resolve()),
    )


def _located_prior(prior):
    return str(pathlib.Path(prior).resolve()) if prior.endswith(".npy") else prior


def _is_finished(run, config):
    """Whether a run has all its epochs; InputError if it has more."""
    epochs = len(run.read_history())
    if epochs > config.epochs:
        raise InputError(
            f"The run {run.name} has {epochs} epochs already. Received: epochs={config.epochs}"
        )
    return epochs == config.epochs and run.is_trained


def _check_data(run, dataset, recorded):
    if dataset.checksum != recorded["checksum"]:
        raise InputError(
            f"The data of the run {run.name} must be unchanged, {recorded['checksum']}. "
            f"Received: {dataset.name} with {dataset.checksum}"
        )


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
    run.figures_path.mkdir(exist_ok=True)
    path = run.figures_path / f"{name}.png"
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=150)
    print(f"Wrote {path}")


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
