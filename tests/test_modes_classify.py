"""A semi-supervised run: its labels, its error, and the classes of the user's images."""

import csv

import keras
import numpy as np
import pytest
from helpers import read_history
from PIL import Image

from adversarial_autoencoder import modes
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.command import Command


@pytest.fixture(scope="module")
def model(few):
    return keras.saving.load_model(few / "few" / "model.keras")


def test_the_labelled_images_are_written_down_and_balanced(few, dataset):
    with (few / "few" / "labelled_images.csv").open() as file:
        rows = list(csv.DictReader(file))
    indices = [int(row["training_image"]) for row in rows]
    labels = np.array([int(row["label"]) for row in rows])
    assert np.bincount(labels).tolist() == [21, 21, *[20] * 8]
    assert len(set(indices)) == 202
    assert np.array_equal(labels, dataset.y_train[indices])


def test_a_training_with_labels_ends_with_its_error(few):
    lines = (few / "output.txt").read_text().splitlines()
    rows = read_history(few / "few")
    error = 1 - float(rows[-1]["val_classification_accuracy"])
    assert f"classification error {error:.2%}" in lines[-2]
    assert "--mode style_grid" in lines[-1]
    assert error < 0.4
    assert float(rows[-1]["classification_loss"]) < float(rows[0]["classification_loss"])


def test_classify_measures_the_test_error(few, model, dataset, command_line):
    out, err = command_line("--mode=classify", results=few)
    wrong = (model.classify(dataset.x_test).argmax(axis=1) != dataset.y_test).sum()
    n = len(dataset.y_test)
    assert wrong < 0.5 * n
    first, second = out.splitlines()
    assert first == f"Test error: {wrong / n:.2%} ({wrong} of {n} images)"
    path = few / "few" / "figures" / "confusion.png"
    assert second == f"Wrote {path}"
    assert err == ""
    with Image.open(path) as image:
        assert min(image.size) > 200


def test_classify_writes_the_classes_of_the_users_images(
    few, model, dataset, command_line, tmp_path
):
    x = dataset.x_test[:12]
    (tmp_path / "images").mkdir()
    names = [f"image, {i}.png" for i in range(12)]
    for name, image in zip(names, x, strict=True):
        Image.fromarray(image[..., 0]).save(tmp_path / "images" / name)
    np.savez(tmp_path / "images.npz", x_train=x)
    probabilities = model.classify(x)
    order = np.argsort(names)
    path = few / "few" / "predictions.csv"

    def check(images, expected_names, key):
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row[key] for row in rows] == list(expected_names)
        expected = probabilities[images]
        assert [int(row["class"]) for row in rows] == expected.argmax(axis=1).tolist()
        shown = [float(row["probability"]) for row in rows]
        assert shown == pytest.approx(expected.max(axis=1), abs=1e-3)

    out, err = command_line("--mode=classify", f"--input={tmp_path / 'images'}", results=few)
    assert (out, err) == (f"Wrote {path}\n", "")
    check(order, np.array(names)[order], "file")
    images = str(tmp_path / "images.npz")
    modes.classify(Command(mode="classify", results_dir=str(few), input=images), {})
    check(np.arange(12), np.arange(12).astype(str), "index")


def test_images_of_another_size_are_not_classified(few, tmp_path):
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((8, 9), "uint8")).save(tmp_path / "images" / "a.png")
    before = sorted((few / "few").iterdir())
    command = Command(mode="classify", results_dir=str(few), input=str(tmp_path / "images"))
    with pytest.raises(InputError) as error:
        modes.classify(command, {})
    assert str(error.value) == (
        "input must have images of the shape (8, 8, 1) (height, width, channels). "
        "Received: (8, 9, 1)"
    )
    assert sorted((few / "few").iterdir()) == before
