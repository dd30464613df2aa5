"""The same training with several seeds, each an ordinary run, and the spread of their results."""

import dataclasses

import numpy as np

from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.select_run import is_finished, run_to_continue, with_given
from adversarial_autoencoder.modes.train_run import train_run


def train(command, given):
    """Trains a new run, or goes on with one."""
    if command.seeds is None:
        train_run(command, given)
    else:
        _train_seeds(command, given)


def _train_seeds(command, given):
    """Trains with the seeds from --seed on, and prints mean and standard deviation.

    Seeds whose run is finished are left out, and one that was interrupted goes on: to go on with
    an interrupted repetition is to give the same command again, with the name that it had.

    Args:
        command: The `Command`, with `seeds`.
        given: The settings of `Config` given on the command line, a dict.
    """
    if command.resume or command.run:
        raise InputError(
            "--seeds goes on by the same --run_name, without --resume and --run. "
            f"Received: {'resume' if command.resume else f'run={command.run}'}"
        )
    if given.get("strategy") == "multi_worker":
        raise InputError("--seeds goes with one machine. Received: strategy=multi_worker")
    first = given.get("seed", Config.of(**given).seed)
    settings = [given | {"seed": seed} for seed in range(first, first + command.seeds)]
    Config.of(**settings[-1])
    name = command.run_name
    if name is None:
        config = Config.of(**given)
        name = runs.default_name(config, data.load(config.dataset, config.data_dir))
    commands = [
        dataclasses.replace(command, seeds=None, run_name=f"{name}-seed{setting['seed']}")
        for setting in settings
    ]
    finished = [_finished(*pair) for pair in zip(commands, settings, strict=True)]
    try:
        for i, (one, setting) in enumerate(zip(commands, settings, strict=True)):
            if finished[i] is not None:
                print(f"Seed {setting['seed']}: the run {one.run_name} is finished.")
                continue
            import_tensorflow()
            # Else each training would keep the graphs of those before.
            from adversarial_autoencoder.training import forget

            forget()
            train_run(one, setting)
    except (KeyboardInterrupt, SystemExit):
        print(f"Of all seeds: the same command again, with --run_name {name}")
        raise
    _print_spread([runs.find(command.results_dir, one.run_name) for one in commands])


def _finished(command, given):
    """The run of a seed where it is finished, else None; InputError if it cannot be of this one."""
    run = run_to_continue(command, given)
    if run is None:
        return None
    config = with_given(run, run.read_config()[0], _without_paths(given))
    return run if is_finished(run, config) else None


def _without_paths(given):
    # A run keeps where its data lies as an absolute path; the training compares the data itself.
    return {name: value for name, value in given.items() if name != "dataset"}


def _print_spread(finished):
    rows = [run.read_history()[-1] for run in finished]
    print(f"On validation images after {rows[0]['epoch']} epochs, over {len(rows)} seeds:")
    for name in rows[0]:
        if name.startswith("val_"):
            values = np.array([row[name] for row in rows])
            spread = f" +- {values.std(ddof=1):.4g}" if len(values) > 1 else ""
            print(f"  {name.removeprefix('val_'):24s}  {values.mean():.4g}{spread}")
