"""A study: the trials of a search, which Optuna suggests and keeps in a file."""

import dataclasses
import glob
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from adversarial_autoencoder.config.small_files import open_regular
from adversarial_autoencoder.errors import InputError, reading
from adversarial_autoencoder.modes.tuning.plan import Plan, ranked

JOURNAL = "study.journal"
_IDENTITY = "identity"


def import_optuna() -> Any:
    """Imports Optuna, without its log.

    Returns:
        The module.

    Raises:
        InputError: If it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise InputError(
            "--mode tune needs Optuna: pip install 'adversarial-autoencoder[tune]'. "
            f"Received: {error}"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


@dataclasses.dataclass(frozen=True)
class Trial:
    """A finished trial.

    Args:
        number: Its number, from 0.
        settings: The values of the searched settings.
        scores: The values of the measures; lower is better.
    """

    number: int
    settings: dict[str, float]
    scores: tuple[float, ...]


class Study:
    """The trials of a search. Each change is on the disk at once.

    A trial depends on the seed, its number and the results of the earlier trials only, so a study
    that was interrupted has the same trials as one that was not.

    Args:
        study: The study of Optuna.
        plan: The `Plan`.
    """

    def __init__(self, study: Any, plan: Plan):
        self._study = study
        self._plan = plan

    def num_finished(self) -> int:
        """Counts the trials that have ended, also those that failed."""
        return sum(trial.state.is_finished() for trial in self._study.get_trials(deepcopy=False))

    def next(self) -> tuple[int, dict[str, float]]:
        """Suggests a trial: one that was interrupted, or a new one.

        Returns:
            Its number, and the values of the searched settings.
        """
        optuna = import_optuna()
        seed = self._plan.config.seed + self.num_finished()
        self._study.sampler = sampler = optuna.samplers.TPESampler(seed=seed)
        ranges = _distributions(optuna, self._plan)
        started = self._study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.RUNNING])
        if not started:
            trial = self._study.ask(ranges)
            return trial.number, self._plan.chosen(trial.params)
        # Optuna records each value by itself, so a process killed in `ask` leaves a part of them.
        # All are drawn again, from the same trials.
        trial, ended = started[0], [t for t in self._study.get_trials() if t.state.is_finished()]
        again = optuna.create_study(directions=self._study.directions, sampler=sampler)
        again.add_trials(ended)
        again.enqueue_trial(trial.system_attrs.get("fixed_params", {}))
        values = again.ask(ranges).params | trial.params
        for name in ranges.keys() - trial.params.keys():
            value, range_ = ranges[name].to_internal_repr(values[name]), ranges[name]
            self._study._storage.set_trial_param(trial._trial_id, name, value, range_)
        return trial.number, self._plan.chosen({name: values[name] for name in ranges})

    def finish(self, number: int, scores: Sequence[float] | None) -> None:
        """Records the result of a trial.

        Args:
            number: Number of the trial.
            scores: The values of the measures; None if the trial failed.
        """
        if scores is None:
            self._study.tell(number, state=import_optuna().trial.TrialState.FAIL)
        else:
            self._study.tell(number, scores)

    def finished(self) -> list[Trial]:
        """Lists the trials that have a result, in their order."""
        complete = [import_optuna().trial.TrialState.COMPLETE]
        return list(map(self._trial, self._study.get_trials(deepcopy=False, states=complete)))

    def best(self) -> list[Trial]:
        """Lists the best trials, the best first; of two measures the Pareto front."""
        trials = finished = self.finished()
        if len(self._plan.measures) > 1:
            trials = list(map(self._trial, self._study.best_trials))
        scores, among = ([trial.scores for trial in some] for some in (trials, finished))
        return [trials[i] for i in ranked(scores, among)]

    def _trial(self, trial):
        # A value that is not recorded was not given to the training, which took the default.
        settings = self._plan.chosen(self._plan.defaults() | trial.params)
        return Trial(trial.number, settings, tuple(trial.values))


def check_study(folder: pathlib.Path, plan: Plan) -> None:
    """Checks that a folder can hold a study, and that one in it can be resumed.

    Args:
        folder: The folder, which need not exist. Its name is the name of the study.
        plan: The `Plan`.

    Raises:
        InputError: If it holds something else, or its study has other settings or data.
    """
    if not (folder / JOURNAL).exists():
        # A killed process leaves its lock.
        if folder.exists() and not (folder.is_dir() and _is_empty(folder)):
            raise InputError(
                "run_name must be a new name, or that of a study to resume. "
                f"Received: {folder.name}, which is no study"
            )
        if others := sorted(folder.parent.glob(f"{glob.escape(folder.name)}-trial-*")):
            raise InputError(
                f"run_name must be a name without runs {folder.name}-trial-*. "
                f"Received: {others[0].name}"
            )
        return
    optuna = import_optuna()
    with _reading(optuna, folder):
        with open_regular(folder / JOURNAL):
            pass
        storage = _storage(optuna, folder)
        if not optuna.get_all_study_names(storage):
            return
        study = optuna.load_study(study_name=None, storage=storage)
        if not (study.user_attrs or study.get_trials(deepcopy=False)):
            return  # A process that was killed before the second line.
        _check_identity(folder.name, dict(study.user_attrs[_IDENTITY]), plan.identity)
        for trial in study.get_trials(deepcopy=False):
            if set(trial.params) - set(plan.searched):
                raise ValueError


def open_study(folder: pathlib.Path, plan: Plan) -> Study:
    """Creates a study, or resumes one that `check_study` has passed.

    Args:
        folder: The folder, which this process has locked.
        plan: The `Plan`.

    Returns:
        The `Study`.

    Raises:
        InputError: If the file of the study cannot be read.
    """
    optuna = import_optuna()
    with _reading(optuna, folder):
        _remove_unfinished_line(folder / JOURNAL)
        study = optuna.create_study(
            storage=_storage(optuna, folder),
            study_name="study",
            directions=["minimize"] * len(plan.measures),
            load_if_exists=True,
        )
        if _IDENTITY not in study.user_attrs:
            study.set_user_attr(_IDENTITY, plan.identity)
        if not study.get_trials(deepcopy=False):
            # The first trial shows what the defaults give.
            study.enqueue_trial(plan.defaults())
    return Study(study, plan)


def _reading(optuna, folder):
    """Turns the errors of a damaged file into an InputError, as a context manager."""
    expected = f"The study {folder.name} must have a readable {JOURNAL}"
    return reading(expected, optuna.exceptions.OptunaError, folder=folder)


def _is_empty(folder):
    return all(path.name.startswith(".") for path in folder.iterdir())


def _check_identity(name, recorded, received):
    for key in sorted(recorded | received):
        if recorded.get(key) != received.get(key):
            values = [
                f"{key}={values[key]}" if key in values else f"no {key}"
                for values in (recorded, received)
            ]
            raise InputError(f"The study {name} has {values[0]}. Received: {values[1]}")


def _storage(optuna, folder):
    backend = optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL))
    return optuna.storages.JournalStorage(backend)


def _remove_unfinished_line(path):
    """Cuts off what a killed process did not write completely: Optuna would append to it."""
    if path.exists():
        with open_regular(path) as file:
            size = file.read().rfind(b"\n") + 1
        os.truncate(path, size)


def _distributions(optuna, plan):
    """The ranges as Optuna describes them."""
    made = {}
    for name, search in plan.searched.items():
        whole = isinstance(getattr(plan.config, name), int)
        kind = optuna.distributions
        kind = kind.IntDistribution if whole else kind.FloatDistribution
        made[name] = kind(search.low, search.high, log=search.log)
    return made
