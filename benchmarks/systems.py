"""Trains every system on MNIST, draws the pictures in docs/images and prints a table.

python benchmarks/systems.py            all rows, one after the other
python benchmarks/systems.py aae vae    some of them
python benchmarks/systems.py --table    only the table, of the results kept in systems.json

The pages docs/systems.md and docs/results.md show these results.
"""

import csv
import json
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).parent.parent
RESULTS = ROOT / "results" / time.strftime("systems-%Y%m%d-%H%M%S")
KEPT = pathlib.Path(__file__).with_suffix(".json")
IMAGES = ROOT / "docs" / "images"

# Small weights at first, and a strong adversarial phase, without normalization.
STRONG_PRIOR = (
    "--hidden_units 1000 --hidden_layers 2 --weight_std 0.01 --batch_size 100"
    " --reconstruction_learning_rate 5e-4 --discriminator_learning_rate 1e-3"
    " --generator_learning_rate 1e-3 --generator_epsilon 1e-5 --input_noise 0"
    " --discriminator_noise 0 --nonormalize_codes"
)

# Name of a row -> the flags of its training, and the modes whose figures go to docs/images.
ROWS = {
    "aae": ("--z_dim 2", ["latent_grid"]),
    "supervised": ("--model supervised_aae", ["style_grid"]),
    "semi_supervised": ("--model semi_supervised_aae", ["style_grid"]),
    "mixture_labels": (
        "--prior gaussian_mixture --condition_prior_on_labels --num_labels 10000 --epochs 20"
        f" {STRONG_PRIOR}",
        ["latent_scatter"],
    ),
    "clustering": ("--flagfile=mnist_clustering_16", ["cluster_grid"]),
    "swiss_roll": ("--prior swiss_roll", ["latent_scatter"]),
    "mixture": ("--prior gaussian_mixture", ["latent_scatter"]),
    "reduction_labels": ("--flagfile=mnist_reduction_1000", ["latent_scatter"]),
    "reduction": ("--model dimensionality_reduction_aae --epochs 6", ["latent_scatter"]),
    "autoencoder": ("--model autoencoder", ["latent_scatter"]),
    "denoising_autoencoder": ("--model denoising_autoencoder", ["reconstruct"]),
    "vae": ("--model vae", ["latent_grid"]),
    "wae_mmd": ("--model wae_mmd", ["latent_grid"]),
}


def run(*flags):
    command = [sys.executable, ROOT / "run.py", f"--results_dir={RESULTS}", *flags]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def measure(name):
    """Trains a row and draws its figures; returns its figures of merit."""
    flags, modes = ROWS[name]
    start = time.monotonic()
    run("--mode=train", "--dataset=mnist", f"--run_name={name}", *flags.split())
    minutes = (time.monotonic() - start) / 60
    with (RESULTS / name / "history.csv").open() as file:
        *_, last = csv.DictReader(file)
    result = {
        "command": f"python run.py --mode train {flags}",
        "epochs": int(last["epoch"]),
        "minutes": round(minutes, 1),
        "reconstruction_loss": float(last["val_reconstruction_loss"]),
        "prior_distance": float(last["val_prior_distance"]),
        "prior_distance_floor": float(last["val_prior_distance_floor"]),
    }
    if "val_classification_accuracy" in last:
        output = run("--mode=classify", f"--run={name}")
        result["test_error"] = float(re.search(r"Test error: ([\d.]+)%", output)[1]) / 100
    for mode in modes:
        run(f"--mode={mode}", f"--run={name}")
        shutil.copy(RESULTS / name / "figures" / f"{mode}.png", IMAGES / f"{name}.png")
    return result


def table(results):
    yield "| command | epochs | minutes | reconstruction | distance (floor) | test error |"
    yield "|---|---|---|---|---|---|"
    for name in ROWS:
        if name in results:
            r = results[name]
            loss = f"{r['reconstruction_loss']:.4f}" + (" (bce)" if name == "vae" else "")
            error = f"{r['test_error']:.2%}" if "test_error" in r else ""
            distance = f"{r['prior_distance']:.3f} ({r['prior_distance_floor']:.3f})"
            yield (
                f"| `{r['command']}` | {r['epochs']} | {r['minutes']} | {loss} | {distance} "
                f"| {error} |"
            )


def main(arguments):
    if unknown := [name for name in arguments if name not in (*ROWS, "--table")]:
        sys.exit(f"Error: rows are {', '.join(ROWS)}, or --table. Received: {unknown[0]}")
    results = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if arguments != ["--table"]:
        for name in arguments or ROWS:
            results[name] = measure(name)
            KEPT.write_text(json.dumps(results, indent=1) + "\n")
    print("\n".join(table(results)))


if __name__ == "__main__":
    main(sys.argv[1:])
