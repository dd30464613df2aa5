"""Measures the time and the memory in which a table of 1 000 000 rows and 50 columns is read.

python benchmarks/table_reading.py

The columns are numbers with four decimals. The time is of the whole of `data.load`: reading, types,
checks, checksum, the split and the statistics of the columns. The memory is that of a process which
does nothing else; the last column is that of a training of one epoch. The results are written to
table_reading.json.
"""

import json
import os
import pathlib
import platform
import resource
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

ROWS, COLUMNS = 1_000_000, 50
SUFFIXES = ("npy", "parquet", "csv")
RESULTS = pathlib.Path(__file__).with_suffix(".json")


def read(path):
    """Reads a table in this process, and prints seconds, processor seconds and MiB as JSON."""
    from adversarial_autoencoder import data

    start, cpu = time.monotonic(), time.process_time()
    data.load(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([time.monotonic() - start, time.process_time() - cpu, peak]))


def write(folder):
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv, parquet

    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 10)).astype("float32") @ rng.normal(size=(10, COLUMNS))
    x = np.round(x, 4).astype("float32")
    np.save(folder / "table.npy", x)
    table = pa.table({f"c{i}": np.round(x[:, i].astype("float64"), 4) for i in range(COLUMNS)})
    parquet.write_table(table, folder / "table.parquet")
    csv.write_csv(table, folder / "table.csv")


def training_memory(path, folder):
    """The peak memory of a training in MiB."""
    flags = ["--epochs=1", "--hidden_units=64", "--batch_size=5000"]
    command = [sys.executable, ROOT / "run.py", "--mode=train", f"--dataset={path}", *flags]
    process = subprocess.Popen([*command, f"--results_dir={folder}"], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(1)
    return used.ru_maxrss / 1024


def main():
    import pyarrow

    results = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    results |= {"pyarrow": pyarrow.__version__, "rows": ROWS, "columns": COLUMNS, "files": {}}
    print("| file | MB | s | processor s | memory, MiB | memory of a training, MiB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write(folder)
        for suffix in SUFFIXES:
            path = folder / f"table.{suffix}"
            command = [sys.executable, __file__, str(path)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, cpu, peak = json.loads(done.stdout)
            megabytes = path.stat().st_size / 1e6
            training = training_memory(path, folder / "results")
            numbers = {"megabytes": megabytes, "seconds": seconds, "processor_seconds": cpu}
            numbers |= {"memory_mib": peak, "training_memory_mib": training}
            results["files"][suffix] = {name: round(value, 1) for name, value in numbers.items()}
            cells = " | ".join(f"{value:.0f}" for value in numbers.values())
            print(f"| .{suffix} | {cells} |", flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    read(sys.argv[1]) if len(sys.argv) > 1 else main()
