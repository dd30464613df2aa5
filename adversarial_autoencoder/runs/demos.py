"""Trained runs that the package contains, such as `digits-demo`. `benchmarks/demo.py` trains it."""

import os
import pathlib
import shutil

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.runs.run import Run
from adversarial_autoencoder.runs.settings import CONFIG

FOLDER = pathlib.Path(__file__).parent.parent / "demos"


def find_demo(results_dir: str | os.PathLike[str], name: str | None) -> Run | None:
    """Finds a run of the package.

    Args:
        results_dir: The results folder. A run there with the same name replaces that of the
            package.
        name: Name of a run, or None.

    Returns:
        The `Run`, or None if the package has no such run.
    """
    if name not in {path.name for path in FOLDER.iterdir()}:
        return None
    own = expand_home(results_dir, "results_dir") / str(name)
    return None if (own / CONFIG).exists() else Run(FOLDER / str(name))


def copied(run: Run, results_dir: str | os.PathLike[str]) -> Run:
    """Copies a run of the package to the results folder, where its figures can be written.

    Args:
        run: Any `Run`.
        results_dir: The results folder. It is created if it does not exist.

    Returns:
        The copy; `run` itself if it is not in the package.
    """
    if run.path.parent != FOLDER:
        return run
    folder = expand_home(results_dir, "results_dir") / run.name
    folder.mkdir(parents=True, exist_ok=True)
    # Last config.json, which makes the folder a run. Not with the modes of files of a package,
    # which can be read-only.
    for path in sorted(run.path.iterdir(), key=lambda path: path.name == CONFIG):
        shutil.copyfile(path, folder / path.name)
    # Never the newest run, which modes choose without --run.
    os.utime(folder / CONFIG, (0, 0))
    return Run(folder)
