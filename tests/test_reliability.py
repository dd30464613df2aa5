"""Nothing is lost: two processes, signals, faults, and disks that take no more."""

import concurrent.futures
import contextlib
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
import zipfile

import numpy as np
import pytest
from test_run import QUICK, ROOT, SMALL, read_history, run, start, wait_for

from adversarial_autoencoder import runs
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.runs import durable
from adversarial_autoencoder.systems import SYSTEMS

LONG = ["--run_name=a", "--epochs=5000", *SMALL]


def status_of(results, name="a"):
    """The status that --mode list shows for a run."""
    out, err = run("--mode=list", results=results)
    assert err == ""
    (row,) = (line.split() for line in out.splitlines() if line.startswith(f"{name} "))
    return row[3]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A results folder with the run `a`, ended by SIGTERM, and what happened meanwhile."""
    results = tmp_path_factory.mktemp("stopped")
    process = start(*LONG, results=results)
    wait_for(process, results / "a" / "model.keras")
    seen = {
        "status": status_of(results),
        "second": run("--resume", "--run=a", results=results, status=2),
        "pid": process.pid,
    }
    process.send_signal(signal.SIGTERM)
    seen["out"], seen["err"] = process.communicate(timeout=60)
    return results, seen | {"returncode": process.returncode}


def test_a_second_process_fails_at_once_and_names_the_first(stopped):
    _, seen = stopped
    assert seen["status"] == "training"
    message = (
        "Error: The run a can be trained by one process at a time. "
        f"Received: a second process, while process {seen['pid']} trains it\n"
    )
    assert seen["second"] == ("", message)


def test_sigterm_ends_with_what_a_resume_needs_and_how_to(stopped):
    results, seen = stopped
    assert (seen["returncode"], seen["err"]) == (143, "")
    finished, stopped_line = seen["out"].splitlines()[-2:]
    epochs = len(read_history(results / "a"))
    assert finished == f"{epochs} of 5000 epochs are finished; the last of them is kept."
    command = f"python run.py --mode train --resume --results_dir {results} --run a"
    assert stopped_line == f"Stopped. To go on: {command}"
    assert status_of(results) == "stopped"
    assert not list((results / "a").glob(".*.tmp*"))


def test_a_disk_that_takes_no_more_is_told_in_a_line_and_the_checkpoint_is_kept(stopped, tmp_path):
    """No file may grow beyond 64 KiB, as if the disk were full; a checkpoint is larger."""
    shutil.copytree(stopped[0] / "a", tmp_path / "a")
    before = (tmp_path / "a" / "model.keras").read_bytes()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))

    flags = ["--resume", "--run=a", "--dataset=digits"]
    _, err = run(*flags, results=tmp_path, status=1, preexec_fn=limit)
    assert err == "Error: File too large\n"
    assert (tmp_path / "a" / "model.keras").read_bytes() == before
    assert status_of(tmp_path) == "failed"
    assert not list((tmp_path / "a").glob(".*.tmp*"))


@pytest.fixture
def disk():
    """Mounts a small file system in memory: `disk(size)`, its folder."""
    folder = pathlib.Path(tempfile.mkdtemp())

    def mounted(size):
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a file system can be mounted by root only")
        return folder

    yield mounted
    if folder.is_mount():
        subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def fill(folder):
    """Writes until there is no room for a byte more."""
    with (folder / "filling").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (2**16, 2**12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass


def test_a_full_file_system_is_told_in_a_line_and_the_checkpoint_is_kept(stopped, disk):
    """There is room for one checkpoint and not for two."""
    results = disk((stopped[0] / "a" / "model.keras").stat().st_size * 3 // 2 + 2**17)
    (results / "a").mkdir()
    for name in ("config.json", "model.keras"):
        shutil.copy(stopped[0] / "a" / name, results / "a")
    before = (results / "a" / "model.keras").read_bytes()
    _, err = run("--resume", "--run=a", results=results, status=1)
    assert err.startswith("Error: ")
    assert "space" in err
    assert err.count("\n") == 1
    assert (results / "a" / "model.keras").read_bytes() == before
    assert status_of(results) in ("failed", "stopped")


def test_a_disk_that_is_full_to_the_last_byte_is_told_in_a_line_too(disk):
    """There is no room even for failed.txt."""
    results = disk(2**23)
    process = start(*LONG, results=results)
    wait_for(process, results / "a" / "model.keras")
    process.send_signal(signal.SIGSTOP)
    while list((results / "a").glob(".*.tmp*")):  # It would make room when it is removed.
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
    fill(results)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=60)
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert process.returncode == 1
    assert not (results / "a" / "failed.txt").exists()
    assert status_of(results) == "stopped"
    epochs = len(read_history(results / "a"))
    (results / "filling").unlink()
    out, _ = run("--run_name=a", *SMALL, f"--epochs={epochs + 1}", results=results)
    assert f"Epoch {epochs + 1}/{epochs + 1}" in out


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "no permission"])
def test_a_folder_that_cannot_be_written_to_is_told_in_a_line(tmp_path, mode):
    # Permissions do not count for root, unless it gives up its capabilities.
    powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
    if powerless and (
        not shutil.which("setpriv")
        or subprocess.run([*powerless, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("root cannot give up its capabilities here: needs setpriv")
    folder = tmp_path / "folder"
    folder.mkdir(mode)
    command = [*powerless, sys.executable, ROOT / "run.py", f"--results_dir={folder / 'results'}"]
    done = subprocess.run([*command, *QUICK], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: Permission denied: {folder / 'results'}\n"
    folder.chmod(0o755)
    assert not list(folder.iterdir())


def test_losses_that_are_not_finite_mark_the_run_and_name_phase_and_step(tmp_path):
    flags = ["--run_name=a", "--epochs=3", "--reconstruction_loss=bce", *SMALL]
    rate = "--reconstruction_learning_rate=1e38"
    _, err = run(*flags, rate, results=tmp_path, status=1)
    assert re.match(r"Error: .*gradients in the \w+ phase must be .* in step \d of epoch 1\.", err)
    assert err.count("\n") == 1
    assert status_of(tmp_path) == "failed"
    assert (tmp_path / "a" / "failed.txt").read_text() == err.removeprefix("Error: ")


def test_an_epoch_counts_when_its_model_is_there(tmp_path):
    """As left by a process that was killed after writing history.csv and before model.keras."""
    killed = runs.create(tmp_path, "a")
    rows = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    killed.write_checkpoint(lambda path: zipfile.ZipFile(path, "w").close(), rows[:1])
    (killed.path / "history.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n")
    assert killed.read_history() == rows[:1]
    with killed.held():
        assert read_history(killed.path) == [{"epoch": "1", "loss": "0.5"}]


def test_a_checkpoint_that_cannot_be_read_back_does_not_replace_the_last(tmp_path):
    run_ = runs.create(tmp_path, "a")
    rows = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    run_.write_checkpoint(lambda path: zipfile.ZipFile(path, "w").close(), rows[:1])

    def save_damaged(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("weights", b"x" * 1000)
        content = bytearray(path.read_bytes())
        content[500] ^= 1
        path.write_bytes(content)

    with pytest.raises(OSError, match="weights cannot be read back"):
        run_.write_checkpoint(save_damaged, rows)
    assert run_.read_history() == rows[:1]
    assert not list(run_.path.glob(".*.tmp*"))


def test_runs_begun_at_once_get_folders_of_their_own(tmp_path):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: runs.create(tmp_path, "a", number=True), range(32)))
    assert len({made_run.path for made_run in made}) == 32


def test_the_lock_of_a_dead_process_is_free_and_what_it_left_is_removed(tmp_path):
    code = (
        "import pathlib, sys, time; from adversarial_autoencoder.runs import durable\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with durable.lock(folder), durable.atomic(folder / 'model.keras') as path:\n"
        "    path.write_text('half')\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", code, tmp_path]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"held\n"
    assert durable.is_locked(tmp_path)
    with pytest.raises(InputError, match=f"while process {process.pid} trains"):
        durable.lock(tmp_path).__enter__()
    process.kill()
    process.wait()
    (half,) = tmp_path.glob(".model.keras.*")
    of_living = tmp_path / f".figure.png.{os.getppid()}.tmp.png"
    of_living.touch()
    assert not durable.is_locked(tmp_path)
    with durable.lock(tmp_path):
        assert not half.exists()
        assert of_living.exists()
        assert (tmp_path / durable.LOCK).read_text() == f"{os.getpid()}\n"


def test_a_system_without_unix_locks_is_told_in_a_line(tmp_path):
    without = "import runpy, sys; sys.modules['fcntl'] = None; sys.argv[0] = 'run.py'; "
    command = [sys.executable, "-c", f"{without} runpy.run_path('run.py', run_name='__main__')"]
    done = subprocess.run([*command, "--mode=list"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "on Windows its WSL" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_run_killed_before_its_settings_were_written_can_be_begun_again(tmp_path):
    begun = runs.create(tmp_path, "a")
    with begun.held():
        pass
    assert runs.create(tmp_path, "a") == begun


def test_the_samples_of_a_prior_may_move_but_not_change(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "prior.npy", samples := rng.normal(size=(50, 2)))
    results, flags = tmp_path / "results", ["--run_name=a", *QUICK]
    run(f"--prior={tmp_path / 'prior.npy'}", *flags, results=results)
    (tmp_path / "prior.npy").rename(tmp_path / "moved.npy")
    moved = [f"--prior={tmp_path / 'moved.npy'}", *flags]
    out, _ = run(*moved, results=results)
    assert out.startswith("The run has its 1 epochs")
    np.save(tmp_path / "moved.npy", samples + 1)
    _, err = run(*moved, results=results, status=2)
    assert "The samples of the prior of the run a must be unchanged" in err


TRAIN_ALL = """
import hashlib, sys
import tensorflow as tf
from adversarial_autoencoder import data, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.labels import training_labels
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.systems import CLASSIFICATION

tf.config.experimental.enable_op_determinism()  # What --deterministic does.
digits = data.load("digits")
for model in sys.argv[1:]:
    config = Config.of(
        dataset="digits", model=model, hidden_units=8, hidden_layers=1, epochs=1, dropout=0.1,
        num_labels=100 if model.startswith("semi") else None,
    )
    labels, shares = training_labels(config, digits)
    trained = training.build(config, digits.image_shape, shares)
    trained.compile(training.make_optimizer(config, trained.steps, 3), jit_compile=False)
    classify = config.has_phase(CLASSIFICATION)
    batches = training_batches(digits.x_train, 100, config.seed, 0, labels, classify)
    trained.fit(batches, steps_per_epoch=3, verbose=0)
    optimizers = [v for o in trained.optimizer.optimizers for v in o.variables]
    digest = hashlib.sha256()
    for variable in [*trained.variables, *optimizers]:
        digest.update(variable.numpy().tobytes())
    print("weights of", model, digest.hexdigest(), flush=True)
"""


def test_the_same_seed_gives_the_same_weights_of_every_system_in_every_process():
    """In two processes and in another order; benchmarks/reliability.py does it with whole runs."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN_ALL, *models],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for models in (list(SYSTEMS), reversed(SYSTEMS))
    ]
    one, other = (process.communicate(timeout=300)[0].splitlines() for process in processes)
    assert len({line.split()[-1] for line in one}) == len(SYSTEMS)
    assert one == other[::-1]
