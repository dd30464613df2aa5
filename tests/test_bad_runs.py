"""Run folders that were damaged or manipulated: one line on stderr, nothing is executed."""

import json
import pathlib
import shutil
import zipfile

import keras
import numpy as np
import pytest

from adversarial_autoencoder import runs, training
from adversarial_autoencoder.config import Config


@pytest.fixture(scope="module")
def trained(dataset, tmp_path_factory):
    """A run that was trained for one epoch."""
    config = Config.of(dataset="digits", model="wae_mmd", hidden_units=4, epochs=1)
    config = config.for_data(len(dataset.x_train))
    run = runs.create(tmp_path_factory.mktemp("trained"), "a")
    run.write_config(config, dataset)
    training.train(config, dataset, run)
    return run


@pytest.fixture
def run(trained, tmp_path):
    """A copy of it, which a test can damage."""
    shutil.copytree(trained.path, tmp_path / "results" / "a")
    return runs.Run(tmp_path / "results" / "a")


def edited(section, **values):
    def edit(path):
        document = json.loads(path.read_text())
        document[section] |= values
        path.write_text(json.dumps(document))

    return edit


def without(*keys):
    def edit(path):
        document = json.loads(path.read_text())
        part = document
        for key in keys[:-1]:
            part = part[key]
        del part[keys[-1]]
        path.write_text(json.dumps(document))

    return edit


def content(value):
    return lambda path: path.write_bytes(value)


@pytest.mark.parametrize(
    "edit",
    [
        pathlib.Path.unlink,
        content(b""),
        content(b"{"),
        content(b"[]"),
        content(b"null"),
        content(b'"config"'),
        content(b"\xff\xfe"),
        content(b"[" * 200_000),
        content(b'{"config": [], "data": []}'),
        content(b'{"config": {}, "data": {}}'),
        content(b'{"config": 1e999, "data": NaN}'),
        without("config"),
        without("data"),
        without("data", "checksum"),
        edited("config", field_of_a_newer_version=1),
        edited("config", z_dim=0),
        edited("config", z_dim="2"),
        edited("config", z_dim=2.5),
        edited("config", z_dim=True),
        edited("config", z_dim=None),
        edited("config", z_dim=10**40),
        edited("config", model="no_such_model"),
        edited("config", model=["aae"]),
        edited("config", prior_std=float("nan")),
        edited("config", prior={"a": 1}),
        edited("config", prior="swiss_roll", z_dim=3),
        edited("config", dataset=7),
        edited("data", checksum="sha256:0"),
        edited("data", name=None),
        edited("data", name=["a"]),
    ],
    ids=lambda edit: getattr(edit, "__name__", ""),
)
def test_an_edited_config_is_refused(refused, run, edit):
    edit(run.path / "config.json")
    refused("--mode=reconstruct", "--run=a")
    refused("--resume", "--run=a", "--epochs=2")


def test_a_config_that_does_not_fit_the_model_is_refused(refused, run):
    edited("config", z_dim=3)(run.path / "config.json")
    assert "with z_dim 3" in refused("--mode=sample", "--run=a")


def model_of(make):
    def write(path):
        make(path.with_name("canary")).save(path)

    return write


def another_model(canary):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])


def lambda_layer(canary):
    code = f"__import__('pathlib').Path({str(canary)!r}).touch()"
    layer = keras.layers.Lambda(eval(f"lambda x: (x, {code})[0]"))
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layer(inputs))
    canary.unlink(missing_ok=True)  # Building the model has created it.
    return model


def with_config(change):
    """A model.keras whose config.json has been rewritten."""

    def write(path):
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members["config.json"])
        config = change(config, path.with_name("canary")) or config
        members["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, value in members.items():
                archive.writestr(name, value)

    write.__name__ = change.__name__
    return write


def function_of_the_system(config, canary):
    command = {"class_name": "function", "module": "os", "config": "system"}
    config["config"]["prior"] = command | {"registered_name": "system"}


def class_of_the_system(config, canary):
    arguments = {"args": ["touch", str(canary)]}
    popen = {"module": "subprocess", "class_name": "Popen", "config": arguments}
    config["config"]["prior"] = popen | {"registered_name": None}


def model_is_a_class_of_the_system(config, canary):
    arguments = {"args": ["touch", str(canary)]}
    return {"module": "subprocess", "class_name": "Popen", "config": arguments}


def no_config(config, canary):
    return {"class_name": None}


def a_list(config, canary):
    return [1, 2]


def empty_archive(path):
    zipfile.ZipFile(path, "w").close()


def arrays(path):
    np.savez(path.open("wb"), x=np.zeros(3))


def loop(path):
    path.unlink()
    path.symlink_to(path)


def cut(share):
    def write(path):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    return write


@pytest.mark.parametrize(
    "edit",
    [
        content(b""),
        content(b"no archive"),
        cut(0.3),
        cut(0.9),
        empty_archive,
        arrays,
        model_of(another_model),
        model_of(lambda_layer),
        with_config(function_of_the_system),
        with_config(class_of_the_system),
        with_config(model_is_a_class_of_the_system),
        with_config(no_config),
        with_config(a_list),
        loop,
    ],
    ids=lambda edit: getattr(edit, "__name__", ""),
)
def test_another_model_is_refused_and_executes_nothing(refused, run, edit):
    edit(run.model_path)
    refused("--mode=sample", "--run=a")
    assert not (run.path / "canary").exists()


@pytest.mark.parametrize(
    "edit",
    [content(b"epoch,loss\n1,half\n"), content(b"\xff"), content(b'epoch\n"' + b"x" * 10**6)],
)
def test_the_history_is_that_of_the_model_file(run, edit):
    """history.csv is only a copy of the history in model.keras."""
    before = run.read_history()
    edit(run.path / "history.csv")
    assert run.read_history() == before
    with zipfile.ZipFile(run.model_path, "a") as archive, pytest.warns(UserWarning):
        archive.writestr("history.csv", (run.path / "history.csv").read_bytes())
    with pytest.raises(ValueError, match="readable model.keras"):
        run.read_history()


@pytest.mark.parametrize("more", [(), ("--epochs=2",)])
def test_a_history_without_the_measures_of_a_training_is_not_continued(refused, run, more):
    with zipfile.ZipFile(run.model_path) as archive:
        members = {item.filename: archive.read(item) for item in archive.infolist()}
    members["history.csv"] = b"epoch,loss\r\n1,0.5\r\n"
    (run.path / "history.csv").write_bytes(members["history.csv"])
    with zipfile.ZipFile(run.model_path, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    err = refused("--mode=train", "--resume", "--run_name=a", *more)
    assert "no column val_reconstruction_loss" in err
