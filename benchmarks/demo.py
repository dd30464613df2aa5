"""Trains the run `digits-demo` of the package: the embedded digits, on which each mode works.

python benchmarks/demo.py
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).parent.parent
NAME = "digits-demo"
FLAGS = (
    "--model=semi_supervised_aae --dataset=digits --num_labels=500 --z_dim=2 --hidden_units=64 "
    "--epochs=100 --precision=float32 --jit_compile=false"
)
FRAMES = 24
MAX_BYTES = 1_000_000


def write_few_frames(source, target):
    """Keeps `FRAMES` of the frames for --mode animate, the first and the last one included."""
    with np.load(source) as arrays:
        n = len(arrays["epochs"])
        chosen = np.unique(np.linspace(0, n - 1, min(FRAMES, n)).round().astype(int))
        np.savez_compressed(target, **{name: array[chosen] for name, array in arrays.items()})


def main():
    with tempfile.TemporaryDirectory() as results:
        command = [sys.executable, ROOT / "run.py", *FLAGS.split()]
        subprocess.run([*command, f"--results_dir={results}", f"--run_name={NAME}"], check=True)
        folder = ROOT / "adversarial_autoencoder" / "demos" / NAME
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "model.keras"):
            shutil.copyfile(f"{results}/{NAME}/{name}", folder / name)
        write_few_frames(f"{results}/{NAME}/frames.npz", folder / "frames.npz")
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"Wrote {folder}, {size / 1000:.0f} kB")
    assert size < MAX_BYTES


if __name__ == "__main__":
    main()
