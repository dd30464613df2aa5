"""Files of a run are written whole, by one process at a time."""

import concurrent.futures
import os
import subprocess
import sys
import zipfile

import pytest
from helpers import ROOT, read_history

from adversarial_autoencoder import runs
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.runs import durable


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), durable.atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_epoch_counts_only_with_its_model(tmp_path):
    """A process was killed after it wrote history.csv, and before it wrote model.keras."""
    killed = runs.create(tmp_path, "a")
    rows = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    killed.write_checkpoint(lambda path: zipfile.ZipFile(path, "w").close(), rows[:1])
    (killed.path / "history.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n")
    assert killed.read_history() == rows[:1]
    with killed.held():
        assert read_history(killed.path) == [{"epoch": "1", "loss": "0.5"}]


def test_an_unreadable_checkpoint_does_not_replace_the_last_one(tmp_path):
    run = runs.create(tmp_path, "a")
    rows = [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}]
    run.write_checkpoint(lambda path: zipfile.ZipFile(path, "w").close(), rows[:1])

    def save_damaged(path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("weights", b"x" * 1000)
        content = bytearray(path.read_bytes())
        content[500] ^= 1
        path.write_bytes(content)

    with pytest.raises(OSError, match="weights cannot be read back"):
        run.write_checkpoint(save_damaged, rows)
    assert run.read_history() == rows[:1]
    assert not list(run.path.glob(".*.tmp*"))


def test_runs_that_start_together_get_separate_folders(tmp_path):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: runs.create(tmp_path, "a", number=True), range(32)))
    assert len({run.path for run in made}) == 32


def test_the_lock_of_a_killed_process_is_free_and_its_half_files_are_removed(tmp_path):
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


def test_a_system_without_unix_locks_gives_one_line(tmp_path):
    without = "import runpy, sys; sys.modules['fcntl'] = None; sys.argv[0] = 'run.py'; "
    command = [sys.executable, "-c", f"{without} runpy.run_path('run.py', run_name='__main__')"]
    done = subprocess.run([*command, "--mode=list"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Use Linux, macOS, or WSL on Windows." in done.stderr
    assert done.stderr.count("\n") == 1
