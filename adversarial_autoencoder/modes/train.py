"""The mode that trains: one run, or one run for each of several seeds."""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError, counted
from adversarial_autoencoder.modes.printing import print_table
from adversarial_autoencoder.modes.select_run import is_finished, run_to_resume, with_overrides
from adversarial_autoencoder.modes.train_run import train_run

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command


def train(command: "Command", overrides: dict) -> None:
    """Train a new run, or resume one; --seeds trains one run for each seed."""
    if command.seeds is None:
        train_run(command, overrides)
    else:
        _train_seeds(command, overrides)


def _train_seeds(command, overrides):
    """Trains with several seeds, and prints mean and standard deviation of the results.

    It skips seeds whose run is finished, and resumes a run that was interrupted. So the same
    command with the same run name resumes all of them.
    """
    if command.resume or command.run:
        raise InputError(
            "--seeds resumes with the same --run_name, without --resume and --run. "
            f"Received: {'resume' if command.resume else f'run={command.run}'}"
        )
    if overrides.get("strategy") == "multi_worker":
        raise InputError("--seeds works on one machine only. Received: strategy=multi_worker")
    first = overrides.get("seed", Config.of(**overrides).seed)
    settings = [overrides | {"seed": seed} for seed in range(first, first + command.seeds)]
    Config.of(**settings[-1])
    name = command.run_name
    if name is None:
        config = Config.of(**overrides)
        name = runs.default_name(config, data.load_of(config))
    commands = [
        dataclasses.replace(command, seeds=None, run_name=f"{name}-seed{setting['seed']}")
        for setting in settings
    ]
    finished = [_is_finished(*pair) for pair in zip(commands, settings, strict=True)]
    try:
        for one, setting, done in zip(commands, settings, finished, strict=True):
            if done:
                print(f"Seed {setting['seed']}: the run {one.run_name} is finished.")
                continue
            import_tensorflow()
            from adversarial_autoencoder.training import forget

            # Otherwise Keras keeps the graphs of all earlier trainings in memory.
            forget()
            train_run(one, setting)
    except (KeyboardInterrupt, SystemExit):
        print(f"To resume all seeds: the same command, with --run_name {name}")
        raise
    _print_spread([runs.find(command.results_dir, one.run_name) for one in commands])


def _is_finished(command, overrides):
    """Whether the run of a seed is finished; raises InputError if it has other settings."""
    run = run_to_resume(command, overrides)
    if run is None:
        return False
    # A run keeps the absolute path of its data. The training compares the data itself.
    without_path = {name: value for name, value in overrides.items() if name != "dataset"}
    return is_finished(run, with_overrides(run, run.read_config()[0], without_path))


def _print_spread(finished):
    rows = [run.read_last() for run in finished]
    epochs, seeds = counted(rows[0]["epoch"], "epoch"), counted(len(rows), "seed")
    noun = runs.noun_of(finished[0].read_config()[1])
    print(f"On validation {noun}s after {epochs}, over {seeds}:")
    table = []
    for name in rows[0]:
        if name.startswith("val_"):
            values = np.array([row[name] for row in rows])
            spread = f"+- {values.std(ddof=1):.4g}" if len(values) > 1 else ""
            table.append((f"  {name.removeprefix('val_')}", f"{values.mean():.4g}", spread))
    print_table(table)
