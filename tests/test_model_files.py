"""A model file that was made to fill the memory is refused before Keras allocates anything."""

import io
import json
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest

from adversarial_autoencoder import runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.model import archive


@pytest.fixture(scope="module")
def trained(dataset, tmp_path_factory):
    """A run with a checkpoint, not trained."""
    config = Config.of(dataset="digits", model="supervised_aae", hidden_units=4, batch_size=100)
    config = config.for_data(len(dataset.x_train))
    run = runs.create(tmp_path_factory.mktemp("trained"), "a")
    run.write_config(config, dataset)
    model = training.build(config, dataset.image_shape, [0.1] * 10)
    run.write_checkpoint(model.save, [{"epoch": 3, "val_reconstruction_loss": 0.5}])
    return run


@pytest.fixture
def run(trained, tmp_path):
    shutil.copytree(trained.path, tmp_path / "results" / "a")
    return runs.Run(tmp_path / "results" / "a")


def rewrite(path, change, compression=zipfile.ZIP_STORED):
    """Rewrites the members of a model file."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", compression) as new:
        for name, value in members.items():
            new.writestr(name, value)


def in_config(change):
    """Changes the dicts of the configuration of Keras."""

    def walk(part):
        if isinstance(part, dict):
            change(part)
        for child in part.values() if isinstance(part, dict) else part:
            if isinstance(child, (dict, list)):
                walk(child)

    def edit(path):
        def members(members):
            document = json.loads(members["config.json"])
            walk(document)
            members["config.json"] = json.dumps(document).encode()

        rewrite(path, members)

    return edit


def first_array(weights):
    """The name of the first array in an HDF5 file."""
    return weights.visititems(lambda name, item: name if isinstance(item, h5py.Dataset) else None)


def in_weights(change):
    def edit(path):
        def members(members):
            file = io.BytesIO(members["model.weights.h5"])
            with h5py.File(file, "r+") as weights:
                names = []
                weights.visititems(
                    lambda name, item: (
                        names.append(name) if isinstance(item, h5py.Dataset) else None
                    )
                )
                change(weights, names[0])
            members["model.weights.h5"] = file.getvalue()

        rewrite(path, members)

    return edit


def unwritten(weights, name):
    del weights[name]
    weights.create_dataset(name, (2**29, 1), "float32")


def packed(weights, name):
    del weights[name]
    weights.create_dataset(name, (2**24, 1), "float32", compression="gzip", fillvalue=1.0)
    weights[name][:10] = 1


def elsewhere(weights, name):
    del weights[name]
    weights[name] = h5py.ExternalLink("other.h5", "/data")


def set_units(part):
    if part.get("units") == 4:
        part["units"] = 10**9


def remove_a_layer(part):
    if isinstance(part.get("layers"), list):
        part["layers"] = part["layers"][:-2]


def phase_as_a_string(part):
    if "phases" in part:
        part["phases"] = ["reconstruction"]


def deep(part):
    if "phases" in part:
        value = []
        for _ in range(200):
            value = [value]
        part["phases"] = value


@pytest.mark.parametrize(
    "edit",
    [
        in_weights(unwritten),
        in_weights(packed),
        in_weights(elsewhere),
        in_config(set_units),
        in_config(remove_a_layer),
        in_config(phase_as_a_string),
        in_config(deep),
        lambda path: rewrite(path, lambda members: None, zipfile.ZIP_DEFLATED),
        lambda path: rewrite(path, lambda members: members.update({"config.json": b"[" * 10**5})),
        lambda path: rewrite(path, lambda members: members.pop("model.weights.h5")),
    ],
    ids=[
        "unwritten",
        "packed",
        "elsewhere",
        "units",
        "layer",
        "phase",
        "deep",
        "zip",
        "json",
        "none",
    ],
)
def test_a_bomb_or_another_structure_is_refused(refused, run, edit):
    edit(run.model_path)
    assert "readable model.keras" in refused("--mode=sample", "--run=a")
    # Keras does not allocate it with the next model either.
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2), keras.layers.Dense(1)])


def test_an_intact_model_passes_and_is_the_one_of_its_epoch(run):
    archive.check(run.model_path)
    model, epochs = training.load_with_epochs(run)
    assert (model.z_dim, epochs) == (run.read_config()[0].z_dim, 3)


def test_names_of_classes_that_do_not_fit_the_model_are_refused(refused, dataset, tmp_path):
    config = Config.of(dataset="digits", model="semi_supervised_aae", hidden_units=4, num_labels=50)
    run = runs.create(tmp_path / "results", "few")
    run.write_config(config.for_data(len(dataset.x_train)), dataset)
    model = training.build(config, dataset.image_shape, [0.1] * 10)
    run.write_checkpoint(model.save, [{"epoch": 1, "val_reconstruction_loss": 0.5}])
    np.savez(tmp_path / "images.npz", x_train=dataset.x_test[:3])
    path = run.path / "config.json"
    document = json.loads(path.read_text())
    for names in ([], ["a"] * 9):
        document["data"]["class_names"] = names
        path.write_text(json.dumps(document))
        assert "10 classes" in refused("--mode=classify", "--input=TMP/images.npz", "--run=few")


def test_loading_while_the_checkpoint_is_replaced_gives_one_epoch(run, monkeypatch):
    """A training continues between the reads of history and model."""
    original = archive.check

    def replaced(path):
        rows = [{"epoch": i, "val_reconstruction_loss": 0.5} for i in (1, 2, 3, 4)]

        def save(path):
            shutil.copy(run.model_path, path)
            rewrite(path, lambda members: members.pop("history.csv"))

        run.write_checkpoint(save, rows)
        return original(path)

    monkeypatch.setattr(archive, "check", replaced)
    _, epochs = training.load_with_epochs(run)
    assert epochs == 3
    assert run.completed_epochs() == 4


def test_a_broken_history_of_a_model_is_an_input_error(run):
    rewrite(run.model_path, lambda members: members.update({"history.csv": b"epoch\r\n"}))
    with pytest.raises(InputError, match="readable model.keras"):
        training.load_with_epochs(run)
