"""The folder of runs: how a run is named, made, listed and found."""

import contextlib
import itertools
import pathlib
import time

from adversarial_autoencoder.errors import InputError, Mismatch, did_you_mean
from adversarial_autoencoder.runs.run import Run


def default_name(config, dataset):
    """model-dataset-z-time, such as aae-mnist-z2-20261121-093000."""
    moment = time.strftime("%Y%m%d-%H%M%S")
    return f"{config.model}-{dataset.name}-z{config.z_dim}-{moment}"


def check_name(name):
    """Raises InputError unless `name` can be the name of a run's folder."""
    if not name or name.startswith((".", "-")) or len(name) > 200 or set(name) & set("/\\\0\n"):
        raise InputError(
            "A run's name must be 1 to 200 characters without slashes, not starting with . or -. "
            f"Received: {name[:250]!r}"
        )


def create(results_dir, name, number=False):
    """Makes a new run folder.

    Args:
        results_dir: Folder of the runs; made where it is missing.
        name: Name of the run.
        number: Whether a name that is taken gets a number behind it.

    Returns:
        The `Run`.

    Raises:
        InputError: If the name is taken, or `results_dir` cannot be a folder.
    """
    try:
        pathlib.Path(results_dir).mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"results_dir must be a folder. Received: {results_dir}") from error
    for i in itertools.count(1):
        path = pathlib.Path(results_dir, name if i == 1 else f"{name}-{i}")
        try:
            path.mkdir()
            break
        except FileExistsError as error:
            # A folder with nothing but a lock in it is a run that was killed as it began.
            if not number and (not path.is_dir() or not _is_empty(path)):
                raise InputError(
                    f"run_name must be free or that of a run in {results_dir}. Received: {name}"
                ) from error
            if not number:
                break
    return Run(path)


def _is_empty(folder):
    return all(path.name.startswith(".") for path in folder.iterdir())


def list_runs(results_dir):
    """Returns all runs in a folder, the newest first: folders with a config.json."""
    configs = sorted(pathlib.Path(results_dir).glob("*/config.json"), key=_modified, reverse=True)
    return [Run(path.parent) for path in configs]


def find(results_dir, name=None, fits=lambda run: True, what="trained run"):
    """Finds a run.

    Args:
        results_dir: Folder of the runs.
        name: Name of a run in it, or the path of a run's folder. None: the newest that fits.
        fits: Tells of a `Run` whether it can be used, also by a Mismatch that says why not; asked
            only where no name is given.
        what: What is looked for, for the error.

    Returns:
        The `Run`.

    Raises:
        InputError: If there is no such run.
    """
    runs = list_runs(results_dir)
    if name is None:
        reasons = []
        for run in runs:
            try:
                if fits(run):
                    return run
            except Mismatch as error:
                reasons.append(error)
        if reasons and len(reasons) == len(runs):
            raise reasons[0]
        number = "1 run, which does not fit" if len(runs) == 1 else f"{len(runs)} runs, none fits"
        raise InputError(
            f"There must be a {what} in {results_dir}: train one first. Received: {number}"
        )
    for path in (pathlib.Path(results_dir, name), pathlib.Path(name)):
        # It may be too long for a path.
        with contextlib.suppress(OSError, ValueError):
            if (path / "config.json").is_file():
                return Run(path)
    raise InputError(
        f"A run must be one of those in {results_dir}, or the path of one."
        f"{did_you_mean(name, [run.name for run in runs])} Received: run={name!r}"
    )


def _modified(path):
    return path.stat().st_mtime
