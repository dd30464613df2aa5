"""Data sets in folders of images: how they are read, and which are refused."""

import numpy as np
import pytest
from helpers import data_refused as refused
from PIL import Image

from adversarial_autoencoder.config.image_form import ImageForm
from adversarial_autoencoder.data import load
from adversarial_autoencoder.data.images.folder import find_images

BY_TYPE = ImageForm(value_range="dtype")


def save_images(folder, *names, size=(4, 5), mode="L"):
    folder.mkdir(exist_ok=True)
    for name in names:
        pixels = np.random.default_rng([*name.encode()]).integers(0, 256, (*size[::-1], 3), "uint8")
        Image.fromarray(pixels).convert(mode).save(folder / name)
    return str(folder)


def test_flat_folder_has_no_labels_and_other_files_are_ignored(tmp_path):
    folder = save_images(tmp_path / "set", "a.png", "b.bmp", "c.TIF", "d.gif", "e.png", "f.png")
    (tmp_path / "set" / "readme.txt").write_text("no image")
    (tmp_path / "set" / ".hidden.png").write_text("no image")
    (tmp_path / "set" / "loop").symlink_to(tmp_path / "set" / "loop")
    (tmp_path / "set" / "nothing").mkdir()
    dataset = load(folder)
    assert dataset.name == "set"
    assert dataset.y_train is None
    images = np.concatenate([dataset.x_train, dataset.x_validation, dataset.x_test])
    assert images.shape == (6, 5, 4, 1)
    with Image.open(tmp_path / "set" / "a.png") as image:
        assert any(np.array_equal(image, x[..., 0]) for x in images)


def test_images_are_read_in_the_order_of_their_names(tmp_path):
    for i in (3, 1, 7, 0, 5, 2, 6, 4):
        Image.new("L", (2, 2), i).save(tmp_path / f"{i}.png")
    x = find_images(tmp_path).read(BY_TYPE)[0]
    assert x[:, 0, 0, 0].tolist() == list(range(8))


def test_sub_folders_are_classes(tmp_path):
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for i in range(6):
            Image.new("L", (4, 4), 10 * label + i).save(tmp_path / name / f"{i}.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    dataset = load(str(tmp_path), form=BY_TYPE)
    assert dataset.class_names == ("cat", "dog")
    assert np.array_equal(dataset.y_train, dataset.x_train[:, 0, 0, 0] // 10)
    assert np.array_equal(dataset.y_test, dataset.x_test[:, 0, 0, 0] // 10)
    assert {*dataset.y_train} == {0, 1}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("RGB", (2, 2), (7, 7, 7)), [7]),
        (Image.new("P", (2, 2)), [0]),
        (Image.new("1", (2, 2), 1), [255]),
        (Image.new("RGB", (2, 2), (1, 2, 3)), [1, 2, 3]),
        (Image.new("RGBA", (2, 2), (1, 2, 3, 0)), [255]),
        (Image.new("LA", (2, 2), (8, 255)), [8]),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else None,
)
def test_images_get_three_channels_only_if_they_are_in_colour(tmp_path, image, expected):
    for i in range(3):
        image.save(tmp_path / f"{i}.png")
    dataset = load(str(tmp_path), form=BY_TYPE)
    assert dataset.x_train.dtype == np.uint8
    assert dataset.x_train[0, 0, 0].tolist() == expected


def test_one_image_in_colour_gives_all_three_channels(tmp_path):
    save_images(tmp_path, "a.png", "b.png")
    assert load(save_images(tmp_path, "c.png", mode="RGB")).image_shape == (5, 4, 3)


def test_unusable_folders_are_refused(tmp_path, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "Received: none" in refused(str(empty))

    assert "at least 3" in refused(save_images(tmp_path / "two", "a.png", "b.png"))

    mixed = save_images(tmp_path / "mixed", "a.png", "b.png", "c.png")
    save_images(tmp_path / "mixed" / "class", "d.png")
    assert "directly or in sub-folders" in refused(mixed)

    folder = save_images(tmp_path / "sizes", "a.png", "b.png")
    save_images(tmp_path / "sizes", "c.png", "d.png", size=(6, 5))
    message = refused(folder)
    assert "a.png, 4x5 pixels" in message
    assert "c.png of 6x5 pixels" in message
    assert "--image_size 4 resizes and crops them" in message

    folder = save_images(tmp_path / "bomb", "a.png", "b.png", "c.png", size=(40, 40))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow warns above, fails above twice.
    assert "a.png must be a readable image" in refused(folder)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert "a.png must be a readable image" in refused(folder)


@pytest.mark.parametrize("name", ["b.png", "b.jpg", "b.gif", "b.tif", "b.webp"])
def test_damaged_images_are_refused(tmp_path, name):
    folder = save_images(tmp_path, "a.png", "c.png", name, size=(60, 60))
    data = (tmp_path / name).read_bytes()
    for bad in (b"", b"no image", data[: len(data) // 2]):
        (tmp_path / name).write_bytes(bad)
        assert f"{name} must be a readable image" in refused(folder)


def test_animated_images_and_images_of_32_bits_are_refused(tmp_path):
    folder = save_images(tmp_path, "a.png", "c.png")
    frames = [Image.new("L", (4, 5), grey) for grey in (0, 100, 200)]
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:])
    assert "b.gif" in refused(folder)
    (tmp_path / "b.gif").unlink()
    Image.new("F", (4, 5)).save(tmp_path / "b.tif")
    assert "32-bit pixels" in refused(folder)
