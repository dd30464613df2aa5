"""Folders of images that are already split, and files that are left out."""

import numpy as np
import pytest
from helpers import data_refused as refused
from PIL import Image

from adversarial_autoencoder import data
from adversarial_autoencoder.config.image_form import UNCHANGED


def save(folder, *names, first=0):
    """Saves images whose pixels are all `first`, `first` + 10 and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        Image.new("L", (4, 4), first + 10 * i).save(folder / name)


def greys(x):
    return sorted(x[:, 0, 0, 0].tolist())


@pytest.fixture
def warnings():
    """A list that collects warnings: `data.load(path, warn=warnings.append)`."""
    return []


@pytest.mark.parametrize("names", [("train", "test"), ("training", "testing"), ("Train", "TEST")])
def test_a_flat_split_has_no_classes(tmp_path, names):
    save(tmp_path / names[0], *(f"{i}.png" for i in range(12)))
    save(tmp_path / names[1], "a.png", "b.png", first=200)
    dataset = data.load(tmp_path)
    assert dataset.num_classes == 0
    assert dataset.y_train is None
    assert greys(dataset.x_test) == [200, 210]
    assert greys(np.concatenate([dataset.x_train, dataset.x_validation])) == [*range(0, 120, 10)]
    assert len(dataset.x_validation) == 2


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_given_validation_images_stay_the_validation_set(tmp_path, name):
    save(tmp_path / "train", *(f"{i}.png" for i in range(12)))
    save(tmp_path / name, "a.png", first=200)
    dataset = data.load(tmp_path)
    assert greys(dataset.x_validation) == [200]
    assert len(dataset.x_train) == 10
    assert len(dataset.x_test) == 2
    save(tmp_path / "test", "a.png", first=250)
    dataset = data.load(tmp_path)
    assert greys(dataset.x_train) == [*range(0, 120, 10)]
    assert (greys(dataset.x_validation), greys(dataset.x_test)) == ([200], [250])


def test_a_split_of_classes_keeps_the_classes_of_training(tmp_path):
    for part, first in (("train", 0), ("val", 100), ("test", 200)):
        save(tmp_path / part / "cat", "1.png", "2.png", first=first)
        save(tmp_path / part / "dog", "1.png", "2.png", first=first + 50)
    dataset = data.load(tmp_path)
    assert dataset.class_names == ("cat", "dog")
    for part, first in (("train", 0), ("validation", 100), ("test", 200)):
        x, y = getattr(dataset, f"x_{part}"), getattr(dataset, f"y_{part}")
        assert np.array_equal(y, (x[:, 0, 0, 0] - first) // 50), part
    # The numbers of the classes are those of the names, also if a class has no test image.
    for path in (tmp_path / "test" / "cat").iterdir():
        path.unlink()
    assert data.load(tmp_path).y_test.tolist() == [1, 1]


def test_test_images_outside_the_folders_of_classes_have_no_labels(tmp_path):
    for name in ("cat", "dog"):
        save(tmp_path / "train" / name, *(f"{i}.png" for i in range(6)))
    save(tmp_path / "test", "a.png", "b.png")
    dataset = data.load(tmp_path)
    assert dataset.y_test is None
    assert dataset.num_classes == 2


def test_one_class_can_have_the_name_of_a_part(tmp_path):
    for name in ("bus", "car", "train"):
        save(tmp_path / name, "1.png", "2.png")
    assert data.load(tmp_path).class_names == ("bus", "car", "train")


def test_a_split_that_is_not_clear_is_refused(tmp_path):
    save(tmp_path / "test", "1.png", "2.png", "3.png")
    assert "must contain training images, in a folder train" in refused(tmp_path)
    save(tmp_path / "val", "1.png", "2.png", "3.png")
    assert "Received: validation, test images only" in refused(tmp_path)
    save(tmp_path / "train" / "cat", "1.png", "2.png", "3.png")
    save(tmp_path / "test" / "cow", "1.png")
    (tmp_path / "test" / "1.png").rename(tmp_path / "1.txt")
    (tmp_path / "test" / "2.png").rename(tmp_path / "2.txt")
    (tmp_path / "test" / "3.png").rename(tmp_path / "3.txt")
    assert "must be the same in each part. Received: cow for test only" in refused(tmp_path)
    save(tmp_path / "training", "1.png")
    assert "one folder of train images. Received: train and training" in refused(tmp_path)
    (tmp_path / "training" / "1.png").unlink()
    save(tmp_path, "1.png")
    assert "either directly or in sub-folders" in refused(tmp_path)


def test_prepared_data_keeps_the_split(tmp_path):
    for part, first, n in (("train", 0, 10), ("val", 100, 3), ("test", 200, 4)):
        for k, name in enumerate(("cat", "dog")):
            save(tmp_path / "set" / part / name, *(f"{i}.png" for i in range(n)), first=first + k)
    whole = data.load(tmp_path / "set")
    prepared = data.prepare(tmp_path / "set", tmp_path / "prepared")
    for part in ("train", "validation", "test"):
        x, expected = (getattr(d, f"x_{part}")[:] for d in (prepared, whole))
        assert greys(x) == greys(expected)
        assert np.array_equal(getattr(prepared, f"y_{part}"), x[:, 0, 0, 0] % 10), part
    assert prepared.class_names == ("cat", "dog")
    save(tmp_path / "flat" / "train", "1.png", "2.png", "3.png", "4.png")
    save(tmp_path / "flat" / "test", "5.png")
    other = data.prepare(tmp_path / "flat", tmp_path / "other")
    assert [len(x) for x in (other.x_train, other.x_validation, other.x_test)] == [3, 1, 1]


def test_images_to_classify_can_be_in_any_folder(tmp_path):
    save(tmp_path / "test", "a.png", first=30)
    save(tmp_path / "val" / "cat", "b.png", first=60)
    source = data.open_input(tmp_path, shape=(4, 4, 1), warn=lambda text: None, form=UNCHANGED)
    ((names, x),) = source
    assert (source.key, names) == ("file", ["val/cat/b.png", "test/a.png"])
    assert x[:, 0, 0, 0].tolist() == [60, 30]


def test_files_that_are_left_out_are_counted_in_one_line(tmp_path, warnings):
    for name in ("cat", "dog"):
        save(tmp_path / name, "1.png", "2.png", "3.png", first=100)
    for name in ("cat/notes.txt", "dog/raw.heic", "labels.csv", ".hidden", "cat/.hidden.txt"):
        (tmp_path / name).touch()
    save(tmp_path / "cat" / "deeper", "4.png")
    data.load(tmp_path, warn=warnings.append)
    left_out = [text for text in warnings if "cannot be read as images" in text]
    (text,) = left_out
    assert text.startswith(f"4 files in {tmp_path} cannot be read as images, such as labels.csv. ")
    assert ".pgm" in text


@pytest.mark.parametrize(
    ("name", "example"),
    [("a.heic", "a.heic"), ("cat/a.svg", "cat/a.svg"), ("train/cat/x/a.png", "train/cat/x/a.png")],
)
def test_one_file_that_is_left_out_is_the_example(tmp_path, warnings, name, example):
    for part in ("train", "test") if "train" in name else ("cat", "dog"):
        save(tmp_path / part / "cat" if "train" in name else tmp_path / part, "1.png", "2.png")
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    data.load(tmp_path, warn=warnings.append)
    assert sum(f"1 file in {tmp_path} cannot be read" in text for text in warnings) == 1
    assert any(f"such as {example}." in text for text in warnings)


def test_a_folder_without_images_says_what_is_in_it(tmp_path):
    assert refused(tmp_path).endswith("Received: none")
    (tmp_path / "a.heic").touch()
    assert "Received: none, but 1 file elsewhere, such as a.heic" in refused(tmp_path)
    (tmp_path / "a.heic").unlink()
    save(tmp_path / "animals" / "cat", "1.png", "2.png")
    assert "Received: none, but 2 files elsewhere, such as animals/cat/1.png" in refused(tmp_path)


def test_what_is_refused_is_refused_in_one_line(tmp_path, capsys):
    """The warning would be a second one."""
    save(tmp_path, "1.png", "2.png")
    (tmp_path / "a.txt").touch()
    assert "at least 3" in refused(tmp_path)
    assert capsys.readouterr().err == ""
