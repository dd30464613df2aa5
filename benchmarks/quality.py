"""Trains the recipes that are meant to reach published figures, and measures them on test images.

python benchmarks/quality.py                         all rows, which takes hours
python benchmarks/quality.py semi_supervised_100     some of them
python benchmarks/quality.py --table                 only the table, of the results in quality.json

docs/trials.md lists how the settings were chosen: on validation images, with the exceptions that
docs/results.md names. Each call trains again, in its own folder; with --results_dir DIR, the folder
of an earlier call, it continues what was interrupted there, and measures what is finished.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parent.parent
KEPT = pathlib.Path(__file__).with_suffix(".json")


@dataclasses.dataclass(frozen=True)
class Row:
    """A figure that is to be reached.

    Args:
        flags: The flags of the training; a flag file of `recipes/`, and what differs from it.
        metric: Name of the measure, as in metrics.json.
        published: What the paper gives.
        public: What users of public code report; docs/results.md names the sources.
        seeds: Number of seeds.
        trained_as: Name of the row whose trainings it measures too; "": it has its own.
    """

    flags: str
    metric: str = "error"
    published: str = ""
    public: str = ""
    seeds: int = 3
    trained_as: str = ""

    @property
    def command(self):
        return f"python run.py --mode train {self.flags} --seeds {self.seeds}"


# Flags of the models whose samples are compared by the FID. Their priors differ in scale only.
FOR_FID = (
    "--z_dim 16 --epochs 20 --hidden_units 1000 --hidden_layers 2 --batch_norm"
    " --batch_size 100 --reconstruction_learning_rate 1.5e-3 --reconstruction_loss bce"
)

ROWS = {
    "semi_supervised_100": Row("--flagfile=mnist_100_labels", "error", "1.90 ± 0.10 %", "5 %"),
    # Not to be compared with the paper's: convolutions, shifts and rotations know where a pixel is.
    "semi_supervised_100_conv": Row("--flagfile=mnist_100_labels_conv", seeds=1),
    "semi_supervised_100_augment": Row(
        "--model semi_supervised_aae --num_labels 100 --consistency augment"
        " --information_weight 0.1 --z_dim 10 --prior_std 1 --separate_y --detach_y"
        " --y_start 5000 --batch_norm --input_noise 0 --discriminator_noise 0.3 --epochs 16",
        seeds=1,
    ),
    "semi_supervised_1000": Row(
        "--flagfile=mnist_1000_labels",
        "error",
        "1.60 ± 0.08 %",
        "2.9 % (1280 labels)",
    ),
    "semi_supervised_all": Row("--flagfile=mnist_all_labels", "error", "0.85 ± 0.02 %"),
    "reduction_1000": Row("--flagfile=mnist_reduction_1000", "error", "4.20 %"),
    "reduction_100": Row("--flagfile=mnist_reduction_100", "error", "6.08 %", "26 %"),
    "reduction_none": Row(
        "--flagfile=mnist_reduction_none",
        "clustering_error_best_image",
        "13.95 %",
        "40 %",
    ),
    "clustering_16": Row(
        "--flagfile=mnist_clustering_16",
        "clustering_error_best_image",
        "9.55 ± 2.05 %",
        "15 %",
    ),
    "clustering_30": Row(
        "--flagfile=mnist_clustering_30",
        "clustering_error_best_image",
        "4.10 ± 1.13 %",
    ),
    "parzen": Row("--flagfile=mnist_likelihood", "parzen", "340 ± 2", "377.5"),
    "fid_aae": Row(
        f"--model aae {FOR_FID} --input_noise 0 --discriminator_noise 0.99"
        " --discriminator_learning_rate 1e-5 --generator_learning_rate 1e-3"
        " --generator_epsilon 5e-3 --nonormalize_codes",
        "fid",
    ),
    "fid_vae": Row(f"--model vae {FOR_FID} --prior_std 1", "fid"),
    "fid_wae_mmd": Row(f"--model wae_mmd {FOR_FID} --prior_std 1", "fid"),
}
# The same trainings, with samples of a mixture fitted to the codes.
ROWS |= {
    name.replace("fid", "fid_mixture"): dataclasses.replace(
        row, metric="fid_gaussian_mixture", trained_as=name
    )
    for name, row in ROWS.items()
    if row.metric == "fid"
}


def run(results, *flags):
    command = [sys.executable, ROOT / "run.py", f"--results_dir={results}", *flags]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def figure_of(folder, metric):
    """The figure of one trained run, on the test images."""
    of_run = folder.parent, f"--run={folder.name}"
    if metric == "error":
        output = run(*of_run, "--mode=classify")
        return float(re.search(r"Test error: ([\d.]+)%", output)[1]) / 100
    metrics = folder / "metrics.json"
    if not metrics.exists() or metric not in json.loads(metrics.read_text()):
        sampler = "gaussian_mixture" if metric.endswith("_gaussian_mixture") else "prior"
        run(*of_run, "--mode=evaluate", f"--sampler={sampler}")
    return json.loads(metrics.read_text())[metric]


def minutes_of(folder):
    """How long a run was trained, without the time between an interruption and its going on."""
    # Each attempt has a file of TensorBoard, named events.out.tfevents.SECONDS.HOST...
    attempts = folder.glob("logs/train/events*")
    return sum(path.stat().st_mtime - int(path.name.split(".")[3]) for path in attempts) / 60


def measure(name, results):
    """Trains a recipe with its seeds and measures each: a row of quality.json."""
    row = ROWS[name]
    runs = row.trained_as or name
    run(results, "--mode=train", f"--run_name={runs}", *row.flags.split(), f"--seeds={row.seeds}")
    folders = [results / f"{runs}-seed{seed}" for seed in range(row.seeds)]
    minutes = statistics.mean(map(minutes_of, folders))
    figures = [figure_of(folder, row.metric) for folder in folders]
    return {
        "recipe": name,
        "metric": row.metric,
        "mean": statistics.mean(figures),
        "std": statistics.stdev(figures) if len(figures) > 1 else None,
        "seeds": row.seeds,
        "figures": figures,
        "minutes": round(minutes, 1),
        "command": row.command,
    }


def kept():
    """The rows of quality.json by name."""
    rows = json.loads(KEPT.read_text()) if KEPT.exists() else []
    return {row["recipe"]: row for row in rows}


def table(results):
    yield "| recipe | published | public code | here | seeds | minutes a seed | command |"
    yield "|---|---|---|---|---|---|---|"
    for name, row in ROWS.items():
        if name not in results:
            continue
        r = results[name]
        shown = "{:.2%}" if "error" in row.metric else "{:.1f}"
        here = shown.format(r["mean"])
        if r["std"] is not None:
            here += f" ± {shown.format(r['std'])}"
        yield (
            f"| {name} | {row.published} | {row.public} | {here} | {r['seeds']} | {r['minutes']} "
            f"| `{r['command']}` |"
        )


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(ROWS)}; none: all")
    parser.add_argument("--table", action="store_true", help="print the table of what is kept")
    parser.add_argument("--results_dir", type=pathlib.Path, help="of a call before, to go on with")
    arguments = parser.parse_args(arguments)
    if unknown := set(arguments.rows) - set(ROWS):
        parser.error(f"rows are {', '.join(ROWS)}. Received: {', '.join(sorted(unknown))}")
    if arguments.table and arguments.rows:
        parser.error("--table prints all rows that are kept")
    if arguments.results_dir and not arguments.results_dir.is_dir():
        parser.error(f"--results_dir must be a folder. Received: {arguments.results_dir}")
    results = arguments.results_dir or ROOT / "results" / time.strftime("quality-%Y%m%d-%H%M%S")
    for name in () if arguments.table else arguments.rows or ROWS:
        print(f"Row {name}, runs in {results}", file=sys.stderr)
        row = measure(name, results.resolve())
        rows = kept() | {name: row}  # Another process may have added rows.
        KEPT.write_text(json.dumps(list(rows.values()), indent=1) + "\n")
    print("\n".join(table(kept())))


if __name__ == "__main__":
    main(sys.argv[1:])
