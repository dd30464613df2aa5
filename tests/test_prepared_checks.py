"""Prepared data that was edited, damaged or half written is refused, and never streamed."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from adversarial_autoencoder import data
from adversarial_autoencoder.data import shards
from adversarial_autoencoder.errors import InputError


def edit_description(change):
    def edit(folder):
        path = folder / shards.DESCRIPTION
        document = json.loads(path.read_text())
        change(document)
        document.pop("seal", None)
        path.write_text(json.dumps(document | {"seal": shards.seal(document)}))

    return edit


def empty_shard(folder):
    (folder / "train-00000.tfrecord").write_bytes(b"")
    edit_description(rehash(folder))(folder)


def rehash(folder):
    def change(document):
        document["files"] = {
            name: shards.file_checksum(folder / name) for name in document["files"]
        }

    return change


def other_labels(folder):
    with np.load(folder / "arrays.npz") as file:
        arrays = dict(file)
    np.savez(folder / "arrays.npz", **arrays | {"y_train": arrays["y_train"] - 7})
    edit_description(rehash(folder))(folder)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "prepared"
    images = np.random.default_rng(0).integers(0, 255, (40, 4, 4, 1)).astype("uint8")
    labels = np.arange(40) % 3
    shards.write(folder, "grey", lambda i: iter(images[i]), images.shape, labels, ["a", "b", "c"])
    return folder


@pytest.mark.parametrize(
    "edit",
    [
        *(
            edit_description(lambda document, n=n: document.update(training_images=n))
            for n in (-5, 2.5, 10**6, 0, "9", None, True)
        ),
        edit_description(lambda document: document.update(image_shape=[4, 4])),
        edit_description(lambda document: document.update(image_shape=[8, 2, 1])),
        edit_description(lambda document: document.update(image_shape=[4, 4, 2])),
        edit_description(lambda document: document.update(class_names=["a"])),
        edit_description(lambda document: document.update(class_names=[])),
        edit_description(lambda document: document.update(class_names="abc")),
        edit_description(lambda document: document["files"].update({"../x": "sha256:0"})),
        edit_description(lambda document: document.pop("checksum")),
        lambda folder: (folder / "dataset.json").write_text('{"a": ' * 900 + "0" + "}" * 900),
        lambda folder: (folder / "dataset.json").write_text(""),
        lambda folder: (folder / "arrays.npz").unlink(),
        lambda folder: (folder / "train-00000.tfrecord").rename(folder / "other"),
        empty_shard,
        other_labels,
    ],
)
def test_prepared_data_that_was_edited_is_refused(refused, prepared, tmp_path, edit):
    """An empty shard would be read again and again, without an end."""
    shutil.copytree(prepared, tmp_path / "copy")
    assert data.load(str(tmp_path / "copy")).x_train.shape == (29, 4, 4, 1)
    edit(tmp_path / "copy")
    assert "prepare" in refused("--dataset=TMP/copy", "--epochs=1", "--batch_size=10")


def test_a_changed_pixel_of_prepared_data_is_noticed(prepared, tmp_path):
    shutil.copytree(prepared, tmp_path / "copy")
    for name in ("train-00000.tfrecord", "arrays.npz"):
        path = tmp_path / "copy" / name
        content = path.read_bytes()
        path.write_bytes(content[:-200] + bytes([content[-200] ^ 1]) + content[-199:])
        with pytest.raises(InputError, match=f"another {name}"):
            data.load(str(tmp_path / "copy"))
        path.write_bytes(content)
    data.load(str(tmp_path / "copy"))


def test_a_stopped_prepare_continues(command_line, tmp_path, monkeypatch):
    folder, output = tmp_path / "images", tmp_path / "prepared"
    folder.mkdir()
    for i in range(9):
        Image.fromarray(np.full((4, 4), i, "uint8")).save(folder / f"{i}.png")
    flags = ["--mode=prepare", f"--dataset={folder}", f"--output_dir={output}"]

    def stopped(path, **arrays):
        pathlib.Path(path).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", stopped)
        command_line(*flags, results=tmp_path, status=130)
    assert {path.name for path in output.iterdir()} == {"arrays.npz", "train-00000.tfrecord"}
    command_line(*flags, results=tmp_path)
    assert len(data.load(str(output)).x_train) == 7
    command_line(*flags, results=tmp_path, status=2)
