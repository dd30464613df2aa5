"""Several processes that train together: the weights are those of one process."""

import json
import os
import signal
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest
from helpers import DIVIDED, PATIENCE, ROOT, assert_close, train_on_devices, wait_for, weights_of

from adversarial_autoencoder import runs

pytestmark = pytest.mark.slow


# A worker as run.py starts it, which also saves its weights for the test.
WORKER = """
import sys
import numpy as np
from adversarial_autoencoder import modes, training
from adversarial_autoencoder.modes.command import Command

def train(*args, **kwargs):
    model = original(*args, **kwargs)
    np.savez(sys.argv[2], *[variable.numpy() for variable in model.variables])

original, training.train = training.train, train
settings = dict(pair.split("=") for pair in sys.argv[3:])
settings = {k: int(v) if v.isdigit() else v for k, v in settings.items()}
settings |= {k: float(v) for k, v in settings.items() if k.endswith("_noise")}
modes.train(Command(results_dir=sys.argv[1], run_name="several"), settings)
"""


def start_workers(results, settings, of_second=()):
    """Starts two processes on free ports of the loopback address."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    processes = []
    for i, overrides in enumerate((settings, settings | dict(of_second))):
        flags = [f"{name}={value}" for name, value in overrides.items()]
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", WORKER, results, results / f"worker{i}.npz", *flags],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=os.environ | {"TF_CONFIG": json.dumps(task)},
            )
        )
    return processes


@pytest.mark.long
def test_two_workers_killed_and_restarted_train_the_weights_of_one_process(tmp_path):
    settings = DIVIDED | {"epochs": 3, "strategy": "multi_worker"}
    processes = start_workers(tmp_path, settings)
    try:
        wait_for(tmp_path / "several" / "model.keras", *processes)
        processes[1].send_signal(signal.SIGKILL)
        # The other one does not wait for it forever, so a launcher can restart both.
        processes[0].communicate(timeout=PATIENCE)
        assert processes[0].returncode == 1
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert not (tmp_path / "worker0.npz").exists(), "killed too late"
    processes = start_workers(tmp_path, settings)
    (out, err), (silent, silent_err) = (
        process.communicate(timeout=PATIENCE) for process in processes
    )
    assert [process.returncode for process in processes] == [0, 0], err + silent_err
    assert "each minibatch split over 2 replicas" in out
    assert silent == ""
    run = runs.Run(tmp_path / "several")
    history = run.read_history()
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert {path.name for path in tmp_path.iterdir()} == {"several", "worker0.npz", "worker1.npz"}

    weights, of_other = (list(np.load(tmp_path / f"worker{i}.npz").values()) for i in range(2))
    for a, b in zip(weights, of_other, strict=True):
        assert np.array_equal(a, b)
    one, history_of_one = train_on_devices(settings | {"strategy": "none"})
    assert_close(weights, weights_of(one), 1e-4)
    assert_close(weights, weights_of(keras.saving.load_model(run.model_path)), 0)
    for name in ("reconstruction_loss", "discriminator_loss", "generator_loss"):
        losses = [row[name] for row in history]
        assert losses == pytest.approx(history_of_one[name], abs=1e-4)


def test_workers_with_different_settings_fail_and_write_nothing(tmp_path):
    """The second worker gets another seed; data and completed epochs are compared as well."""
    settings = DIVIDED | {"strategy": "multi_worker"}
    for process in start_workers(tmp_path, settings, of_second={"seed": 1}):
        _, err = process.communicate(timeout=PATIENCE)
        assert "InputError: All workers must have the same settings" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "stopped",
    [
        pytest.param((0, 1), id="both", marks=pytest.mark.long),
        pytest.param((1,), id="not the chief"),
    ],
)
def test_sigterm_stops_the_workers_that_receive_it(tmp_path, stopped):
    processes = start_workers(tmp_path, DIVIDED | {"epochs": 5000, "strategy": "multi_worker"})
    try:
        wait_for(tmp_path / "several" / "model.keras", *processes)
        for i in stopped:
            processes[i].send_signal(signal.SIGTERM)
        for process in processes:
            process.communicate(timeout=PATIENCE)
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    # A worker that was not asked to stop fails, because it is alone.
    assert [process.returncode for process in processes] == [143 if 0 in stopped else 1, 143]
    assert 1 <= len(runs.Run(tmp_path / "several").read_history()) < 5000
