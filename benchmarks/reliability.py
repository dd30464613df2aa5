"""Kills trainings, fills a results folder, trains many models; writes reliability.json.

python benchmarks/reliability.py                 everything, which takes hours
python benchmarks/reliability.py kills 20        20 kills, counted beside those of earlier calls
python benchmarks/reliability.py runs 200        200 runs in one folder
python benchmarks/reliability.py memory 50       50 models in one process
python benchmarks/reliability.py seeds           every system twice with one seed
python benchmarks/reliability.py faults          a fault at each file operation of a training
python benchmarks/reliability.py damaged         real files, damaged
python benchmarks/reliability.py inputs          bad input, and readers of files fuzzed

The page docs/reliability.md shows what reliability.json holds.
"""

import collections
import hashlib
import json
import multiprocessing
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from adversarial_autoencoder import runs as run_folders  # noqa: E402

KEPT = pathlib.Path(__file__).with_name("reliability.json")
TINY = ["--dataset=digits", "--hidden_units=16", "--batch_size=200", "--dropout=0.1"]
EPOCHS_KILLED = 4
KILLED = [*TINY, f"--epochs={EPOCHS_KILLED}"]


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


def train_in_fork(flags, out, err):
    """Is run.py, in a process forked by the server that `kills` starts."""
    threads = pathlib.Path(f"/proc/{os.getppid()}/task")
    assert len(list(threads.iterdir())) == 1, "to fork beside threads is not safe"
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    from adversarial_autoencoder import command_line as program

    program.define_flags()
    program.app.run(program.main, argv=["run.py", *flags], flags_parser=program.parse_flags)


def kills(number=200, before=None):
    """Kills a training at moments spread over its length, and resumes it until it ends.

    Every training is a process of its own, which runs the code of run.py and is killed by SIGKILL.
    To save the seconds of imports it is forked from a server (multiprocessing's) that has imported
    TensorFlow and the project, has a single thread, and has not started TensorFlow's runtime. The
    resumed trainings are forked too. Every second kill comes after the first checkpoint. A kill
    during the imports, when nothing is written, is left out; so is the time before the run's folder
    is made, when there is nothing to lose.

    Args:
        number: Kills.
        before: What earlier calls gave; their kills are counted too.
    """
    # What the server reads: one thread; where the project is; no messages, as run.py has it.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.update(OPENBLAS_NUM_THREADS="1", PYTHONPATH=str(ROOT))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [f"adversarial_autoencoder.{name}" for name in ("modes", "training", "devices.hardware")]
    )
    names = ("killed", "with a file half written", "resumed to the end", "equal", "too late")
    counts = dict.fromkeys(names, 0) | (before or {}).get("counts", {})
    at_epoch = collections.Counter((before or {}).get("at_epoch", {}))
    failures = list((before or {}).get("failures", []))
    with tempfile.TemporaryDirectory() as results:
        results = pathlib.Path(results)
        out, err = results / "out", results / "err"

        def started(name, since=""):
            """A training whose folder, or the file `since` in it, has just been made."""
            flags = [f"--results_dir={results}", f"--run_name={name}", *KILLED]
            process = context.Process(target=train_in_fork, args=(flags, out, err))
            process.start()
            while not (results / name / since).exists() and process.exitcode is None:
                time.sleep(0.005)
            return process, time.monotonic()

        def completed(name, since=""):
            process, start = started(name, since)
            process.join()
            return process.exitcode, err.read_text(), time.monotonic() - start

        lengths, wholes = {}, set()
        for since in ("", "model.keras"):
            status, text, lengths[since] = completed("whole", since)
            assert status == 0, text
            wholes.add(digest_of(results / "whole" / "model.keras"))
            shutil.rmtree(results / "whole")
        (whole,) = wholes
        for _ in range(int(number)):
            name = f"killed{counts['killed']}"
            path = results / name
            # The first epoch, in which the steps are compiled, takes the most time; so every other
            # training is killed after it, where more is written.
            since = ("", "model.keras")[counts["killed"] % 2]
            # Multiples of the golden ratio, which fill a length evenly however many they are.
            share = counts["killed"] // 2 * 0.6180339887 % 1
            while True:
                process, start = started(name, since)
                process.join(lengths[since] * share)
                process.kill()
                process.join()
                if process.exitcode == -signal.SIGKILL:
                    break
                # It had ended by itself, so that nothing was tried; it shows the length of now.
                assert process.exitcode == 0, err.read_text()
                counts["too late"] += 1
                lengths[since] = time.monotonic() - start
                shutil.rmtree(path)
            counts["killed"] += 1
            counts["with a file half written"] += any(path.rglob(".*.tmp*"))
            at_epoch[str(len(run_folders.Run(path).read_history()))] += 1
            status, listed, text = run(results, "--mode=list")
            if status or text or (path / "config.json").exists() != (f"{name} " in listed):
                failures.append(f"{name}: list {status} {listed} {text}")
            status, text, _ = completed(name)
            counts["resumed to the end"] += status == 0
            if status or text:
                failures.append(f"{name}: resume {status} {text}")
            elif digest_of(path / "model.keras") == whole:
                counts["equal"] += 1
            else:
                failures.append(f"{name}: other weights")
            if leftovers := [str(p) for p in path.rglob(".*.tmp*")]:
                failures.append(f"{name}: {leftovers}")
            shutil.rmtree(path)
            print(name, counts, dict(at_epoch), failures, flush=True)
    result = {"counts": counts, "at_epoch": dict(sorted(at_epoch.items())), "failures": failures}
    return (before or {}) | result  # With a note on those of earlier calls.


def kills_table(result):
    """The rows that the page of the documentation shows: a dict from a name to a value."""
    counts = result["counts"]
    at_epoch = (f"{number} after {epoch}" for epoch, number in result["at_epoch"].items())
    return {
        "trainings killed, while they ran": counts["killed"],
        f"epochs finished then, of {EPOCHS_KILLED}": ", ".join(at_epoch),
        "of these, a file was half written": counts["with a file half written"],
        "not counted, as the training had ended before": counts["too late"],
        "resumed to the end": counts["resumed to the end"],
        "weights, optimizers and history equal to the uninterrupted run's": counts["equal"],
        "failures": result["failures"],
        **({"note": result["note"]} if "note" in result else {}),
    }


def runs(number=200):
    """Many short runs in one folder: how long a list takes, and the memory that it needs.

    The first is trained, and the others are copies of it. Of five lists the quickest counts, as
    other work on the machine only makes them slower.
    """
    result = {}
    with tempfile.TemporaryDirectory() as results:
        status, _, err = run(results, "--run_name=run1", "--epochs=2", *TINY)
        assert status == 0, err
        made = 1
        for wanted in (1, int(number) // 2, int(number)):
            for i in range(made + 1, wanted + 1):
                shutil.copytree(f"{results}/run1", f"{results}/run{i}")
            made = wanted
            measured = []
            for _ in range(5):
                start = time.monotonic()
                process = subprocess.Popen(
                    command(results, "--mode=list"), stdout=subprocess.PIPE, text=True
                )
                assert len(process.stdout.read().splitlines()) == wanted + 1
                _, status, usage = os.wait4(process.pid, 0)
                assert status == 0
                measured.append((time.monotonic() - start, usage.ru_maxrss / 1024))
            seconds, mebibytes = map(min, zip(*measured, strict=True))
            result[f"list of {wanted}"] = f"{seconds:.2f} s, {mebibytes:.0f} MiB at most"
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
    from adversarial_autoencoder.systems import SYSTEMS

    failures = []
    with tempfile.TemporaryDirectory() as results:
        for model in SYSTEMS:
            for name in ("a", "b"):
                flags = [f"--model={model}", f"--run_name={model}-{name}", "--epochs=2"]
                status, _, err = run(results, "--deterministic", *TINY, *flags)
                assert status == 0, err
            a, b = (
                digest_of(pathlib.Path(results, f"{model}-{x}", "model.keras")) for x in ("a", "b")
            )
            if a != b:
                failures.append(model)
    return {"systems": len(SYSTEMS), "with other weights in another process": failures}


def run_tests(*names):
    """Runs test files; returns the number of tests in each, what they print, and the failures."""
    tests = [f"tests/test_{name}.py" for name in names]
    pytest = [sys.executable, "-m", "pytest", "-o", "addopts=", "-v", "-s", *tests]
    done = subprocess.run(pytest, cwd=ROOT, capture_output=True, text=True, check=False)
    failures = re.findall("^(FAILED|ERROR) (.*)", done.stdout, re.M)
    assert done.returncode == bool(failures), done.stdout
    counts = [len(re.findall(rf"^{re.escape(test)}::", done.stdout, re.M)) for test in tests]
    return counts, done.stdout, [name for _, name in failures]


def faults():
    """A fault at each file operation of a training: the numbers that the test prints."""
    _, out, failures = run_tests("disk_faults")
    tried = [int(n) for n in re.findall(r"(\d+) faults of a stand-in", out)]
    real = len(re.findall("a fault of a model of Keras", out))
    return {
        "file operations of a training of 3 epochs": max(tried, default=0),
        "faults tried with the stand-in": sum(tried),
        "faults tried with a model of Keras": real,
        "failures": failures,
    }


def damaged():
    """Real files, damaged: the numbers that the test prints."""
    _, out, failures = run_tests("fuzz_files")
    found = re.findall(r"(\d+) damaged files of the kind (.*?), (\d+) refused", out)
    return {
        "damaged files": sum(int(cases) for cases, _, _ in found),
        "of these refused": sum(int(refused) for *_, refused in found),
        "kinds": ", ".join(kind for _, kind, _ in found),
        "failures": failures,
    }


def inputs():
    """Counts the cases of bad input, and of readers fuzzed, that the suite tries."""
    bad = ("bad_data", "bad_flags", "bad_runs", "hostile_files", "model_files", "prepared_checks")
    (*cases, fuzzed), _, failures = run_tests(*bad, "fuzz")
    return {
        "cases of bad input": sum(cases),
        "readers fuzzed, 250 files each": fuzzed,
        "failures": failures,
    }


PARTS = {
    "kills": kills,
    "runs": runs,
    "memory": memory,
    "seeds": seeds,
    "faults": faults,
    "damaged": damaged,
    "inputs": inputs,
}


def main(arguments):
    part, *number = arguments or [None]
    if part not in (None, *PARTS):
        sys.exit(f"Error: a part is {', '.join(PARTS)}. Received: {part}")
    if number and part not in ("kills", "runs", "memory"):
        sys.exit(f"Error: kills, runs and memory take a number. Received: {part} {number[0]}")
    results = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for name in [part] if part else PARTS:
        before = {"before": results.get(name)} if name == "kills" else {}
        results[name] = PARTS[name](*number, **before)
        KEPT.write_text(json.dumps(results, indent=1) + "\n")
        print(name, results[name])


if __name__ == "__main__":
    main(sys.argv[1:])
