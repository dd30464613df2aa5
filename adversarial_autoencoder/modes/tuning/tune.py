"""The mode that searches good values of the settings."""

import dataclasses
import math
import shlex
import time
from typing import TYPE_CHECKING

from adversarial_autoencoder import runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import (
    InputError,
    TrainingError,
    counted,
    first_line,
    print_warning,
)
from adversarial_autoencoder.modes.printing import format_number, print_table, program
from adversarial_autoencoder.modes.train_run import train_run, with_data
from adversarial_autoencoder.modes.tuning.plan import MEASURES, make_plan
from adversarial_autoencoder.modes.tuning.study import check_study, import_optuna, open_study
from adversarial_autoencoder.runs.durable import atomic, lock

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command

DEFAULT_TRIALS = 20
# Columns of the table of the best trials.
MAX_COLUMNS = 6
BEST = "best.flags"


def tune(command: "Command", overrides: dict) -> None:
    """Search settings by many trials, except for those that you give; see --trials, --minutes."""
    import_optuna()
    if overrides.get("strategy") == "multi_worker":
        raise InputError("--mode tune works on one machine only. Received: strategy=multi_worker")
    config, dataset = with_data(Config.of(**overrides), overrides)
    plan = make_plan(config, dataset, overrides)
    name = command.run_name
    if name is None:
        name = runs.default_name(config, dataset)
    runs.check_name(_trial_name(name, 0))
    folder = expand_home(command.results_dir, "results_dir") / name
    check_study(folder, plan)
    import_tensorflow()
    from adversarial_autoencoder import training

    training.check(config, dataset)
    if not folder.exists():
        runs.create(command.results_dir, name)
    with lock(folder):
        study = open_study(folder, plan)
        try:
            _search(command, study, plan, folder)
        except (KeyboardInterrupt, SystemExit):
            print(f"The study {name} has {counted(study.num_finished(), 'finished trial')}.")
            print(f"To resume the study: the same command, with --run_name {name}")
            raise
        if not study.finished():
            raise TrainingError(
                f"All {counted(study.num_finished(), 'trial')} of the study {name} failed. The file"
                " failed.txt of each says why."
            )
        # A process that was killed after its last trial has not written it.
        _write_best(study, plan, folder)
        _print_best(command, study, plan, folder)


def _trial_name(name, number):
    return f"{name}-trial-{number:04d}"


def _search(command, study, plan, folder):
    """Trains the trials that are missing."""
    import tensorflow as tf

    from adversarial_autoencoder.training import forget

    limit = command.trials
    if limit is None:
        limit = DEFAULT_TRIALS if command.minutes is None else math.inf
    end = math.inf if command.minutes is None else time.monotonic() + 60 * command.minutes
    print(
        f"Searching {', '.join(plan.searched)} for the lowest {' and '.join(plan.measures)}.",
        flush=True,
    )
    begun = False
    while study.num_finished() < limit and (not begun or time.monotonic() < end):
        begun = True
        number, settings = study.next()
        name = _trial_name(folder.name, number)
        of_all = "" if limit == math.inf else f" of {limit}"
        values = " ".join(f"--{flag}={value}" for flag, value in settings.items())
        print(f"\n{name} ({number + 1}{of_all}): {values}", flush=True)
        one = dataclasses.replace(command, run_name=name, trials=None, minutes=None)
        forget()
        try:
            train_run(one, plan.fixed | settings)
        except (TrainingError, tf.errors.ResourceExhaustedError) as error:
            print_warning(f"The trial {name} failed: {first_line(error)}")
            study.finish(number, None)
            continue
        row = runs.find(command.results_dir, name).read_last()
        study.finish(number, [MEASURES[measure](row) for measure in plan.measures])
        _write_best(study, plan, folder)


def _write_best(study, plan, folder):
    """Writes the settings of the best trial: the given ones, and those that the study found."""
    given = {name: getattr(plan.config, name) for name in ("dataset", *plan.fixed)}
    with atomic(folder / BEST) as path:
        text = "".join(f"--{n}={v}\n" for n, v in (given | study.best()[0].settings).items())
        path.write_text(text, encoding="utf-8")


def _print_best(command, study, plan, folder):
    """Prints the best trials and draws all of them."""
    from adversarial_autoencoder import figures

    finished, best = study.finished(), study.best()
    failed = study.num_finished() - len(finished)
    first = [trial for trial in finished if trial.number == 0]
    shown = [*first, *(trial for trial in best if trial.number)][:MAX_COLUMNS]
    labels = ["the defaults" if not trial.number else f"trial {trial.number}" for trial in shown]
    rows = [("", *labels)]
    for i, measure in enumerate(plan.measures):
        rows.append((measure, *(format_number(trial.scores[i]) for trial in shown)))
    for name in plan.searched:
        rows.append((name, *(format_number(trial.settings[name]) for trial in shown)))
    print(
        f"\n{counted(len(finished), 'trial')} of the study {folder.name}"
        f"{f', and {failed} that failed' if failed else ''}; measures of validation data:"
    )
    print_table(rows)
    if len(best) > 1 and len(plan.measures) > 1:
        print(
            f"None of {len(best)} trials is better than another in both measures. The best is the "
            "compromise between them."
        )
    scores = {m: [trial.scores[i] for trial in finished] for i, m in enumerate(plan.measures)}
    values = {n: [trial.settings[n] for trial in finished] for n in plan.searched}
    logarithmic = [name for name, search in plan.searched.items() if search.log]
    numbers = [trial.number for trial in finished]
    figure = figures.trials(numbers, scores, values, [t.number for t in best], logarithmic)
    print(f"Best:    {folder.parent / _trial_name(folder.name, best[0].number)}")
    print(f"Wrote {folder / BEST}")
    print(f"Wrote {runs.Run(folder).write_figure(figure, 'trials')}")
    print(f"Next:    {program()} --mode train --flagfile {shlex.quote(str(folder / BEST))}")
