"""Printing never ends the program badly: closed streams, full disks, terminals that disappear."""

import os
import pty
import signal
import subprocess
import sys

import pytest
from helpers import PATIENCE, ROOT, SMALL, read_history, wait_for

COMMAND = [sys.executable, str(ROOT / "run.py")]


def shell(script, **kwargs):
    """Runs a shell script; $RUN stands for run.py."""
    script = script.replace("$RUN", " ".join(COMMAND))
    return subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        **kwargs,
    )


@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_go_nowhere(tmp_path, streams):
    done = shell(f"$RUN --mode=list --results_dir={tmp_path} {streams}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("", f"There are no runs in {tmp_path}. Train one with --mode train.\n")


def test_an_error_without_stderr_has_its_status(tmp_path):
    assert shell(f"$RUN --mode=no --results_dir={tmp_path} >&- 2>&-").returncode == 2


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_under_stdout_is_a_warning(tmp_path):
    done = shell(f"$RUN --mode=list --results_dir={tmp_path} > /dev/full")
    assert done.returncode == 0
    assert done.stderr.startswith("Warning: stdout cannot be written: No space left")
    assert done.stderr.count("\n") == 1


def test_a_pipe_closed_by_its_reader_ends_the_program_cleanly(tmp_path):
    done = shell(f"$RUN --help | true; $RUN --mode=list --results_dir={tmp_path} | true")
    assert done.stderr == ""


def test_control_characters_are_escaped(tmp_path):
    code = (
        "from adversarial_autoencoder.devices.streams import prepare_streams\n"
        "prepare_streams()\n"
        "print('a\\x1b]0;title\\x07 \\x1b[32mgreen\\x1b[0m \\udcff caf\\xe9')"
    )
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert done.stderr == b""
    assert done.stdout == b"a\\x1b]0;title\\x07 \x1b[32mgreen\x1b[0m \\udcff caf\\xe9\n"


@pytest.mark.parametrize("options", [["-OO"], ["-O"]])
def test_help_without_docstrings(options):
    done = subprocess.run(
        [sys.executable, *options, COMMAND[1], "--help"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--z_dim N" in done.stdout


def test_a_missing_library_is_one_line():
    without = "import runpy, sys; sys.modules['absl'] = None; sys.argv[0] = 'run.py'; "
    code = f"{without}runpy.run_path('run.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "pip install -r requirements.txt" in done.stderr


def test_ctrl_c_during_the_imports_is_silent():
    """Python raises KeyboardInterrupt until the program catches the signal itself."""
    code = (
        "import os, runpy, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *args):\n"
        "        if name == 'absl':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "sys.argv[0] = 'run.py'\n"
        "runpy.run_path('run.py', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.slow
def test_a_training_outlives_its_terminal(tmp_path):
    """As with nohup or disown: the terminal disappears, and SIGHUP is ignored."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, f"--results_dir={tmp_path}", "--run_name=a", "--epochs=8", *SMALL],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    os.close(theirs)
    wait_for(tmp_path / "a" / "model.keras", process)
    os.close(ours)
    assert process.wait(PATIENCE) == 0
    assert len(read_history(tmp_path / "a")) == 8


@pytest.mark.slow
def test_a_training_whose_reader_leaves_stops_and_can_be_resumed(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, f"--results_dir={tmp_path}", "--run_name=a", "--epochs=5000", *SMALL],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_for(tmp_path / "a" / "model.keras", process)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(PATIENCE) == 143
    assert 1 <= len(read_history(tmp_path / "a")) < 5000
