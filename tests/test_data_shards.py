"""Prepared data sets: what is written is what is read, and a training streams it."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits

from adversarial_autoencoder import data, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data import pipeline, shards
from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.runs import create


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """600 digits as PNG files, with one folder for each class."""
    folder = tmp_path_factory.mktemp("digits")
    digits = load_digits()
    for i, (image, label) in enumerate(zip(digits.images[:600], digits.target, strict=False)):
        (folder / str(label)).mkdir(exist_ok=True)
        pixels = (image * 255 / 16).astype("uint8")
        Image.fromarray(pixels).save(folder / str(label) / f"{i:04d}.png")
    return folder


@pytest.fixture(scope="module")
def prepared(folder, tmp_path_factory):
    """The same images, prepared in several files."""
    output = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_BYTES", 10_000)
        return data.prepare(folder, output), output


def rows(x):
    return sorted(map(bytes, np.asarray(x).reshape(len(x), -1)))


def test_prepared_data_has_the_images_of_the_folder_in_the_same_parts(folder, prepared):
    dataset, output = prepared
    whole = data.load(str(folder))
    assert len(dataset.x_train.paths) == 3
    assert data.load(str(output)).checksum == dataset.checksum
    assert dataset.image_shape == whole.image_shape
    assert dataset.class_names == whole.class_names
    for part in ("x_validation", "y_validation", "x_test", "y_test", "y_train"):
        np.testing.assert_array_equal(getattr(dataset, part), getattr(whole, part))
    everything = dataset.x_train.take(np.arange(len(dataset.x_train)))
    np.testing.assert_array_equal(everything, whole.x_train)
    np.testing.assert_array_equal(dataset.x_train.take([7, 3]), whole.x_train[[7, 3]])
    np.testing.assert_array_equal(dataset.x_train[-5:], whole.x_train[-5:])
    np.testing.assert_array_equal(dataset.x_train[3], whole.x_train[3])


def test_the_number_of_files_is_limited(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "SHARD_BYTES", 1000)
    monkeypatch.setattr(shards, "MAX_SHARDS", 2)
    assert len(data.prepare(folder, tmp_path / "few").x_train.paths) == 2


def test_each_epoch_has_all_images_with_their_labels_in_a_new_order(prepared):
    x, y = prepared[0].x_train, prepared[0].y_train.astype("int32")
    images = x.take(np.arange(len(x)))
    steps = len(x) // 50
    batches = [*training_batches(x, 50, 0, labels=y).take(2 * steps).as_numpy_iterator()]
    epochs = [np.concatenate([b["x"] for b in part]) for part in (batches[:steps], batches[steps:])]
    used = min(len(e) for e in epochs)
    assert used == steps * 50
    known = {bytes(image): label for image, label in zip(images, y, strict=True)}
    for batch in batches:
        assert [known[bytes(image)] for image in batch["x"]] == [*batch["y"]]
    counts = [len(set(rows(e)) & set(rows(images))) for e in epochs]
    assert min(counts) > 0.99 * len(set(rows(images))) * used / len(images) - 1
    assert not np.array_equal(*epochs)


def test_an_epoch_does_not_depend_on_earlier_epochs(prepared):
    x = prepared[0].x_train
    steps = len(x) // 50
    (first,) = training_batches(x, 50, 0).skip(steps).take(1).as_numpy_iterator()
    (resumed,) = training_batches(x, 50, 0, initial_epoch=1).take(1).as_numpy_iterator()
    np.testing.assert_array_equal(first, resumed)


def test_minibatches_mix_all_classes_with_a_small_shuffle_buffer(prepared, monkeypatch):
    """The folder is sorted by class; the files must not be."""
    monkeypatch.setattr(pipeline, "SHUFFLE_BYTES", 50 * 64)
    x, y = prepared[0].x_train, prepared[0].y_train.astype("int32")
    batches = [*training_batches(x, 50, 0, labels=y).take(8).as_numpy_iterator()]
    assert min(len(set(batch["y"])) for batch in batches) >= 8


def test_a_labelled_stream_continues_on_several_replicas(prepared):
    x = prepared[0].x_train
    labels = data.known_labels(prepared[0].y_train, 20, 10, seed=0)
    worker = tf.distribute.InputContext(1, 0, 2)
    steps = len(x) // 50

    def stream(epoch):
        return training_batches(x, 50, 0, epoch, labels, labelled_stream=True, worker=worker)

    (uninterrupted,) = stream(0).skip(2 * steps).take(1).as_numpy_iterator()
    (resumed,) = stream(1).take(1).as_numpy_iterator()
    for name in resumed:
        np.testing.assert_array_equal(resumed[name], uninterrupted[name])


def test_labelled_images_come_with_every_minibatch(prepared):
    x = prepared[0].x_train
    labels = data.known_labels(prepared[0].y_train, 20, 10, seed=0)
    stream = training_batches(x, 50, 0, labels=labels, labelled_stream=True)
    (batch,) = stream.take(1).as_numpy_iterator()
    assert batch["x_labelled"].shape == (20, 8, 8, 1)
    assert sorted(batch["y_labelled"]) == sorted(labels[labels >= 0])
    images = x.take(np.flatnonzero(labels >= 0))
    assert rows(batch["x_labelled"]) == rows(images)


@pytest.mark.parametrize("model", ["aae", "semi_supervised_aae", "supervised_aae"])
def test_a_system_trains_on_prepared_data(prepared, tmp_path, model):
    labels = {} if model == "aae" else {"num_labels": 100}
    config = Config.of(model=model, hidden_units=16, epochs=1, batch_size=50, **labels)
    run = create(tmp_path, "streamed")
    training.train(config, prepared[0], run)
    assert run.is_trained


def test_a_truncated_file_is_refused(prepared, tmp_path):
    for path in prepared[1].iterdir():
        content = path.read_bytes()
        (tmp_path / path.name).write_bytes(content)
    cut = next(tmp_path.glob("*.tfrecord"))
    cut.write_bytes(cut.read_bytes()[:-100])
    with pytest.raises(InputError, match="must be unchanged since.*another"):
        data.load(str(tmp_path))


def test_prepare_does_not_overwrite_files(folder, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="new or an empty folder"):
        data.prepare(folder, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
