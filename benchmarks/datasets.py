"""Trains the adversarial autoencoder and its neighbours on many data sets, with default settings.

python benchmarks/datasets.py                          all rows that are not measured yet, seed 0
python benchmarks/datasets.py --seeds 3                the same for seeds 0 to 2
python benchmarks/datasets.py --rows mnist_2d adult_8d some of them
python benchmarks/datasets.py --table                  only the table of the results that are kept

Each training is written to datasets.json as soon as it is measured, so that an interrupted command
continues where it stopped. The environment variable AAE_DATA_DIR names the folder of the files.
The measures are those of --mode evaluate, on test images. The page docs/data.md shows them.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
KEPT = pathlib.Path(__file__).with_suffix(".json")
FOLDER = pathlib.Path(os.environ.get("AAE_DATA_DIR", "."))

MNIST = "--dataset mnist --epochs 10"
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
    "mnist_conv_2d": f"{MNIST} --z_dim 2 --network conv",
    "mnist_conv_16d": f"{MNIST} --z_dim 16 --network conv",
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
# A system without a prior to match has no generated images worth a distance.
SAMPLERS = {"aae": 2, "wae_mmd": 2, "vae": 2, "autoencoder": 0}
KEPT_MEASURES = (
    "mse",
    "sliced_wasserstein",
    "sliced_wasserstein_floor",
    "fid",
    "fid_gaussian_mixture",
)


def run(*flags):
    command = [sys.executable, ROOT / "run.py", *map(str, flags)]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(flags)}: {done.stderr.strip()}")


def applies(row, system):
    """Whether a system can train on a row: a VAE needs the Gaussian prior."""
    return system != "vae" or "--prior" not in ROWS[row]


def measure(row, system, seed, results):
    """Trains and evaluates a row; returns its measures."""
    name, start = f"{row}-{system}-{seed}", time.monotonic()
    shared = [f"--results_dir={results}"]
    run("--mode=train", *shared, f"--model={system}", f"--run_name={name}", f"--seed={seed}",
        *ROWS[row].split())  # fmt: skip
    minutes = (time.monotonic() - start) / 60
    for sampler in ("prior", "gaussian_mixture")[: max(SAMPLERS[system], 1)]:
        run("--mode=evaluate", *shared, f"--run={name}", f"--sampler={sampler}")
    metrics = json.loads((pathlib.Path(results) / name / "metrics.json").read_text())
    kept = {measure: metrics[measure] for measure in KEPT_MEASURES if measure in metrics}
    return {"flags": ROWS[row].replace(f"{FOLDER}/", ""), "minutes": round(minutes, 1)} | kept


def summary(results, row, system, measure):
    """Mean, and standard deviation over the seeds if there are several."""
    values = [
        r[measure]
        for key, r in results.items()
        if key.rsplit("-", 1)[0] == f"{row}-{system}" and measure in r
    ]
    if not values:
        return None, ""
    mean = statistics.mean(values)
    text = f"{mean:.4f}" if mean < 0.1 else f"{mean:.3f}" if mean < 5 else f"{mean:.1f}"
    if len(values) > 1:
        text += f" ± {statistics.stdev(values):.1g}"
    return mean, text


def table(results):
    """Yields the lines of a Markdown table."""
    yield "| row | distance | in floors | MSE | plain | FID | wae_mmd | vae | seeds |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in ROWS:
        distance, text = summary(results, row, "aae", "sliced_wasserstein")
        if distance is None:
            continue
        floor, _ = summary(results, row, "aae", "sliced_wasserstein_floor")
        cells = [f"`{row}`", text, f"{distance / floor:.1f}"]
        cells += [summary(results, row, system, "mse")[1] for system in ("aae", "autoencoder")]
        cells += [summary(results, row, system, "fid")[1] for system in SYSTEMS[:3]]
        seeds = sum(key.startswith(f"{row}-aae-") for key in results)
        yield f"| {' | '.join([*cells, str(seeds)])} |"


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
    with tempfile.TemporaryDirectory() as folder:
        for row, system, seed in [] if given.table else todo:
            print(f"{row} {system} seed {seed}", flush=True)
            results[f"{row}-{system}-{seed}"] = measure(row, system, seed, folder)
            # Several of these commands can share the file.
            kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
            results = kept | results
            KEPT.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    print("\n".join(table(results)))


if __name__ == "__main__":
    main()
