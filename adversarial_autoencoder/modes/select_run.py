"""Which run a mode works on: found, checked against the settings given, and loaded."""

import dataclasses
import pathlib

from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError, Mismatch

# Settings that may differ from those a run was begun with: its length, where its data lies, and on
# what it is trained.
CHANGEABLE = ("epochs", "dataset", "data_dir", "strategy", "jit_compile")


def run_to_continue(command, given):
    """The run to go on with, or None to begin one."""
    if command.resume:
        if command.run and command.run_name:
            raise InputError("--resume takes one of --run and --run_name. Received: both")
        return runs.find(
            command.results_dir,
            command.run_name if command.run is None else command.run,
            lambda run: not is_finished(run, _fitting_config(run, given)),
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
class Shown:
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


def shown_run(
    command, given, dims=(0,), with_data=False, needs=("trained run", lambda config: True)
):
    """Finds the run to show and loads its model, and its data where that is needed.

    Args:
        command: The `Command`.
        given: The settings of `Config` that the run must have.
        dims: The dimensions of z that are drawn.
        with_data: Whether to load the data.
        needs: What the run must be, for the error, and a function that tells of its `Config`.

    Returns:
        A `Shown`.
    """
    what, serves = needs
    what += f" with z_dim above {max(dims)}" if max(dims) else ""

    def fits(run):
        config = _fitting_config(run, given)
        return run.is_trained and config.z_dim > max(dims) and serves(config)

    run = runs.find(command.results_dir, command.run, fits, what)
    config, recorded = run.read_config()
    config = with_given(run, config, given)
    if not (run.is_trained and config.z_dim > max(dims) and serves(config)):
        state = "" if run.is_trained else ", not trained"
        raise InputError(
            f"--run must be a {what}. "
            f"Received: {run.name}, {config.model} with z_dim {config.z_dim}{state}"
        )
    check_prior_is_named(run, config, given)
    dataset = None
    if with_data:
        dataset = data.load(config.dataset, config.data_dir)
        check_data(run, dataset, recorded)
    import_tensorflow()
    from adversarial_autoencoder.training import load

    return Shown(run, config, load(run), dataset)


def check_prior_is_named(run, config, given):
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
        raise Mismatch(f"The run {run.name} has dataset={config.dataset}. Received: {dataset}")
    return with_given(run, config, given)


def with_given(run, config, given):
    """The settings of a run with those given on the command line, where they may change."""
    if "prior" in given:
        given = given | {"prior": _located_prior(given["prior"])}
    if given.get("precision") == "auto":  # What it chose is kept.
        given = {name: value for name, value in given.items() if name != "precision"}
    for name, value in given.items():
        # The file of samples may have moved; its checksum tells whether it is the same.
        if name == "prior" and value.endswith(".npy") and config.prior.endswith(".npy"):
            continue
        if name not in CHANGEABLE and value != getattr(config, name):
            raise Mismatch(
                f"The run {run.name} has {name}={getattr(config, name)}. Received: {name}={value}"
            )
    if given.get("strategy", config.strategy) != config.strategy:
        # What was chosen for one device does not hold for several.
        given = {"jit_compile": "auto"} | given
    return dataclasses.replace(config, **given)


def located(config, dataset):
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


def is_finished(run, config):
    """Whether a run has all its epochs; Mismatch if it has more."""
    epochs = len(run.read_history())
    if epochs > config.epochs:
        raise Mismatch(
            f"The run {run.name} has {epochs} epochs already. Received: epochs={config.epochs}"
        )
    return epochs == config.epochs and run.is_trained


def check_data(run, dataset, recorded):
    """Raises InputError unless a run was trained on this data set, by the checksum it recorded."""
    if dataset.checksum != recorded["checksum"]:
        raise InputError(
            f"The data of the run {run.name} must be unchanged, {recorded['checksum']}. "
            f"Received: {dataset.name} with {dataset.checksum}"
        )


def save_figure(run, figure, name):
    print(f"Wrote {run.write_figure(figure, name)}")
