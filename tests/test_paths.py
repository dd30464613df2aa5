"""`~` in paths is the home folder: in every flag, in AAE_DATA_DIR, and in the library."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest
from helpers import QUICK, data_refused

from adversarial_autoencoder import data, load_model, runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.command import Command
from adversarial_autoencoder.training import callbacks

X = np.random.default_rng(0).integers(0, 256, (60, 8, 8), "uint8")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder of its own. The working directory is another folder, which stays empty."""
    folder, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(elsewhere)
    yield folder
    assert list(elsewhere.iterdir()) == []


def test_the_settings_that_can_be_paths_are_marked():
    """A setting whose help names a file or a folder to read or write is a path."""
    fields = dataclasses.fields(Command) + dataclasses.fields(Config)
    paths = {field.name for field in fields if field.metadata["is_path"]}
    assert paths == {
        *("dataset", "test_dataset", "columns", "data_dir", "prior"),
        *("results_dir", "output_dir", "input", "output", "run"),
    }
    for field in fields:
        if any(word in field.metadata["help"] for word in ("folder", ".npz", ".npy")):
            assert field.name in paths, field.name


@pytest.mark.parametrize("name", ["dataset", "data_dir", "prior"])
def test_a_setting_of_a_training_is_expanded(home, name):
    value = f"~/{name}.npy"
    for config in (Config(**{name: value}), Config.of(**{name: value})):
        assert getattr(config, name) == str(home / f"{name}.npy")
    assert getattr(dataclasses.replace(Config(), **{name: value}), name) == str(home / value[2:])


@pytest.mark.parametrize("name", ["results_dir", "output_dir", "input", "output", "run"])
def test_a_setting_of_the_command_is_expanded(home, name):
    assert getattr(Command(**{name: "~/a"}), name) == str(home / "a")
    assert getattr(Command(**{name: "a/~/b"}), name) == "a/~/b"


@pytest.mark.parametrize("value", ["~no_such_user/a", "~a\0b"])
def test_the_home_of_nobody_is_refused(home, value):
    with pytest.raises(InputError, match="data_dir must start with the home folder of a user"):
        Config(data_dir=value)
    with pytest.raises(InputError, match="results_dir must start"):
        runs.create(value, "a")
    assert "dataset must start" in data_refused(value)


@pytest.mark.usefixtures("eager")
def test_a_training_finds_its_data_prior_and_run_at_home(home, command_line):
    np.savez(home / "images.npz", x_train=X)
    np.save(home / "prior.npy", np.random.default_rng(0).normal(size=(100, 2)))
    flags = [*QUICK, "--dataset=~/images.npz", "--prior=~/prior.npy", "--run_name=a"]
    command_line(*flags, results="~/results")
    run = home / "results" / "a"
    config = json.loads((run / "config.json").read_text())["config"]
    assert config["dataset"] == str(home / "images.npz")
    assert config["prior"] == str(home / "prior.npy")
    # The flags are compared with the settings of the run.
    command_line(*flags, "--epochs=2", results="~/results")
    assert len(runs.Run(run).read_history()) == 2
    command_line("--mode=reconstruct", "--run=~/results/a", results="~/elsewhere")
    assert (run / "figures" / "reconstruct.png").exists()
    command_line("--mode=compare", "--runs=~/results/a,a", results="~/results")
    assert (home / "results" / "comparison.png").exists()


def test_the_library_reads_and_writes_at_home(home):
    np.savez(home / "images.npz", x_train=X)
    assert data.load("~/images.npz").checksum == data.load(home / "images.npz").checksum
    source = data.open_input(pathlib.Path("~/images.npz"), shape=(8, 8, 1))
    assert [len(x) for _, x in source] == [60]
    run = runs.create("~/results", "a")
    assert run.path == home / "results" / "a"
    (run.path / "config.json").touch()
    assert runs.list_runs("~/results") == [run]
    assert runs.find("~/results", "a") == runs.find("~/elsewhere", "~/results/a") == run


def test_a_model_is_saved_loaded_exported_and_logged_at_home(home, make_model):
    model = make_model()
    model.save("~/model.keras")
    assert load_model("~/model.keras").z_dim == 2
    model.export("~/exported", verbose=False)
    assert (home / "exported" / "saved_model.pb").exists()
    assert callbacks.TensorBoard("~/logs", None).log_dir == home / "logs"


def test_prepared_data_is_written_and_read_at_home(home):
    from PIL import Image

    (home / "images").mkdir()
    for i, x in enumerate(X[:9]):
        Image.fromarray(x).save(home / "images" / f"{i}.png")
    data.prepare("~/images", "~/prepared")
    assert len(data.load("~/prepared").x_test) == 1


def test_the_folder_of_known_data_can_be_at_home(home, monkeypatch):
    np.savez(home / "mnist.npz", x_train=X)
    for variable, data_dir in (("~/none", "~"), ("~", None)):
        monkeypatch.setenv("AAE_DATA_DIR", variable)
        assert f"x_train in {home}/mnist.npz" in data_refused("mnist", data_dir)


def test_the_name_of_a_run_does_not_start_with_a_tilde(home):
    """It could not be given to --run."""
    with pytest.raises(InputError, match="no . - or ~ at the start"):
        runs.check_name("~a")
    runs.check_name("a~")


def test_a_name_with_a_tilde_can_be_given_with_its_folder(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "~images.npz", x_train=X)
    assert data.load("./~images.npz").name == "~images"
    shutil.move(tmp_path / "~images.npz", tmp_path / "images~.npz")
    assert data.load("images~.npz").name == "images~"
    monkeypatch.chdir(tmp_path / "elsewhere")
