"""Trains the adversarial autoencoder and its neighbours on many data sets, with default settings.

python benchmarks/datasets.py                          all rows that are not measured yet, seed 0
python benchmarks/datasets.py --seeds 3                the same for seeds 0 to 2
python benchmarks/datasets.py --rows mnist_2d adult_8d some of them
python benchmarks/datasets.py --table                  only the tables of the results that are kept,
                                                       and the figure of the curves

The runs are in results/datasets. Each training is written to datasets.json as soon as it is
measured, so that an interrupted command continues where it stopped. The environment variable
AAE_DATA_DIR names the folder of the files. The measures are those of --mode evaluate, on test
images or rows. The page docs/data.md shows them, and generated images.
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parent.parent
RESULTS = ROOT / "results" / "datasets"
IMAGES = ROOT / "docs" / "images"
KEPT = pathlib.Path(__file__).with_suffix(".json")
FOLDER = pathlib.Path(os.environ.get("AAE_DATA_DIR", "."))

MNIST = "--dataset mnist"
COLOUR = f"--dataset {FOLDER / 'cifar10_part.npz'} --network conv --epochs 10 --hidden_units 512"
TABLES = FOLDER / "tables"
ADULT = f"--dataset {TABLES / 'adult-train.csv'} --test_dataset {TABLES / 'adult-test.csv'}"
# Name of a row -> the flags that its trainings share.
ROWS = {
    "digits_2d": "--dataset digits --z_dim 2",
    "mnist_2d": f"{MNIST} --z_dim 2",
    "mnist_8d": f"{MNIST} --z_dim 8",
    "mnist_16d": f"{MNIST} --z_dim 16",
    "mnist_64d": f"{MNIST} --z_dim 64",
    "mnist_conv_2d": f"{MNIST} --z_dim 2 --network conv --epochs 5",
    "mnist_conv_16d": f"{MNIST} --z_dim 16 --network conv --epochs 5",
    "colour_64d": f"{COLOUR} --z_dim 64",
    "colour_128d": f"{COLOUR} --z_dim 128",
    "adult_2d": f"{ADULT} --z_dim 2 --epochs 20",
    "adult_8d": f"{ADULT} --z_dim 8 --epochs 20",
    "mammography_2d": f"--dataset {TABLES / 'mammography.csv'} --z_dim 2",
    "ionosphere_2d": f"--dataset {TABLES / 'ionosphere.csv'} --z_dim 2",
    "ionosphere_8d": f"--dataset {TABLES / 'ionosphere.csv'} --z_dim 8",
    "mnist_uniform": f"{MNIST} --z_dim 2 --prior uniform",
    "mnist_swiss_roll": f"{MNIST} --z_dim 2 --prior swiss_roll",
    "mnist_gaussian_mixture": f"{MNIST} --z_dim 2 --prior gaussian_mixture",
}
SYSTEMS = ("aae", "wae_mmd", "vae", "autoencoder")
KEPT_MEASURES = (
    "mse",
    "sliced_wasserstein",
    "sliced_wasserstein_floor",
    "sliced_wasserstein_training",
    "fid",
    "fid_gaussian_mixture",
    "numeric_error",
    "category_error",
    "column_distance",
    "correlation_difference",
)
# Rows whose generated images are shown.
SHOWN = ("mnist_16d", "colour_64d")


def run(*flags):
    command = [sys.executable, ROOT / "run.py", f"--results_dir={RESULTS}", *flags]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(flags)}: {done.stderr.strip()}")


def applies(row, system):
    """Whether a system can train on a row: a VAE needs the Gaussian prior.

    A plain autoencoder has no prior: it is that of `mnist_2d`.
    """
    return system not in ("vae", "autoencoder") or "--prior" not in ROWS[row]


def measure(row, system, seed):
    """Trains and evaluates a row; returns its measures."""
    name, start = f"{row}-{system}-{seed}", time.monotonic()
    shutil.rmtree(RESULTS / name, ignore_errors=True)
    run("--mode=train", f"--run_name={name}", f"--model={system}", f"--seed={seed}",
        *ROWS[row].split())  # fmt: skip
    minutes = (time.monotonic() - start) / 60
    # A mixture that is fitted to the codes has a FID of its own.
    for sampler in ("prior", "gaussian_mixture")[: 2 if row in SHOWN else 1]:
        run("--mode=evaluate", f"--run={name}", f"--sampler={sampler}")
    if row in SHOWN and system == "aae" and seed == 0:
        run("--mode=sample", f"--run={name}")
        shutil.copy(RESULTS / name / "figures" / "sample.png", IMAGES / f"samples_{row}.png")
    metrics = json.loads((RESULTS / name / "metrics.json").read_text())
    kept = {measure: metrics[measure] for measure in KEPT_MEASURES if measure in metrics}
    with (RESULTS / name / "history.csv").open() as file:
        curve = [round(float(epoch["val_prior_distance"]), 4) for epoch in csv.DictReader(file)]
    flags = ROWS[row].replace(f"{FOLDER}/", "")
    return {"flags": flags, "minutes": round(minutes, 1), "curve": curve} | kept


def summary(results, row, system, measure):
    """Mean, and standard deviation over the seeds if there are several."""
    values = [
        r[measure]
        for key, r in results.items()
        if key.rsplit("-", 1)[0] == f"{row}-{system}" and r.get(measure) is not None
    ]
    if not values:
        return None, ""
    mean = statistics.mean(values)
    text = f"{mean:.4f}" if mean < 0.1 else f"{mean:.3f}" if mean < 5 else f"{mean:.1f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.1g}"
    return mean, text


def floors(results, row, system, measure="sliced_wasserstein"):
    """The mean of a distance, divided by that of its floor; empty if it was not measured."""
    distance, _ = summary(results, row, system, measure)
    floor, _ = summary(results, row, system, "sliced_wasserstein_floor")
    return "" if distance is None else f"{distance / floor:.1f}"


# Kind of data -> the measures of reconstruction, the measure of generation, and the columns.
KINDS = {
    "images": (("mse",), "fid", "MSE | plain autoencoder | FID | wae_mmd | vae"),
    "tables": (
        ("numeric_error", "category_error"),
        "column_distance",
        "number error | plain autoencoder | wrong categories | plain autoencoder"
        " | column distance | wae_mmd | vae",
    ),
}


def table(results, kind):
    """Yields the lines of a Markdown table of the rows of one kind of data."""
    reconstruction, generation, head = KINDS[kind]
    others = "wae_mmd | vae | of training data"
    yield f"| row | distance | in floors | {others} | {head} | seeds | minutes |"
    yield "|---" * (head.count("|") + 9) + "|"
    for row in ROWS:
        if summary(results, row, "aae", reconstruction[0])[0] is None:
            continue
        cells = [f"`{row}`", summary(results, row, "aae", "sliced_wasserstein")[1]]
        cells += [floors(results, row, system) for system in SYSTEMS[:3]]
        cells.append(floors(results, row, "aae", "sliced_wasserstein_training"))
        plain = row if applies(row, "autoencoder") else "mnist_2d"
        for measure in reconstruction:
            cells.append(summary(results, row, "aae", measure)[1])
            cells.append(summary(results, plain, "autoencoder", measure)[1])
        cells += [summary(results, row, system, generation)[1] for system in SYSTEMS[:3]]
        seeds = sum(key.startswith(f"{row}-aae-") for key in results)
        minutes, _ = summary(results, row, "aae", "minutes")
        # None if the machine was stopped in between, or busy with other work.
        cells += [str(seeds), "" if minutes is None else f"{minutes:.1f}"]
        yield f"| {' | '.join(cells)} |"


def commands(results):
    """Yields the command of each measured row."""
    for row in ROWS:
        if f"{row}-aae-0" in results:
            yield f"# {row}"
            yield f"python run.py --mode train {results[f'{row}-aae-0']['flags']}"


def draw_curves(results, path):
    """Draws the distance after each epoch of the adversarial autoencoder, in floors."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = [row for row in ROWS if f"{row}-aae-0" in results]
    columns = min(4, len(rows))
    lines = -(-len(rows) // columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(2.5 * columns, 2 * lines + 0.8), sharey=True,
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for ax in axes.flat[len(rows) :]:
        ax.remove()
    for ax, row in zip(axes.flat, rows, strict=False):
        for key, result in results.items():
            if key.rsplit("-", 1)[0] == f"{row}-aae":
                floor = result["sliced_wasserstein_floor"]
                curve = [distance / floor for distance in result["curve"]]
                ax.plot(range(1, len(curve) + 1), curve, color="tab:blue", lw=1.2)
        ax.axhline(3, color="grey", lw=0.8, ls="--")
        ax.set(title=row, yscale="log", ylim=(0.8, 100))
        ax.set_yticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
        ax.title.set_fontsize(9)
    figure.supxlabel("epoch")
    figure.supylabel("distance to the prior, in floors")
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS), metavar="ROW")
    parser.add_argument("--systems", nargs="*", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--seeds", type=int, default=1, help="number of seeds, from 0 on")
    parser.add_argument("--table", action="store_true", help="print the kept results")
    given = parser.parse_args()
    results = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    todo = [
        (row, system, seed)
        for seed in range(given.seeds)
        for row in given.rows
        for system in given.systems
        if applies(row, system) and f"{row}-{system}-{seed}" not in results
    ]
    for row, system, seed in [] if given.table else todo:
        print(f"{row} {system} seed {seed}", flush=True)
        measured = {f"{row}-{system}-{seed}": measure(row, system, seed)}
        # Several of these commands can share the file.
        results = (json.loads(KEPT.read_text()) if KEPT.exists() else {}) | measured
        KEPT.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    for kind in KINDS:
        print("\n".join(table(results, kind)), end="\n\n")
    draw_curves(results, IMAGES / "datasets.png")


if __name__ == "__main__":
    main()
