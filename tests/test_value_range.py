"""Images that use a small part of the range of values: a warning with the range and a remedy."""

import re

import numpy as np
import pytest
from PIL import Image

from adversarial_autoencoder import data

X = np.random.default_rng(0).integers(0, 256, (12, 8, 8), "uint8")


@pytest.fixture
def warnings_of(tmp_path):
    """The warnings about an .npz file with the given arrays."""

    def warnings(**arrays):
        np.savez(tmp_path / "set.npz", **arrays)
        texts = []
        data.load(tmp_path / "set.npz", warn=texts.append)
        return texts

    return warnings


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (X % 2, "0 to 1, a small part of 0 to 255"),
        ((X % 17).astype("int64"), "0 to 16, a small part of 0 to 255"),
        (X // 8 + 200, "200 to 231, a small part of 0 to 255"),
        (X / 255**2, "0 to 0.003921569, a small part of 0 to 1"),
        ((X / 1000).astype("float32") + 0.5, "0.5 to 0.755, a small part of 0 to 1"),
    ],
)
def test_a_narrow_range_is_named_with_the_line_that_widens_it(warnings_of, x, found):
    if "0.755" in found:
        x = (x - 0.5) / 2 + 0.5
        found = "0.5 to 0.6275, a small part of 0 to 1"
    x = np.array(x)
    x.flat[:2] = x.min(), x.max()
    (text,) = warnings_of(x_train=x)
    assert "x_train in" in text
    assert found in text
    (code,) = re.findall(r"To convert [^:]*: (.*)\.$", text)
    names = {"np": np, "x_train": x}
    exec(code, names)
    widened = names["x_train"]
    limit = 255 if widened.dtype == np.uint8 else 1
    assert (widened.min(), widened.max()) == (0, pytest.approx(limit))
    assert warnings_of(x_train=np.clip(widened, 0, limit)) == []


@pytest.mark.parametrize("x", [X, X // 3, X / 255, X / 600, X // 2 + 100])
def test_usual_images_give_no_warning(warnings_of, x):
    assert warnings_of(x_train=x, x_test=x) == []


def test_test_images_are_compared_too(warnings_of):
    (text,) = warnings_of(x_train=X, x_test=X % 2)
    assert "x_test in" in text


@pytest.mark.parametrize("x", [X * 0, X * 0 + 255, X * 0.0 + 0.5])
def test_images_of_one_value_are_named(warnings_of, x):
    (text,) = warnings_of(x_train=x)
    assert text.endswith(f"are {x.flat[0]:.7g}.")


def save(folder, images, suffix="png"):
    folder.mkdir(exist_ok=True)
    for i, x in enumerate(images):
        Image.fromarray(x).save(folder / f"{i}.{suffix}")
    return folder


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_files_of_a_narrow_range_are_named(tmp_path, suffix):
    """As a microscope with 10 or 12 bits writes them."""
    x = (X.astype("uint16") * 403 // 255) + 291
    x.flat[:2] = 291, 694
    folder = save(tmp_path / "images", x, suffix)
    texts = []
    dataset = data.load(folder, warn=texts.append)
    assert dataset.x_train.max() == 3
    (text,) = texts
    assert f"the 16-bit images in {folder} are 291 to 694, a small part of 0 to 65535" in text
    (code,) = re.findall(r"To convert [^:]*: (.*)\.$", text)
    names = {"np": np, "x": x}
    exec(code, names)
    assert data.load(save(tmp_path / "new", names["x"]), warn=pytest.fail).x_train.max() > 240


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (X % 2, "the images in {} are 0 to 1, a small part of 0 to 255"),
        (X.astype("uint16") * 64, "the 16-bit images in {} are 0 to 16320, a small part"),
        (np.repeat(X[..., None] % 9, 3, axis=-1), "the images in {} are 0 to 8, a small part"),
    ],
)
def test_files_of_a_narrow_range_are_named(tmp_path, x, found):
    x = x.copy()
    x.flat[:6] = [0, 0, 0, *[x.max()] * 3]
    folder = save(tmp_path / "images", x)
    texts, prepared = [], []
    data.load(folder, warn=texts.append)
    data.prepare(folder, tmp_path / "prepared", warn=prepared.append)
    assert texts == prepared
    (text,) = texts
    assert found.format(folder) in text


def test_few_narrow_files_among_others_are_found_by_their_depth(tmp_path):
    """The 8-bit images use the whole range; the 16-bit images become black."""
    folder = save(tmp_path / "images", X)
    save(folder, X[:3].astype("uint16"), "tif")
    texts = []
    names, _ = data.load_images(folder, warn=texts.append)
    assert len(names) == 15
    (text,) = texts
    assert "16-bit images" in text


def test_the_command_line_prints_one_line(tmp_path, command_line):
    np.savez(tmp_path / "masks.npz", x_train=np.tile(X, (5, 1, 1)) % 2)
    flags = ["--model=autoencoder", "--hidden_units=8", "--epochs=1", "--run_name=a"]
    _, err = command_line(f"--dataset={tmp_path}/masks.npz", *flags, results=tmp_path)
    assert err.startswith("Warning: The values of x_train in ")
    assert err.count("\n") == 1
