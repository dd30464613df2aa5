"""The memory that the reading of an input takes."""

import subprocess
import sys

import numpy as np
import pytest

RNG = np.random.default_rng(0)

MEMORY = """
import pathlib, sys
import numpy as np
from adversarial_autoencoder import data
from adversarial_autoencoder.tables import Schema

kind = sys.argv[1]
# The largest memory; or, without the parts of mapped files, the memory of a batch.
field = "RssAnon:" if kind in ("npy", "npz") else "VmHWM:"

def memory():
    text = pathlib.Path("/proc/self/status").read_text()
    return int(text.partition(field)[2].split()[0]) // 1024

schema = Schema.of_array(np.random.default_rng(0).normal(size=(9, 10)))
for n in (1, 2):
    rows = peak = 0
    for _, x in data.open_input(f"{n}.{kind}", schema=schema):
        rows, peak = rows + len(x), max(peak, memory())
    print(rows, peak)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet", "npy", "npz"])
def test_memory_does_not_grow_with_the_file(tmp_path, kind):
    """The largest memory in MiB while a file of 50 000 rows is read, and one of a million."""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import csv, parquet

    for name, n in (("1", 50_000), ("2", 1_000_000)):
        x = RNG.normal(size=(n, 10))
        table = pa.table({f"column_{i + 1}": column for i, column in enumerate(x.T)})
        if kind == "csv":
            csv.write_csv(table, tmp_path / f"{name}.csv")
        elif kind == "parquet":
            parquet.write_table(table, tmp_path / f"{name}.parquet", row_group_size=50_000)
        elif kind == "npy":
            np.save(tmp_path / name, x)
        else:
            np.savez(tmp_path / name, x=x)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, kind],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    (small, before), (large, after) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert (small, large) == (50_000, 1_000_000)
    # PyArrow reads some blocks of a CSV file ahead.
    assert after - before < (250 if kind == "csv" else 50)
