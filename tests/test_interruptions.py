"""Trainings that are killed, stopped or out of disk space: nothing is lost. Real processes."""

import contextlib
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest
from helpers import (
    PATIENCE,
    QUICK,
    ROOT,
    SMALL,
    assert_equal_runs,
    read_history,
    run_process,
    start_process,
    wait_for,
)

pytestmark = pytest.mark.slow

LONG = ["--run_name=a", "--epochs=5000", *SMALL]


@pytest.fixture(scope="module")
def status_of(command_line):
    """The status that --mode list shows for a run: `status_of(results, name="a")`."""

    def status(results, name="a"):
        out, err = command_line("--mode=list", results=results)
        assert err == ""
        (row,) = (line.split() for line in out.splitlines() if line.startswith(f"{name} "))
        return row[3]

    return status


@pytest.fixture(scope="module")
def stopped(command_line, status_of, tmp_path_factory):
    """A results folder with the run `a`, stopped by SIGTERM, and what was seen before."""
    results = tmp_path_factory.mktemp("stopped")
    process = start_process(*LONG, results=results)
    wait_for(results / "a" / "model.keras", process)
    seen = {
        "status": status_of(results),
        "second": command_line("--resume", "--run=a", results=results, status=2),
        "pid": process.pid,
    }
    process.send_signal(signal.SIGTERM)
    seen["out"], seen["err"] = process.communicate(timeout=PATIENCE)
    return results, seen | {"returncode": process.returncode}


def test_a_second_process_fails_and_names_the_first(stopped):
    _, seen = stopped
    assert seen["status"] == "training"
    message = (
        "Error: The run a can be trained by one process at a time. "
        f"Received: a second process, while process {seen['pid']} trains it\n"
    )
    assert seen["second"] == ("", message)


def test_sigterm_keeps_the_last_epoch_and_prints_how_to_resume(stopped, status_of):
    results, seen = stopped
    assert (seen["returncode"], seen["err"]) == (143, "")
    completed, stopped_line = seen["out"].splitlines()[-2:]
    epochs = len(read_history(results / "a"))
    assert completed == f"Completed {epochs} of 5000 epochs; the last one is saved."
    command = f"python run.py --mode train --resume --results_dir {results} --run a"
    assert stopped_line == f"Stopped. To resume: {command}"
    assert status_of(results) == "stopped"
    assert not list((results / "a").glob(".*.tmp*"))


def test_ctrl_c_keeps_the_last_epoch_and_prints_how_to_resume(tmp_path):
    process = start_process(*LONG, results=tmp_path)
    wait_for(tmp_path / "a" / "model.keras", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "")
    last = out.splitlines()[-1]
    assert last.startswith("Stopped. To resume: python run.py --mode train --resume")
    assert read_history(tmp_path / "a")


@pytest.mark.parametrize(
    "start",
    [
        ["run.py"],
        ["-m", "adversarial_autoencoder"],
        ["-c", "from adversarial_autoencoder.__main__ import run; run()"],  # As `aae`.
    ],
    ids=lambda start: start[-1].split()[0],
)
def test_ctrl_c_during_the_imports_prints_nothing(start, tmp_path):
    (tmp_path / "absl.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, *start, "--mode=list"], cwd=ROOT, env=environment, capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


def test_a_killed_and_resumed_training_equals_an_uninterrupted_one(command_line, tmp_path):
    flags = ["--epochs=12", *SMALL]
    run_process("--run_name=whole", *flags, results=tmp_path)
    process = start_process("--run_name=killed", *flags, results=tmp_path)
    wait_for(tmp_path / "killed" / "model.keras", process)
    process.kill()
    process.wait()
    assert 1 <= len(read_history(tmp_path / "killed")) < 12
    run_process("--resume", "--run=killed", results=tmp_path)
    assert_equal_runs(tmp_path / "whole", tmp_path / "killed")
    assert read_history(tmp_path / "whole") == read_history(tmp_path / "killed")


@pytest.mark.long
def test_interrupted_seeds_are_resumed_and_finished_ones_skipped(command_line, tmp_path):
    size = ["--dataset=digits", "--hidden_units=32", "--batch_size=200", "--epochs=8"]
    flags = ["--run_name=b", "--seeds=2", "--seed=4", *size]
    process = start_process(*flags, results=tmp_path)
    wait_for(tmp_path / "b-seed5" / "model.keras", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "")
    assert out.splitlines()[-1].endswith("with --run_name b")
    first = (tmp_path / "b-seed4" / "model.keras").stat().st_mtime_ns
    out, _ = command_line(*flags, results=tmp_path)
    assert out.startswith("Seed 4: the run b-seed4 is finished.\nTraining aae")
    assert (tmp_path / "b-seed4" / "model.keras").stat().st_mtime_ns == first
    assert len(read_history(tmp_path / "b-seed5")) == 8
    assert "over 2 seeds" in out


def test_a_disk_limit_gives_one_line_and_keeps_the_checkpoint(stopped, status_of, tmp_path):
    """No file can grow beyond 64 KiB, as if the disk were full; a checkpoint is larger."""
    shutil.copytree(stopped[0] / "a", tmp_path / "a")
    before = (tmp_path / "a" / "model.keras").read_bytes()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))

    flags = ["--resume", "--run=a", "--dataset=digits"]
    _, err = run_process(*flags, results=tmp_path, status=1, preexec_fn=limit)
    assert err == "Error: File too large\n"
    assert (tmp_path / "a" / "model.keras").read_bytes() == before
    assert status_of(tmp_path) == "failed"
    assert not list((tmp_path / "a").glob(".*.tmp*"))


@pytest.fixture
def disk():
    """Mounts a small file system in memory: `disk(size)` returns its folder."""
    folder = pathlib.Path(tempfile.mkdtemp())

    def mounted(size):
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("only root can mount a file system")
        return folder

    yield mounted
    if folder.is_mount():
        subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def fill(folder):
    """Writes until there is no room for another byte."""
    with (folder / "filling").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (2**16, 2**12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass


def test_a_full_file_system_gives_one_line_and_keeps_the_checkpoint(stopped, disk, status_of):
    """There is room for one checkpoint, but not for two."""
    results = disk((stopped[0] / "a" / "model.keras").stat().st_size * 3 // 2 + 2**17)
    (results / "a").mkdir()
    for name in ("config.json", "model.keras"):
        shutil.copy(stopped[0] / "a" / name, results / "a")
    before = (results / "a" / "model.keras").read_bytes()
    _, err = run_process("--resume", "--run=a", results=results, status=1)
    assert err.startswith("Error: ")
    assert "space" in err
    assert err.count("\n") == 1
    assert (results / "a" / "model.keras").read_bytes() == before
    assert status_of(results) in ("failed", "stopped")


@pytest.mark.long
def test_a_disk_without_a_free_byte_gives_one_line(disk, status_of):
    """There is no room even for failed.txt."""
    results = disk(2**23)
    process = start_process(*LONG, results=results)
    wait_for(results / "a" / "model.keras", process)
    process.send_signal(signal.SIGSTOP)
    while list((results / "a").glob(".*.tmp*")):  # Its removal would make room.
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
    fill(results)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=PATIENCE)
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert process.returncode == 1
    assert not (results / "a" / "failed.txt").exists()
    assert status_of(results) == "stopped"
    epochs = len(read_history(results / "a"))
    (results / "filling").unlink()
    out, _ = run_process("--run_name=a", *SMALL, f"--epochs={epochs + 1}", results=results)
    assert f"Epoch {epochs + 1}/{epochs + 1}" in out


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["read-only", "no permission"])
def test_a_folder_without_write_permission_gives_one_line(tmp_path, mode):
    # Root ignores permissions, unless it gives up its capabilities.
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
