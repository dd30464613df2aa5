"""Real files of a run and of prepared data, damaged in more than 2,000 ways.

Each is read, or refused in one line; nothing is written, and no memory is filled.
"""

import json
import pathlib
import random
import resource
import shutil
import sys
import zipfile

import numpy as np
import pytest
from helpers import tree

from adversarial_autoencoder import runs
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data import shards
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.model import archive
from adversarial_autoencoder.runs.status import status_of
from adversarial_autoencoder.training.load import reading_model

pytestmark = pytest.mark.slow

CASES = 300
OTHERS = [None, True, -1, 2.5, 10**6, 10**400, "", "x" * 1000, "\x1b[31m\n", [], {}, [[]], -7]


def flip(content, rng):
    """Changes some bytes."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(content, rng):
    """Removes the end or a part."""
    start = rng.randrange(len(content))
    return content[:start] + rng.choice([b"", content[start + rng.randint(1, 50) :]])


def repeat(content, rng):
    """Repeats a part once or often."""
    start = rng.randrange(len(content))
    part = content[start : start + rng.randint(1, 200)]
    return content[:start] + part * rng.choice([2, 3, 1000]) + content[start:]


def other_value(content, rng):
    """Replaces, removes or nests a value of a JSON document."""
    document = json.loads(content)
    part, key = {"": document}, ""
    while isinstance(part[key], (dict, list)) and part[key] and rng.random() < 0.8:
        part = part[key]
        key = rng.choice(list(part) if isinstance(part, dict) else range(len(part)))
        if rng.random() < 0.2:
            break
    kind = rng.randrange(3)
    if kind == 0 and key != "":
        del part[key]
    elif kind == 1:
        part[key] = rng.choice(OTHERS)
    else:
        for _ in range(rng.choice([1, 20, 500])):
            part[key] = [part[key]] if rng.random() < 0.5 else {"a": part[key]}
    if part is not document and key == "":
        document = part[""]
    return json.dumps(document).encode()


def seal(content, rng):
    """Changes a value of dataset.json, and computes its checksum again."""
    document = json.loads(other_value(content, rng))
    if not isinstance(document, dict):
        return json.dumps(document).encode()
    document.pop("seal", None)
    return json.dumps(document | {"seal": shards.seal(document)}).encode()


BINARY, TEXT = (flip, cut, repeat), (flip, cut, repeat, other_value, other_value)


@pytest.fixture(scope="module")
def originals(dataset, tmp_path_factory):
    """A run whose model.keras holds a history, and prepared data."""
    folder = tmp_path_factory.mktemp("originals")
    config = Config.of(dataset="digits", model="wae_mmd", hidden_units=4, epochs=2, batch_size=100)
    run = runs.create(folder, "run")
    run.write_config(config, dataset)
    rows = [{"epoch": i, "val_reconstruction_loss": 0.5 / i} for i in (1, 2)]
    run.write_checkpoint(save, rows)
    run.write_metrics({"epochs": 2, "mse": 0.25, "fid": 12.5})
    images = np.random.default_rng(0).integers(0, 255, (40, 4, 4, 1)).astype("uint8")
    labels = np.arange(40) % 3
    prepared = folder / "prepared"
    shards.write(prepared, "grey", lambda i: iter(images[i]), images.shape, labels, ["a", "b", "c"])
    return folder


def save(path):
    """Saves a small model with layers of the kinds that the systems have."""
    import keras

    inputs = keras.Input((8, 8, 1))
    hidden = keras.layers.Dense(4, activation="relu")(keras.layers.Flatten()(inputs))
    keras.Model(inputs, keras.layers.Dense(2)(hidden)).save(path)


def list_run(folder, command_line):
    """The mode list names whatever it cannot read, and succeeds."""
    out, err = command_line("--mode=list", results=folder)
    assert err == ""
    assert len(out.splitlines()) == 2
    assert out.isprintable() or set(out) <= {c for c in out if c.isprintable()} | {"\n"}


def read_run(folder, command_line):
    run = runs.Run(folder / "run")
    run.read_config()
    status_of(run, 2)


def read_metrics(folder, command_line):
    runs.Run(folder / "run").read_metrics()


def read_history(folder, command_line):
    run = runs.Run(folder / "run")
    rows = run.read_history()
    assert run.read_last() == rows[-1]


def read_model(folder, command_line):
    run = runs.Run(folder / "run")
    with reading_model(run):
        archive.check_weights(run.model_path)


def build_model(folder, command_line):
    run = runs.Run(folder / "run")
    with reading_model(run):
        archive.check(run.model_path)


def read_prepared(folder, command_line):
    shards.read(folder / "prepared")


def edited_member(name, change):
    """Changes a member of model.keras."""

    def edit(content, rng):
        import io

        file = io.BytesIO(content)
        with zipfile.ZipFile(file) as old:
            members = {member: old.read(member) for member in old.namelist()}
        members[name] = change(members[name], rng)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", rng.choice([zipfile.ZIP_STORED] * 9 + [8])) as new:
            for member, value in members.items():
                new.writestr(member, value)
        return file.getvalue()

    return edit


HISTORY = [edited_member("history.csv", change) for change in BINARY]
MODEL = [edited_member("config.json", change) for change in TEXT]
WEIGHTS = [edited_member("model.weights.h5", change) for change in BINARY]
READERS = {
    "config": ("run/config.json", TEXT, read_run, CASES),
    "list": ("run/config.json", TEXT, list_run, CASES),
    "metrics": ("run/metrics.json", TEXT, read_metrics, CASES),
    "history": ("run/model.keras", HISTORY, read_history, CASES),
    "archive": ("run/model.keras", BINARY, read_model, CASES),
    "weights": ("run/model.keras", WEIGHTS, read_model, CASES // 2),
    "model": ("run/model.keras", MODEL, build_model, CASES // 2),
    "description": ("prepared/dataset.json", TEXT, read_prepared, CASES // 2),
    "sealed description": ("prepared/dataset.json", (seal,), read_prepared, CASES),
    "shard": ("prepared/train-00000.tfrecord", BINARY, read_prepared, CASES // 2),
    "arrays": ("prepared/arrays.npz", BINARY, read_prepared, CASES // 2),
}


def test_there_are_2000_cases():
    assert sum(cases for *_, cases in READERS.values()) >= 2000


@pytest.mark.parametrize("kind", READERS)
def test_a_damaged_file_is_read_or_refused_in_one_line(command_line, originals, tmp_path, kind):
    name, changes, read, cases = READERS[kind]
    folder = tmp_path / "copy"
    shutil.copytree(originals, folder)
    path = folder / pathlib.Path(name)
    original, rng = path.read_bytes(), random.Random(0)
    refused = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case in range(cases):
        path.write_bytes(rng.choice(changes)(original, rng))
        files = tree(folder)
        try:
            read(folder, command_line)
        except InputError as error:
            refused += 1
            text = str(error)
            assert text.isprintable() or not set(text) & set("\n\r\x1b"), (case, text)
            assert "Received: " in text, (case, text)
        assert tree(folder) == files, case
    unit = 1024 if sys.platform == "linux" else 1
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 2**30
    assert kind == "list" or refused > cases // 10
    # benchmarks/reliability.py reads these numbers.
    print(f"\n{cases} damaged files of the kind {kind}, {refused} refused")
