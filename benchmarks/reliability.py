"""Kills trainings, fills a results folder, trains on and on; writes RELIABILITY.md.

python benchmarks/reliability.py                 everything, which takes hours
python benchmarks/reliability.py kills 20        20 kills
python benchmarks/reliability.py runs 200        200 short runs in one folder
python benchmarks/reliability.py memory 50       50 models in one process
python benchmarks/reliability.py seeds           every system twice with one seed
"""

import hashlib
import json
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from adversarial_autoencoder import runs as run_folders  # noqa: E402

KEPT = pathlib.Path(__file__).with_name("reliability.json")
TABLE = pathlib.Path(__file__).with_name("RELIABILITY.md")
TINY = ["--dataset=digits", "--hidden_units=16", "--batch_size=200", "--dropout=0.1", "--epochs=8"]
TITLE = """# Reliability, measured

Written by `python benchmarks/reliability.py` (see there for its parts), on 2 CPU cores that had
other work too. Trainings are of scikit-learn's digits with tiny networks. A part that is missing
here (kills, runs, memory, seeds, inputs) has not been run.
"""


def command(results, *flags):
    return [sys.executable, str(ROOT / "run.py"), f"--results_dir={results}", *flags]


def run(results, *flags):
    done = subprocess.run(command(results, *flags), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def digest_of(path):
    """The SHA-256 of the weights and the optimizers' state in a model.keras, and of its history."""
    import zipfile

    import h5py

    digest = hashlib.sha256()

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            digest.update(name.encode() + item[()].tobytes())

    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as weights:
        with h5py.File(weights) as file:
            file.visititems(add)
        digest.update(archive.read("history.csv"))
    return digest.hexdigest()


def kills(number=200):
    """Kills a training at random moments of its whole length, and resumes it until it ends."""
    number, rng = int(number), random.Random(0)
    failures, moments, equal, resumed, too_late = [], [], 0, 0, 0
    with tempfile.TemporaryDirectory() as results:
        results = pathlib.Path(results)
        start = time.monotonic()
        status, _, err = run(results, "--run_name=whole", *TINY)
        length = time.monotonic() - start
        assert status == 0, err
        whole = digest_of(results / "whole" / "model.keras")
        while len(moments) < number and too_late < 10 * number:
            name = f"killed{len(moments)}-{too_late}"
            path = results / name
            start = time.monotonic()
            process = subprocess.Popen(
                command(results, f"--run_name={name}", *TINY),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            # From the making of the folder on; before it, there is nothing to lose.
            while not path.exists() and process.poll() is None:
                time.sleep(0.01)
            begun = time.monotonic() - start
            time.sleep(rng.uniform(0, max(length - begun, 0.1)))
            process.kill()
            if process.wait() != -signal.SIGKILL:
                # It had ended by itself, so that nothing was tried; it shows the length of today.
                too_late, length = too_late + 1, 0.8 * length
                continue
            status, out, err = run(results, "--mode=list")
            if status or err or (path / "config.json").exists() != (f"{name} " in out):
                failures.append(f"{name}: list {status} {out} {err}")
            moments.append(len(run_folders.Run(path).read_history()))
            status, _, err = run(results, f"--run_name={name}", *TINY)
            resumed += status == 0
            if status or err:
                failures.append(f"{name}: resume {status} {err}")
            elif digest_of(path / "model.keras") == whole:
                equal += 1
            else:
                failures.append(f"{name}: other weights")
            if leftovers := [str(p) for p in path.rglob(".*.tmp*")]:
                failures.append(f"{name}: {leftovers}")
    return {
        "moments killed, while the process ran": len(moments),
        "epochs finished then, of 8": ", ".join(map(str, sorted(moments))),
        "not counted, as the training had ended before": too_late,
        "resumed to the end": resumed,
        "weights, optimizers and history equal to the uninterrupted run's": equal,
        "failures": failures,
    }


def runs(number=200):
    """Many short runs in one folder: how long a list takes, and the memory that it needs."""
    from adversarial_autoencoder import data, training
    from adversarial_autoencoder.config import Config

    dataset, result = data.load("digits"), {}
    config = Config.of(dataset="digits", model="wae_mmd", hidden_units=4, epochs=1)
    with tempfile.TemporaryDirectory() as results:
        for i in range(1, int(number) + 1):
            made = run_folders.create(results, "run", number=True)
            with made.held():
                made.write_config(config, dataset)
                training.train(config, dataset, made)
            if i in (1, int(number) // 2, int(number)):
                start = time.monotonic()
                status, out, _ = run(results, "--mode=list")
                seconds = time.monotonic() - start
                assert (status, len(out.splitlines())) == (0, i + 1)
                result[f"seconds of list, {i} runs (with the start of Python)"] = round(seconds, 2)
    return result


def memory(number=50):
    """Resident memory of one process after each of several trainings in a row."""
    from adversarial_autoencoder import data, training
    from adversarial_autoencoder.config import Config

    dataset, result = data.load("digits"), {}
    with tempfile.TemporaryDirectory() as results:
        for i in range(1, int(number) + 1):
            config = Config.of(dataset="digits", hidden_units=16, epochs=1, seed=i)
            training.train(config, dataset, run_folders.create(results, f"run{i}"))
            if i in (1, 2, 5) or i % 10 == 0:
                pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
                result[f"MiB after {i}"] = round(pages * resource.getpagesize() / 2**20)
    return result


def seeds():
    """Every system twice, in two processes, with --deterministic."""
    from adversarial_autoencoder.variants import VARIANTS

    failures = []
    with tempfile.TemporaryDirectory() as results:
        for model in VARIANTS:
            for name in ("a", "b"):
                flags = [flag for flag in TINY if not flag.startswith("--epochs")]
                flags += [f"--model={model}", f"--run_name={model}-{name}", "--epochs=2"]
                status, _, err = run(results, "--deterministic", *flags)
                assert status == 0, err
            a, b = (
                digest_of(pathlib.Path(results, f"{model}-{x}", "model.keras")) for x in ("a", "b")
            )
            if a != b:
                failures.append(model)
    return {"systems": len(VARIANTS), "with other weights in another process": failures}


def inputs():
    """Counts the cases of bad input, and of readers fuzzed, that the suite tries."""
    tests = ["tests/test_bad_input.py", "tests/test_fuzz.py"]
    pytest = [sys.executable, "-m", "pytest", "-q", *tests]
    done = subprocess.run(pytest, cwd=ROOT, capture_output=True, text=True, check=False)
    collected = subprocess.run(
        [*pytest, "--collect-only", "-q"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    cases = len(re.findall("test_bad_input.py::", collected))
    return {
        "cases of bad input": cases,
        "readers fuzzed, 250 files each": len(re.findall("test_fuzz.py::", collected)),
        "failures": re.findall("^FAILED (.*)", done.stdout, re.M),
    }


PARTS = {"kills": kills, "runs": runs, "memory": memory, "seeds": seeds, "inputs": inputs}


def write(results):
    lines = [TITLE]
    for name, values in results.items():
        lines += [f"## {PARTS[name].__doc__.strip()}", "", "| what | result |", "|---|---|"]
        for key, value in values.items():
            shown = (
                ("none" if not value else "; ".join(value)) if isinstance(value, list) else value
            )
            lines.append(f"| {key} | {shown} |")
        lines.append("")
    TABLE.write_text("\n".join(lines).rstrip() + "\n")


def main(arguments):
    part, *number = arguments or [None]
    if part not in (None, *PARTS):
        sys.exit(f"Error: a part is {', '.join(PARTS)}. Received: {part}")
    results = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for name in [part] if part else PARTS:
        results[name] = PARTS[name](*number)
        KEPT.write_text(json.dumps(results, indent=1) + "\n")
        write(results)
        print(name, results[name])


if __name__ == "__main__":
    main(sys.argv[1:])
