"""Pipes, bombs, deep documents, names and formulas: each is refused in one line, or escaped."""

import csv
import json
import os
import pathlib
import shutil
import zipfile

import numpy as np
import pytest
from helpers import read_history

from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.small_files import MAX_BYTES
from adversarial_autoencoder.config.training_groups import MAX_EPOCHS
from adversarial_autoencoder.data import array_files
from adversarial_autoencoder.data.images import resize
from adversarial_autoencoder.devices import memory, tf_config
from adversarial_autoencoder.errors import InputError, Mismatch, TrainingError, reading
from adversarial_autoencoder.runs import durable, settings
from adversarial_autoencoder.runs.csv_files import to_csv


def archive_of(path, history="epoch,loss\r\n1,0.5\r\n", compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("history.csv", history)


@pytest.fixture
def run(dataset, tmp_path):
    """A run of one epoch with a checkpoint that is no model."""
    run = runs.create(tmp_path / "results", "a")
    config = Config.of(dataset="digits", hidden_units=4, epochs=1, batch_size=100)
    run.write_config(config, dataset)
    archive_of(run.model_path)
    return run


@pytest.mark.parametrize("name", ["config.json", "model.keras", "metrics.json", ".lock"])
def test_a_pipe_is_not_waited_for(command_line, run, name):
    (run.path / name).unlink(missing_ok=True)
    os.mkfifo(run.path / name)
    out, err = command_line("--mode=list", results=run.path.parent)
    assert err == ""
    assert len(out.splitlines()) == 2
    command_line("--mode=compare", "--runs=a", results=run.path.parent, status=(0, 2))
    if name != "metrics.json":
        command_line("--run_name=a", "--epochs=1", results=run.path.parent, status=2)


@pytest.mark.parametrize(
    "path",
    ["/dev/zero", "/dev/stdin", "TMP/pipe", "TMP/large", "TMP", "~nosuchuser/x", "~a\0b/x"],
    ids=ascii,
)
def test_a_flag_file_is_a_small_file(refused, tmp_path, path):
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    (tmp_path / "outer").write_text(f"--flagfile={path.replace('TMP', str(tmp_path))}\n")
    refused(f"--flagfile={path}")
    refused("--flagfile", path)
    refused("--flagfile=TMP/outer")


def test_a_prior_that_is_a_pipe_is_refused(refused, tmp_path):
    os.mkfifo(tmp_path / "prior.npy")
    refused("--dataset=digits", "--prior=TMP/prior.npy", "--z_dim=2", "--epochs=1")


@pytest.mark.parametrize("path", ["/dev/zero", "TMP/pipe", "TMP", "~nosuchuser/kinds.json"])
def test_the_kinds_of_columns_are_a_small_file(refused, tmp_path, path):
    os.mkfifo(tmp_path / "pipe")
    np.save(tmp_path / "t.npy", np.arange(20.0).reshape(10, 2))
    err = refused("--dataset=TMP/t.npy", f"--columns={path}")
    assert err.startswith("Error: columns") and err.count("Received: ") == 1


@pytest.mark.parametrize("error", [InputError("a must be b. Received: c"), Mismatch("other")])
def test_an_error_in_one_line_stays_as_it_is(error):
    with pytest.raises(InputError) as caught, reading("The file must be readable"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("folder", "received"), [(None, "no end"), (pathlib.Path("run"), "EOFError in run")]
)
def test_a_damaged_file_is_an_error_in_one_line(folder, received):
    with pytest.raises(InputError) as caught, reading("It must be readable", folder=folder):
        raise EOFError("no end\nof it")
    assert str(caught.value) == f"It must be readable. Received: {received}"
    with pytest.raises(StopIteration), reading("It must be readable"):
        raise StopIteration
    with pytest.raises(InputError), reading("It must be readable", StopIteration):
        raise StopIteration


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat"])
def test_an_archive_with_the_suffix_of_another_file_is_refused(refused, tmp_path, suffix):
    with (tmp_path / f"t{suffix}").open("wb") as file:
        np.savez(file, x_trian=np.zeros((9, 3)))
    assert "Received: " in refused(f"--dataset=TMP/t{suffix}")


@pytest.mark.parametrize(
    "make",
    [
        lambda path: archive_of(path, "epoch\r\n" + "1\r\n" * 10**7, zipfile.ZIP_DEFLATED),
        lambda path: archive_of(path, "epoch\r\n" + "1\r\n" * (MAX_EPOCHS + 1)),
        lambda path: archive_of(path, "epoch,loss\r\n" + "1" * 200_000),
        lambda path: archive_of(path, "loss\r\n1\r\n"),
        lambda path: archive_of(path, ""),
    ],
    ids=["packed", "many rows", "a long row", "no epochs", "empty"],
)
def test_a_history_that_no_training_writes_is_refused(run, make):
    make(run.model_path)
    with pytest.raises(InputError, match="readable model.keras"):
        run.read_history()


def test_the_list_reads_only_the_last_row(command_line, run, monkeypatch):
    """A history of 100,000 rows takes seconds to parse."""
    rows = [{"epoch": i, "val_reconstruction_loss": 1 / i} for i in range(1, 5001)]
    with zipfile.ZipFile(run.model_path, "w") as archive:
        text = "".join(f"{row['epoch']},{row['val_reconstruction_loss']}\r\n" for row in rows)
        archive.writestr("history.csv", f"epoch,val_reconstruction_loss\r\n{text}")
    assert run.read_last() == run.read_history()[-1] == rows[-1]
    monkeypatch.setattr(runs.Run, "read_history", None)
    out, _ = command_line("--mode=list", results=run.path.parent)
    assert "5000/1" in out


def test_more_epochs_than_a_history_holds_are_refused(refused):
    assert f"below {MAX_EPOCHS + 1}" in refused("--dataset=digits", "--epochs=310000")


@pytest.mark.parametrize("depth", [20, 900, 200_000])
@pytest.mark.parametrize("name", ["config.json", "metrics.json"])
def test_deep_json_is_refused(run, name, depth):
    (run.path / name).write_text('{"mse": ' + "[" * depth + "]" * depth + "}")
    read = run.read_config if name == "config.json" else run.read_metrics
    with pytest.raises(InputError, match=f"readable {name}"):
        read()


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "true and", '"a"', "[]", "1" * 9999])
def test_measures_are_finite_numbers(run, value):
    (run.path / "metrics.json").write_text(f'{{"mse": {value}}}')
    with pytest.raises(InputError, match="readable metrics.json"):
        run.read_metrics()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10**5,
        '{"cluster": {"worker": ["host"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["host:"]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": [7]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1e999}}',
    ],
)
def test_tf_config_without_an_address_is_refused(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match="needs the environment variable TF_CONFIG"):
        tf_config.task("multi_worker")


def test_a_run_that_vanishes_is_skipped(command_line, run, monkeypatch):
    shutil.copytree(run.path, run.path.with_name("b"))
    read = runs.Run.read_config

    def removed(self):
        if self.name == "b":
            shutil.rmtree(self.path, ignore_errors=True)
        return read(self)

    monkeypatch.setattr(runs.Run, "read_config", removed)
    out, err = command_line("--mode=list", results=run.path.parent)
    assert err == ""
    assert [line.split()[0] for line in out.splitlines()] == ["name", "a"]


def test_a_run_killed_before_its_first_checkpoint_is_not_finished(command_line, run):
    """history.csv is written before model.keras replaces the old one."""
    run.model_path.unlink()
    (run.path / "history.csv").write_text("epoch,loss\r\n1,0.5\r\n")
    out, _ = command_line("--mode=list", results=run.path.parent)
    assert out.splitlines()[1].split()[3:5] == ["stopped", "0/1"]


NAMES = ["a,b", "a\x1b[31mb", "a\rb", "a\nb", "\udcff", "\U0001f600" * 51, " ", "a\u2028b"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_run_has_a_printable_name(refused, name):
    with pytest.raises(InputError, match="Received: "):
        runs.check_name(name)
    refused("--dataset=digits", f"--run_name={name}")


@pytest.mark.parametrize("name", ["caf\u00e9", "\U0001f600" * 50, "a b", "\u6570"])
def test_a_run_can_have_any_letters(name):
    runs.check_name(name)


@pytest.mark.parametrize("flag", ["dataset", "results_dir", "data_dir", "run", "prior"])
def test_a_path_is_printable(refused, flag):
    for path in ("a\nb", "a\x1bb", "\udcff"):
        refused("--dataset=digits", f"--{flag}={path}", "--epochs=1")


def test_the_default_name_of_a_run_is_one_that_a_run_can_have(dataset):
    config = Config.of(dataset="digits")
    for name in ("a,b/c", "a\x1bb", "\udcff", "\U0001f600" * 100):
        named = type("Named", (), {"name": name})
        runs.check_name(runs.default_name(config, named))


def test_what_a_config_contains_forges_no_row(command_line, run):
    document = json.loads((run.path / "config.json").read_text())
    document["data"]["name"] = "digits\nforged  aae  \x1b[2J\rdata"
    (run.path / "config.json").write_text(json.dumps(document))
    out, _ = command_line("--mode=list", results=run.path.parent)
    assert len(out.splitlines()) == 2
    assert not set(out) & set("\x1b\r")


def test_text_in_a_csv_file_is_no_formula(run):
    names = ["=1+1", "+a", "-b", "@sum", " =x", "-1", "a\nb", "\udcff.png", "caf\u00e9"]
    path = run.write_rows("columns", [["column", "kind"], *((name, "=cmd") for name in names)])
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["column", "kind"]
    read = [row[0] for row in rows]
    assert read[:6] == ["'=1+1", "'+a", "'-b", "'@sum", "' =x", "-1"]
    assert read[6:] == ["a\\nb", "\\udcff.png", "caf\u00e9"]
    assert {row[1] for row in rows} == {"'=cmd"}
    assert to_csv(["a"], [(-1.5,), (7,), (None,)]) == 'a\r\n-1.5\r\n7\r\n""\r\n'


@pytest.mark.parametrize("pass_by", ["remove", "replace", "move and copy back"])
def test_a_lock_that_was_passed_ends_the_training(run, pass_by):
    """Another process can train the run then, so nothing more is written."""
    before = run.model_path.read_bytes()
    lock = run.path / durable.LOCK
    with run.held():
        if pass_by == "remove":
            lock.unlink()
        elif pass_by == "replace":
            lock.unlink()
            lock.write_text("1\n")
        else:
            moved = run.path.rename(run.path.with_name("moved"))
            shutil.copytree(moved, run.path)
        with pytest.raises(TrainingError, match="must keep its file .lock"), run.attempt():
            run.write_checkpoint(archive, [ROW])
    assert run.model_path.read_bytes() == before
    assert not (run.path / "failed.txt").exists()
    with run.held():
        run.write_checkpoint(archive, [ROW])
    assert read_history(run.path) == [{"epoch": "2", "loss": "0.25"}]


ROW = {"epoch": 2, "loss": 0.25}


def archive(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", "{}")


def test_a_snapshot_keeps_model_and_history_of_one_epoch(run):
    with run.snapshot() as saved:
        run.write_checkpoint(archive, [{"epoch": 1, "loss": 0.5}, ROW])
        assert saved.completed_epochs() == 1
        assert run.completed_epochs() == 2
    assert not list(run.path.glob(".model*"))


def test_the_number_of_cores_is_recorded(run, monkeypatch):
    assert settings.read_cores(run.path) == settings.cores() >= 1
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    assert settings.cores() == 7


def test_data_takes_a_quarter_of_the_memory_of_the_container(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_CGROUPS", (str(tmp_path / "max"), str(tmp_path / "none")))
    whole = memory.total()
    for text, expected in (("max\n", whole), ("4096\n", 4096), ("damaged", whole)):
        (tmp_path / "max").write_text(text)
        assert memory.total() == expected
    (tmp_path / "max").write_text("4096\n")
    assert memory.max_data_bytes() == 1024
    assert whole // 4 >= array_files.MAX_NPZ_BYTES


def test_images_that_do_not_fit_into_memory_are_refused(tmp_path, monkeypatch):
    from PIL import Image

    for i in range(4):
        Image.fromarray(np.full((4, 4), i, "uint8")).save(tmp_path / f"{i}.png")
    monkeypatch.setattr(resize, "MAX_NPZ_BYTES", 63)
    with pytest.raises(InputError, match="--mode prepare.*Received: 4 images of 4x4 pixels"):
        data.load(str(tmp_path))


def test_a_listing_of_many_runs_reads_each_file_once(command_line, run, monkeypatch):
    """The time of a list is that of reading two files for each run."""
    for i in range(20):
        shutil.copytree(run.path, run.path.with_name(f"copy{i}"))
    opened = []
    original = os.open

    def counted(path, *args, **kwargs):
        opened.append(pathlib.Path(path).name)
        return original(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", counted)
    out, _ = command_line("--mode=list", results=run.path.parent)
    assert len(out.splitlines()) == 22
    assert opened.count("config.json") == opened.count("model.keras") == 21
    assert opened.count(".lock") == 21
    assert len(opened) == 63
