"""A disk that fails at any file operation of a training: nothing is lost, one line, it resumes."""

import builtins
import contextlib
import errno
import io
import json
import os
import pathlib
import types
import zipfile

import numpy as np
import pytest
from helpers import assert_equal_runs, read_history, tree

from adversarial_autoencoder import runs, training
from adversarial_autoencoder.training import callbacks

ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR)
OPERATIONS = (
    "open",
    "replace",
    "rename",
    "link",
    "unlink",
    "mkdir",
    "fsync",
    "ftruncate",
    "pwrite",
)


class Disk:
    """Counts the file operations in a folder; one of them fails.

    Args:
        folder: The folder.
        failing: Number of the operation that fails, from 0, or None.
        code: The error.
    """

    def __init__(self, folder, failing=None, code=errno.EIO):
        self.folder, self.failing, self.code = str(folder), failing, code
        self.done = []

    def operate(self, name, path):
        """Counts an operation, or raises the error."""
        if isinstance(path, int):
            path = pathlib.Path(f"/proc/self/fd/{path}").readlink()
        if not str(path).startswith(self.folder):
            return
        self.done.append(name)
        if len(self.done) - 1 == self.failing:
            raise OSError(self.code, os.strerror(self.code), str(path))

    @contextlib.contextmanager
    def __call__(self):
        with pytest.MonkeyPatch.context() as patch:
            for name in OPERATIONS:
                patch.setattr(os, name, self._wrapped(name, getattr(os, name)))
            opened = self._opening(io.open)
            patch.setattr(io, "open", opened)
            patch.setattr(builtins, "open", opened)
            yield self

    def _wrapped(self, name, function):
        def wrapped(path, *args, **kwargs):
            self.operate(name, path)
            return function(path, *args, **kwargs)

        return wrapped

    def _opening(self, function):
        def opened(path, mode="r", *args, **kwargs):
            self.operate("open", path)
            file = function(path, mode, *args, **kwargs)
            writes = set(mode) & set("wa+") and str(path).startswith(self.folder)
            return Written(file, self, path) if writes else file

        return opened


class Written:
    """An open file whose writes can fail."""

    def __init__(self, file, disk, path):
        self.file, self.disk, self.path = file, disk, path

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def write(self, data):
        self.disk.operate("write", self.path)
        return self.file.write(data)

    def close(self):
        closed = self.file.closed
        self.file.close()
        if not closed:
            self.disk.operate("close", self.path)


class Model:
    """A model of one number, which each epoch changes."""

    state = 1
    distribute_strategy = None

    def save(self, path):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", json.dumps({"state": self.state}))


def train_a_number(config, dataset, run, strategy=None, further_callbacks=()):
    """A training without TensorFlow that reads and writes the files of a run."""
    model = Model()
    if run.is_trained:
        with zipfile.ZipFile(run.model_path) as archive:
            model.state = json.loads(archive.read("config.json"))["state"]
    done = run.completed_epochs()
    checkpoint = callbacks.Checkpoint(run, done, share=1)
    checkpoint.set_model(model)
    for epoch in range(done, config.epochs):
        model.state = model.state * 31 % 1009
        loss = 1 / model.state
        names = ("reconstruction_loss", "prior_distance", "prior_distance_floor")
        checkpoint.on_epoch_end(epoch, {f"val_{name}": loss for name in names})
    checkpoint.on_train_end()
    return types.SimpleNamespace()


FLAGS = ["--dataset=digits", "--model=wae_mmd", "--hidden_units=4", "--run_name=a"]


def content(results):
    """Model and history of a run."""
    with zipfile.ZipFile(results / "a" / "model.keras") as archive:
        return [archive.read(name) for name in archive.namelist()]


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(training, "train", train_a_number)


@pytest.fixture(scope="module")
def whole(command_line, tmp_path_factory):
    """A training without faults: its results, and its file operations."""
    results = tmp_path_factory.mktemp("whole") / "results"
    disk = Disk(results)
    with pytest.MonkeyPatch.context() as patch, disk():
        patch.setattr(training, "train", train_a_number)
        command_line(*FLAGS, "--epochs=3", results=results)
    return content(results), disk.done


def check_after_a_fault(command_line, results, out, err):
    """One line; the last checkpoint and the list can be read."""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
    listed, list_err = command_line("--mode=list", results=results)
    assert list_err == ""
    if (results / "a" / "config.json").exists():
        assert len(listed.splitlines()) == 2
    if (results / "a" / "model.keras").exists():
        assert 1 <= len(runs.Run(results / "a").read_history()) <= 3
    assert not [path for path in tree(results) if ".tmp" in path.name], "half a file is left"


def test_the_faults_cover_all_kinds_of_operations(whole):
    operations = whole[1]
    assert {"open", "write", "close", "fsync", "replace", "unlink", "mkdir"} <= set(operations)
    assert len(operations) > 80


@pytest.mark.long
@pytest.mark.parametrize("code", ERRORS, ids=errno.errorcode.get)
def test_a_fault_at_any_file_operation_loses_nothing(command_line, fake, whole, tmp_path, code):
    expected, operations = whole
    for failing in range(len(operations)):
        results = tmp_path / str(failing)
        with Disk(results, failing, code)() as disk:
            out, err = command_line(*FLAGS, "--epochs=3", results=results, status=(0, 1, 2))
        assert len(disk.done) > failing
        if err:
            check_after_a_fault(command_line, results, out, err)
            command_line(*FLAGS, "--epochs=3", results=results)
        # Without an error, zipfile opened the file again, or nothing had to be removed.
        assert err or operations[failing] in ("open", "unlink")
        assert content(results) == expected, (failing, operations[failing])
    # benchmarks/reliability.py reads these numbers.
    print(f"\n{len(operations)} faults of a stand-in, {errno.errorcode[code]}")


@pytest.mark.long
@pytest.mark.parametrize("share", np.linspace(0, 0.99, 4))
def test_a_fault_in_a_real_training_loses_nothing(command_line, tmp_path, share):
    """The same with a model of Keras, at some of the operations."""
    flags = [*FLAGS, "--epochs=2", "--batch_size=600"]
    disk = Disk(tmp_path / "whole")
    with disk():
        command_line(*flags, results=tmp_path / "whole")
    failing = int(share * len(disk.done))
    results = tmp_path / "results"
    with Disk(results, failing, ERRORS[failing % len(ERRORS)])():
        out, err = command_line(*flags, results=results, status=(0, 1, 2))
    if not err.startswith("Warning: The frames"):
        check_after_a_fault(command_line, results, out, err)
        command_line(*flags, results=results)
    assert_equal_runs(tmp_path / "whole" / "a", results / "a")
    assert read_history(tmp_path / "whole" / "a") == read_history(results / "a")
    print("\na fault of a model of Keras")
