"""Measures the memory of a training from files, for two data sets, one four times the other.

python benchmarks/streaming.py

The images are random, 32x32 in colour; the networks are small, so that the data is what counts.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

SHAPE = (32, 32, 3)
SIZES = (80_000, 320_000)  # Both with the largest validation and test sets, which are in memory.


def main():
    import numpy as np

    from adversarial_autoencoder.data import shards

    rng = np.random.default_rng(0)
    print("| training images | size of the files, MB | peak memory of the training, MiB |")
    print("|---|---|---|")
    for n in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "prepared")
            dataset = shards.write(
                path,
                "random",
                lambda indices: (rng.integers(256, size=SHAPE, dtype="uint8") for _ in indices),
                (n, *SHAPE),
            )
            megabytes = sum(p.stat().st_size for p in path.glob("*.tfrecord")) / 1e6
            command = [sys.executable, ROOT / "run.py", "--mode=train", f"--dataset={path}"]
            flags = ["--epochs=1", "--hidden_units=50", f"--results_dir={folder}"]
            process = subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, text=True)
            peak = 0.0
            for _ in process.stdout:  # The last line comes after the checkpoint.
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                if found := re.search(r"VmHWM:\s+(\d+)", status):
                    peak = int(found[1]) / 1024
            if process.wait():
                sys.exit(1)
            print(f"| {len(dataset.x_train)} | {megabytes:.0f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
