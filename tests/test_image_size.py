"""The flags --image_size and --channels, for files, arrays, prepared data and later images."""

import csv
import json

import numpy as np
import pytest
from helpers import data_refused
from PIL import Image

from adversarial_autoencoder import data
from adversarial_autoencoder.config.image_form import ImageForm
from adversarial_autoencoder.data.images.resize import convert, resize

RNG = np.random.default_rng(0)


def save(folder, *sizes, mode="RGB", dtype="uint8"):
    """Saves smooth random images of the given heights and widths."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, size in enumerate(sizes):
        x = RNG.integers(0, 256, (*size, 3) if mode == "RGB" else size).astype(dtype)
        Image.fromarray(x * 200 if dtype == "uint16" else x).save(folder / f"{i:02d}.png")
    return folder


SIZES = [(20 + i, 40 - i) for i in range(12)]


def test_images_of_several_sizes_get_one(tmp_path):
    folder = save(tmp_path / "photos", *SIZES)
    assert "--image_size 20 resizes and crops them" in data_refused(folder)
    for size in ((16, 16), (8, 24), (20, 20)):
        dataset = data.load(folder, warn=pytest.fail, form=ImageForm(size))
        assert dataset.image_shape == (*size, 3)
        assert dataset.x_train.dtype == np.uint8


def test_the_image_is_covered_and_cropped_at_the_centre():
    """The left and the right quarter of a wide image are cut off; the filter blurs the edge."""
    x = np.zeros((20, 40, 3), "uint8")
    x[:, :10] = x[:, 30:] = 255
    x[:, 10:30] = 77
    assert (resize(x, (20, 20)) == 77).all()
    for image in (x, x.swapaxes(0, 1)):
        small = resize(image, (10, 10))
        assert (small[3:-3, 3:-3] == 77).all()
        assert small.mean() < 90


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_filter_averages_when_it_makes_smaller(dtype):
    """Without it a fine pattern would become black, white or stripes."""
    high = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    x = np.zeros((64, 64, 1), dtype)
    x[::2] = high
    small = resize(x, (8, 8))
    assert small.dtype == dtype
    assert abs(small[1:-1] / high - 0.5).max() < 0.1
    assert resize(x, (64, 64)) is x


def test_values_stay_in_range():
    x = np.zeros((8, 8, 1), "float32")
    x[:4] = 1
    large = resize(x, (32, 32))
    assert (large.min(), large.max()) == (0, 1)


def test_grey_is_the_luma_of_colour():
    x = np.array([[[[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]]], "uint8")
    assert convert(x, 1).ravel().tolist() == [76, 150, 29, 9]
    assert convert(convert(x, 1), 3).shape == x.shape
    np.testing.assert_allclose(
        convert(x / np.float32(255), 1).ravel(), [0.299, 0.587, 0.114, 9 / 255]
    )


@pytest.mark.parametrize(("mode", "found"), [("RGB", 3), ("L", 1)])
def test_channels_are_those_of_the_flag(tmp_path, mode, found):
    folder = save(tmp_path / "photos", *[(8, 8)] * 12, mode=mode)
    x = np.stack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())])
    np.savez(tmp_path / "set.npz", x=x)
    for channels in (None, 1, 3):
        datasets = [
            data.load(path, warn=pytest.fail, form=ImageForm(channels=channels))
            for path in (folder, tmp_path / "set.npz")
        ]
        assert datasets[0].image_shape == (8, 8, channels or found)
        assert np.array_equal(datasets[0].x_train, datasets[1].x_train)


def test_arrays_are_resized_as_files(tmp_path):
    folder = save(tmp_path / "photos", *[(20, 30)] * 12)
    x = np.stack([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())])
    np.savez(tmp_path / "set.npz", x=x)
    form = ImageForm((12, 10), 1)
    a, b = (data.load(path, form=form) for path in (folder, tmp_path / "set.npz"))
    assert a.image_shape == (12, 10, 1)
    assert np.array_equal(a.x_train, b.x_train)
    assert a.form == b.form == ImageForm((12, 10), 1, "dtype")


def test_sets_with_a_name_are_resized(tmp_path):
    digits, large = data.load("digits"), data.load("digits", form=ImageForm((16, 16), 3))
    assert large.image_shape == (16, 16, 3)
    assert large.checksum != digits.checksum
    assert data.load("digits", form=ImageForm((8, 8))).checksum != large.checksum
    assert np.array_equal(large.y_test, digits.y_test)


def test_small_images_are_counted(tmp_path):
    folder = save(tmp_path / "photos", (8, 8), (8, 30), (30, 8), (30, 30))
    texts = []
    data.load(folder, warn=texts.append, form=ImageForm((16, 16)))
    (text,) = texts
    assert text.startswith(f"3 of the 4 images in {folder} are smaller than --image_size 16x16")


@pytest.mark.parametrize(
    ("dtype", "form"),
    [
        ("uint8", ImageForm((16, 12), 1)),
        ("uint16", ImageForm((16, 12))),
        ("uint16", ImageForm((16, 12), 3, "dtype")),
    ],
)
def test_prepared_images_are_those_that_are_read(tmp_path, dtype, form):
    mode = "RGB" if dtype == "uint8" else "L"
    folder = save(tmp_path / "photos", *SIZES, mode=mode, dtype=dtype)
    whole = data.load(folder, form=form)
    data.prepare(folder, tmp_path / "prepared", form=form)
    prepared = data.load(tmp_path / "prepared")
    assert prepared.form == whole.form
    for part in ("train", "validation", "test"):
        x, expected = (getattr(d, f"x_{part}")[:] for d in (prepared, whole))
        assert x.dtype == expected.dtype
        assert np.array_equal(x, expected)
    data.load(tmp_path / "prepared", form=whole.form)
    message = data_refused(tmp_path / "prepared", form=ImageForm((32, 32)))
    assert "is prepared with image_size=16x12" in message


@pytest.mark.usefixtures("eager")
def test_a_run_keeps_its_size_for_later_images(tmp_path, command_line):
    for name in ("cat", "dog"):
        save(tmp_path / "photos" / name, *SIZES)
    flags = ["--model=semi_supervised_aae", "--num_labels=0", "--hidden_units=8", "--epochs=1"]
    form = ["--image_size=8", "--channels=1"]
    results = tmp_path / "results"
    out, err = command_line(
        f"--dataset={tmp_path}/photos", *flags, *form, "--run_name=a", results=results
    )
    assert err == ""
    assert out.startswith(
        "Images are resized so that they cover 8x8 pixels, and cropped at the cent"
    )
    config = json.loads((results / "a" / "config.json").read_text())["config"]
    assert (config["image_size"], config["channels"]) == ("8x8", "1")
    command_line("--mode=reconstruct", "--image_size=8x8", results=results)
    new = save(tmp_path / "new", (50, 20), (9, 9))
    _, err = command_line("--mode=classify", f"--input={new}", results=results)
    assert err == ""
    with (results / "a" / "predictions.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2
