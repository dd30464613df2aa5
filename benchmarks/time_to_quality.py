"""Measures how long a user waits for a good model, from the command to the first good epoch.

python benchmarks/time_to_quality.py                        all rows that are not measured yet
python benchmarks/time_to_quality.py --rows default guide   some of them
python benchmarks/time_to_quality.py --seeds 1              fewer seeds than 3
python benchmarks/time_to_quality.py --table                only the table, of the kept results

A target is a set of bounds that the validation measures of one epoch meet at once. The seconds
count from the start of the command, so they include the imports, the data and the compilation.
Each training is written to time_to_quality.json as soon as it is done, so that an interrupted
command continues where it stopped. `--core 1` binds the trainings to one core of the processor.
The environment variable AAE_DATA_DIR names the folder of the files. The page docs/speed.md shows
the results.
"""

import argparse
import csv
import dataclasses
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
KEPT = pathlib.Path(__file__).with_suffix(".json")
COLOUR = pathlib.Path(os.environ.get("AAE_DATA_DIR", "."), "cifar10_part.npz")

MSE, DISTANCE, FLOOR = "val_reconstruction_loss", "val_prior_distance", "val_prior_distance_floor"
ACCURACY = "val_classification_accuracy"


@dataclasses.dataclass(frozen=True)
class Target:
    """A quality.

    Args:
        title: What the table calls it.
        is_met: Tells whether the measures of an epoch meet it.
    """

    title: str
    is_met: object


GOOD = Target("MSE 0.036, distance 0.05", lambda e: e[MSE] <= 0.036 and e[DISTANCE] <= 0.05)
BETTER = Target("MSE 0.034, distance 0.03", lambda e: e[MSE] <= 0.034 and e[DISTANCE] <= 0.03)
GRID = Target("MSE 0.045: a latent grid shows digits", lambda e: e[MSE] <= 0.045)
FLOORS = Target("distance of 3 floors", lambda e: e[DISTANCE] <= 3 * e[FLOOR])
ERROR = Target("validation error 2.5 %", lambda e: e[ACCURACY] >= 0.975)

# Name -> the flags of the training, and its targets.
ROWS = {
    "default": ("--dataset mnist --z_dim 2", (GRID, GOOD)),
    # The layers of the paper, and as many epochs as they need.
    "two_wide_layers": (
        "--dataset mnist --z_dim 2 --hidden_units 1000 --hidden_layers 2 --batch_size 100"
        " --reconstruction_learning_rate 1.5e-3 --discriminator_learning_rate 1e-4"
        " --generator_learning_rate 1e-3 --generator_epsilon 1.3e-2 --epochs 40",
        (GRID, GOOD),
    ),
    "long": ("--dataset mnist --z_dim 2 --epochs 40", (GRID, GOOD, BETTER)),
    # Its rates stay high, so that no epoch meets both bounds; it was published with 300 epochs.
    "guide": ("--dataset mnist --flagfile=guide_part2 --epochs 20", (GRID, GOOD)),
    "labels_100": ("--dataset mnist --flagfile=mnist_100_labels", (ERROR,)),
    "colour": (
        f"--dataset {COLOUR} --network conv --z_dim 64 --hidden_units 512 --epochs 10",
        (FLOORS,),
    ),
}


def measure(row, seed, core):
    """Trains a row; returns the seconds to each target, and the best measures."""
    flags, targets = ROWS[row]
    pin = [] if core is None else ["taskset", "-c", str(core)]
    with tempfile.TemporaryDirectory() as results:
        command = [*pin, sys.executable, ROOT / "run.py", "--mode=train", *flags.split()]
        command += [f"--seed={seed}", f"--results_dir={results}", "--run_name=run"]
        start, at = time.monotonic(), {}
        process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)  # fmt: skip
        lines = []
        for line in process.stdout:
            lines.append(line)
            if found := re.match(r"Epoch (\d+)/", line):
                at.setdefault(int(found[1]), time.monotonic() - start)
        whole = time.monotonic() - start
        if process.wait():
            raise RuntimeError(f"{row}, seed {seed}: {''.join(lines[-3:])}")
        with pathlib.Path(results, "run", "history.csv").open() as file:
            epochs = [{k: float(v) for k, v in e.items() if v} for e in csv.DictReader(file)]
    first = {
        target.title: next((e["epoch"] for e in epochs if target.is_met(e)), None)
        for target in targets
    }
    return {
        "seconds": {title: epoch and round(at[epoch], 1) for title, epoch in first.items()},
        "epoch": first,
        "whole": round(whole, 1),
        "epochs": len(epochs),
        "last": {name: epochs[-1][name] for name in (MSE, DISTANCE)},
        "core": core,
        "flags": shown(flags),
    }


def shown(flags):
    """The flags without the folder of the data."""
    return flags.replace(f"{COLOUR.parent}/", "")


def mean(values, form):
    """Mean and standard deviation as text, or a dash if a seed is missing."""
    if None in values:
        return f"not reached ({sum(v is not None for v in values)} of {len(values)} seeds)"
    text = form.format(statistics.mean(values))
    return text if len(values) == 1 else f"{text} ± {form.format(statistics.stdev(values))}"


def table(results):
    """Yields the lines of a Markdown table."""
    yield "| training | target | seconds | epoch | whole | MSE | distance | seeds |"
    yield "|---" * 8 + "|"
    for row, (_, targets) in ROWS.items():
        runs = [result for key, result in results.items() if key.rsplit("-", 1)[0] == row]
        for target in targets if runs else ():
            cells = [
                f"`{runs[0]['flags']}`",
                target.title,
                mean([run["seconds"][target.title] for run in runs], "{:.0f}"),
                mean([run["epoch"][target.title] for run in runs], "{:.1f}"),
                mean([run["whole"] for run in runs], "{:.0f}"),
                mean([run["last"][MSE] for run in runs], "{:.4f}"),
                mean([run["last"][DISTANCE] for run in runs], "{:.3f}"),
                str(len(runs)),
            ]
            yield f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    parser.add_argument("--core", type=int, help="core of the processor to use; all by default")
    parser.add_argument("--table", action="store_true", help="print the kept results")
    args = parser.parse_args()
    results = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for seed in [] if args.table else range(args.seeds):
        for row in args.rows:
            flags = shown(ROWS[row][0])
            if results.get(key := f"{row}-{seed}", {}).get("flags") == flags:
                continue
            measured = measure(row, seed, args.core)
            # Another command can have added results.
            results = json.loads(KEPT.read_text()) if KEPT.exists() else {}
            results[key] = measured
            KEPT.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
            print(key, measured["seconds"], measured["last"], flush=True)
    print("\n".join(table(results)))


if __name__ == "__main__":
    main()
