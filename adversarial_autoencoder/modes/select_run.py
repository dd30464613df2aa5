"""The run that a mode works on: found, checked against the given settings, and loaded."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.image_form import AUTO
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError, Mismatch, counted

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command

# Settings that can differ from those that a run was started with: the location of its data, and in
# training also its length and the devices.
LOCATIONS = ("dataset", "data_dir", "test_dataset", "columns")
CHANGEABLE = ("epochs", *LOCATIONS, "strategy", "jit_compile")


def run_to_resume(command: "Command", overrides: dict) -> runs.Run | None:
    """Finds the run to resume.

    Args:
        command: The `Command`.
        overrides: The given settings, which the run must have.

    Returns:
        The `Run`, or None to start a new one.

    Raises:
        InputError: If there is no such run, or the flags contradict each other.
    """
    if command.resume:
        if command.run and command.run_name:
            raise InputError("--resume takes --run or --run_name, not both. Received: both")
        return runs.find(
            command.results_dir,
            command.run_name if command.run is None else command.run,
            lambda run: not is_finished(run, _fitting(run, overrides)[0]),
            "run that is not finished",
        )
    if command.run:
        raise InputError(
            "--mode train takes --run only with --resume, and --run_name for a new run. "
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
    """A trained run to show.

    Args:
        run: The run.
        config: Its settings.
        recorded: What config.json says of its data.
        model: Its `AdversarialAutoencoder`.
        loaded: Its data, or None if the mode does not need it.
        epochs: Number of epochs that the model was trained for.
    """

    run: runs.Run
    config: Config
    recorded: dict
    model: Any
    loaded: data.Dataset | None
    epochs: int

    @property
    def is_table(self) -> bool:
        """Whether the run was trained on the rows of a table."""
        return self.model.is_table

    @property
    def noun(self) -> str:
        """What x is, in the singular: "image" or "row"."""
        return self.model.observation.noun

    @property
    def class_names(self) -> list[str]:
        """The names of the classes of the training data.

        Raises:
            InputError: If config.json does not contain them.
        """
        names = self.recorded.get("class_names")
        if not isinstance(names, list):
            raise InputError(
                f"config.json of the run {self.run.name} must contain the list class_names. "
                f"Received: {names!r}"
            )
        return names

    @property
    def dataset(self) -> data.Dataset:
        """The data of a mode that needs it."""
        assert self.loaded is not None
        return self.loaded

    def given_labels(self, chosen: Any) -> np.ndarray | None:
        """The labels of some test images if the decoder needs them, else None.

        Args:
            chosen: Index or slice of the test images.

        Returns:
            Integers of shape (n,), or None.

        Raises:
            InputError: If the data has no test labels.
        """
        if self.config.system.y != "given":
            return None
        if self.dataset.y_test is None:
            raise InputError(f"{self.dataset.name} must have test labels. Received: none")
        return self.dataset.y_test[chosen]


# What a run must be for a mode: a description for errors, and a function of its `Config`.
Needs = tuple[str, Callable[[Config], object]]
ANY: Needs = ("", lambda config: True)


def trained_run(
    command: "Command",
    overrides: dict,
    dims: tuple[int, ...] = (0,),
    images_only: bool = False,
    needs: Needs = ANY,
) -> tuple[runs.Run, Config, dict]:
    """Finds a trained run: that of --run, or the newest that fits.

    Args:
        command: The `Command`.
        overrides: The given settings, which the run must have.
        dims: The dimensions of z to draw.
        images_only: Whether a run that was trained on a table is refused.
        needs: What else the run must be.

    Returns:
        Three values: the run, its settings, and what config.json says of its data.

    Raises:
        InputError: If no run fits.
    """
    what = f"{'run trained on images' if images_only else 'trained run'} {needs[0]}".rstrip()
    what += f" with z_dim above {max(dims)}" if max(dims) else ""

    def serves(run, config, recorded):
        is_other = images_only and runs.noun_of(recorded) != "image"
        return run.is_trained and not is_other and config.z_dim > max(dims) and needs[1](config)

    run = runs.find_demo(command.results_dir, command.run) or runs.find(
        command.results_dir,
        command.run,
        lambda run: serves(run, *_fitting(run, overrides, LOCATIONS)),
        what,
    )
    config, recorded = run.read_config()
    config = with_overrides(run, config, overrides, LOCATIONS)
    if not serves(run, config, recorded):
        state = f"trained on {runs.noun_of(recorded)}s" if run.is_trained else "not trained"
        raise InputError(
            f"--run must be a {what}. "
            f"Received: {run.name}, {config.model} with z_dim {config.z_dim}, {state}"
        )
    return run, config, recorded


def shown_run(
    command: "Command",
    overrides: dict,
    dims: tuple[int, ...] = (0,),
    with_data: bool = False,
    images_only: bool = False,
    needs: Needs = ANY,
) -> Shown:
    """Finds the run to show, and loads its model and its data.

    Args:
        command: The `Command`.
        overrides: The given settings, which the run must have.
        dims: The dimensions of z to draw.
        with_data: Whether to load the data.
        images_only: Whether a run that was trained on a table is refused.
        needs: What else the run must be.

    Returns:
        A `Shown`.

    Raises:
        InputError: If no run fits.
    """
    run, config, recorded = trained_run(command, overrides, dims, images_only, needs)
    check_prior_is_named(run, config, overrides)
    dataset = None
    if with_data:
        dataset = data.load_of(config)
        check_data(run, dataset, recorded)
        if config.labelled_images_only:
            dataset = dataset.held_out_with_labels()
    import_tensorflow()
    from adversarial_autoencoder.training import load_with_epochs

    run = runs.copied(run, command.results_dir)
    model, epochs = load_with_epochs(run)
    return Shown(run, config, recorded, model, dataset, epochs)


def check_prior_is_named(run: runs.Run, config: Config, overrides: dict) -> None:
    """Checks that the user allows the import of a function that config.json names.

    A run folder can come from someone else; it must not execute code on its own.

    Args:
        run: The run.
        config: Its settings.
        overrides: The given settings.

    Raises:
        InputError: If `overrides` does not name the function.
    """
    if config.prior_function and overrides.get("prior") != config.prior:
        raise InputError(
            f"The run {run.name} samples its prior with your own function: --prior "
            f"{config.prior} allows its import. Received: no --prior"
        )


def _fitting(run, overrides, changeable=CHANGEABLE):
    """The settings of a run, which must be the given ones, and its data, which can be elsewhere."""
    config, recorded = run.read_config()
    dataset = overrides.get("dataset", config.dataset)
    if dataset not in data.NAMES:
        dataset = str(pathlib.Path(dataset).resolve())
    if dataset != config.dataset:
        raise Mismatch(f"The run {run.name} has dataset={config.dataset}. Received: {dataset}")
    return with_overrides(run, config, overrides, changeable), recorded


def with_overrides(
    run: runs.Run, config: Config, overrides: dict, changeable: tuple[str, ...] = CHANGEABLE
) -> Config:
    """The settings of a run, with those that can change replaced by the given ones.

    Args:
        run: The run.
        config: Its settings.
        overrides: The given settings.
        changeable: Names of the settings that can change.

    Returns:
        A `Config`.

    Raises:
        Mismatch: If another given setting differs from the run's.
    """
    if "prior" in overrides:
        overrides = overrides | {"prior": located_prior(overrides["prior"])}
    # The run keeps what "auto" chose, unless that can change.
    kept = {"precision", "value_range", "jit_compile"} - set(changeable)
    overrides = {k: value for k, value in overrides.items() if k not in kept or value != AUTO}
    for name, value in overrides.items():
        # A file of samples can move; its checksum identifies it.
        if name == "prior" and value.endswith(".npy") and config.prior.endswith(".npy"):
            continue
        if name not in changeable and value != getattr(config, name):
            raise Mismatch(
                f"The run {run.name} has {name}={getattr(config, name)}. Received: {name}={value}"
            )
    if overrides.get("strategy", config.strategy) != config.strategy:
        # The choice for one device does not hold for several.
        overrides = {"jit_compile": "auto"} | overrides
    return dataclasses.replace(config, **overrides)


def located_prior(prior: str) -> str:
    """The path of a file of prior samples from the root; other priors stay as they are.

    Args:
        prior: The setting.

    Returns:
        The setting that holds in every working directory.
    """
    return str(pathlib.Path(prior).resolve()) if prior.endswith(".npy") else prior


def is_finished(run: runs.Run, config: Config) -> bool:
    """Whether a run has all its epochs.

    Args:
        run: The run.
        config: The settings, with the wanted number of epochs.

    Returns:
        Whether it is finished.

    Raises:
        Mismatch: If it has more epochs.
    """
    epochs = run.completed_epochs()
    assert config.epochs is not None  # A run records what `Config.for_data` fills in.
    if epochs > config.epochs:
        raise Mismatch(
            f"The run {run.name} has {counted(epochs, 'epoch')} already. "
            f"Received: epochs={config.epochs}"
        )
    return epochs == config.epochs and run.is_trained


def check_data(run: runs.Run, dataset: data.Dataset, recorded: dict) -> None:
    """Checks by the checksum that a run was trained on this data.

    Args:
        run: The run.
        dataset: The data.
        recorded: What config.json says of the data.

    Raises:
        InputError: If it was not.
    """
    if dataset.checksum != recorded["checksum"]:
        raise InputError(
            f"The data of the run {run.name} must be unchanged, {recorded['checksum']}. "
            f"Received: {dataset.name} with {dataset.checksum}"
        )
