"""The results folder, which contains the run folders: create, list and find runs."""

import contextlib
import itertools
import pathlib
import time
from collections.abc import Callable

from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.errors import InputError, Mismatch, did_you_mean, printable
from adversarial_autoencoder.runs.run import Run
from adversarial_autoencoder.runs.settings import CONFIG, RecordedDataset

# A file system has names of at most 255 bytes. `create` can append a number.
MAX_NAME_BYTES = 200
# --runs separates names by commas.
_FORBIDDEN = "/\\,"


def default_name(config: Config, dataset: RecordedDataset) -> str:
    """Makes the name of a run from its settings and the current time.

    Args:
        config: The settings.
        dataset: The data set, for its name.

    Returns:
        A name such as aae-mnist-z2-20261121-093000. Characters of the data set's name that a run
        cannot have become "-".
    """
    moment = time.strftime("%Y%m%d-%H%M%S")
    of_data = "".join(c if c == printable(c) and c not in _FORBIDDEN else "-" for c in dataset.name)
    while len(of_data.encode()) > MAX_NAME_BYTES // 2:
        of_data = of_data[:-1]
    return f"{config.model}-{of_data}-z{config.z_dim}-{moment}"


def check_name(name: str) -> None:
    """Checks that a name can be the name of a run's folder.

    Args:
        name: The name.

    Raises:
        InputError: If the name is empty, too long, not printable, or contains a slash, a comma or
            another forbidden character.

    Example:
        >>> from adversarial_autoencoder import runs
        >>> runs.check_name("mnist-first-try")
    """
    if (
        not name.strip()
        or name.startswith((".", "-", "~"))
        or name != printable(name)
        or len(name.encode()) > MAX_NAME_BYTES
        or set(name) & set(_FORBIDDEN)
    ):
        raise InputError(
            f"A run's name must have 1 to {MAX_NAME_BYTES} bytes of printable UTF-8, no slash or "
            f"comma, and no . - or ~ at the start. Received: {name[:250]!r}"
        )


def create(results_dir: str | pathlib.Path, name: str, number: bool = False) -> Run:
    """Creates a run folder.

    Args:
        results_dir: The results folder. It is created if it does not exist.
        name: Name of the run.
        number: Whether to append a number to a name that is already in use.

    Returns:
        The `Run`.

    Raises:
        InputError: If the name is in use and `number` is False, or `results_dir` is not a folder.

    Example:
        >>> import tempfile
        >>> from adversarial_autoencoder import runs
        >>> with tempfile.TemporaryDirectory() as results_dir:
        ...     [runs.create(results_dir, "demo", number=True).name for _ in range(2)]
        ['demo', 'demo-2']
    """
    results_dir = expand_home(results_dir, "results_dir")
    try:
        results_dir.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"results_dir must be a folder. Received: {results_dir}") from error
    for i in itertools.count(1):
        path = results_dir / (name if i == 1 else f"{name}-{i}")
        try:
            path.mkdir()
            break
        except FileExistsError as error:
            # A folder that contains only a lock belongs to a run that was killed at its start.
            if not number and (not path.is_dir() or not _is_empty(path)):
                raise InputError(
                    f"run_name must be a new name or the name of a run in {results_dir}. "
                    f"Received: {name}"
                ) from error
            if not number:
                break
    return Run(path)


def _is_empty(folder):
    return all(path.name.startswith(".") for path in folder.iterdir())


def list_runs(results_dir: str | pathlib.Path) -> list[Run]:
    """Lists the runs in a results folder: its subfolders with a config.json.

    Args:
        results_dir: The results folder. It does not need to exist.

    Returns:
        The runs, the one with the newest config.json first.
    """
    folder = expand_home(results_dir, "results_dir")
    found = []
    for path in folder.glob(f"*/{CONFIG}"):
        # A run can be deleted at any time.
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime, path.parent))
    return [Run(path) for _, path in sorted(found, reverse=True)]


def find(
    results_dir: str | pathlib.Path,
    name: str | None = None,
    fits: Callable[[Run], bool] = lambda run: True,
    what: str = "trained run",
) -> Run:
    """Finds a run by its name or path, or the newest run that fits.

    Args:
        results_dir: The results folder.
        name: Name of a run in `results_dir`, or path of a run's folder. None: the newest run that
            fits.
        fits: Function that returns whether a run can be used. It can raise `Mismatch` to give a
            reason. It is called only if `name` is None.
        what: Description of the wanted run for the error message.

    Returns:
        The `Run`.

    Raises:
        InputError: If there is no such run. If `fits` raised `Mismatch` for every run, it is the
            `Mismatch` of the newest one.
    """
    runs = list_runs(results_dir)
    results_dir = expand_home(results_dir, "results_dir")
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
    for path in (results_dir / name, expand_home(name, "run")):
        # The name can be too long for a path.
        with contextlib.suppress(OSError, ValueError):
            if (path / CONFIG).is_file():
                return Run(path)
    raise InputError(
        f"A run must be given by its name in {results_dir}, which --mode list shows, or by the "
        "path of its folder."
        f"{did_you_mean(name, [run.name for run in runs])} Received: run={name!r}"
    )
