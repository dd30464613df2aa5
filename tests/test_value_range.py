"""The range of values: recognised, given, warned about, and the same for later images."""

import json

import numpy as np
import pytest
from helpers import data_refused
from PIL import Image

from adversarial_autoencoder import data
from adversarial_autoencoder.config.image_form import ANY_FORM, ImageForm
from adversarial_autoencoder.data.value_range import scaled

X = np.random.default_rng(0).integers(0, 256, (12, 8, 8), "uint8")
BY_TYPE = ImageForm(value_range="dtype")


@pytest.fixture
def loaded(tmp_path):
    """Loads an .npz file with the given arrays; returns the data set and the warnings."""

    def load(form=ANY_FORM, **arrays):
        np.savez(tmp_path / "set.npz", **arrays)
        texts = []
        return data.load(tmp_path / "set.npz", warn=texts.append, form=form), texts

    return load


def values(dataset):
    """All images, sorted by their values."""
    parts = (dataset.x_train, dataset.x_validation, dataset.x_test)
    return np.sort(np.concatenate(parts).ravel())


def with_ends(x, low, high):
    """The array with two values changed, so that it spans a range."""
    x = x.copy()
    x.flat[:2] = low, high
    return x


@pytest.mark.parametrize(
    ("x", "low", "high"),
    [
        (X % 2, 0, 1),
        (X > 99, 0, 1),
        ((X % 17).astype("int64"), 0, 16),
        ((X % 17).astype("float64"), 0, 16),
        (X // 8 + 200, 200, 231),
        (X.astype("uint16") * 4, 0, 1023),
        (X.astype("int32") * 15 + 100, 100, 4095),
        (X.astype("uint16") * 257, 0, 65535),
        (X / 127.5 - 1, -1, 1),
        ((X / 130 - 0.98).astype("float16"), -1, 1),
        (X.astype("int8") % 3 - 1, -1, 1),
        (X.astype("float32"), 0, 255),
        (X * 0.7, 0, 255),
    ],
)
def test_usual_ranges_are_recognised_and_said(loaded, x, low, high):
    inside = (-1, 1) if low == -1 else (low, high)
    if x.dtype.kind != "f":
        x = with_ends(x, low, high)
    dataset, (text,) = loaded(x_train=x)
    assert text.endswith(
        f": {low} becomes black and {high} white. --value_range LOW,HIGH sets another range."
    )
    assert dataset.form.value_range == inside
    found, expected = values(dataset), np.sort((x.astype("float64").ravel() - low) / (high - low))
    assert found.dtype == (np.uint8 if high - low == 1 else np.float32)
    np.testing.assert_allclose(found / (255 if found.dtype == np.uint8 else 1), expected, atol=1e-6)


@pytest.mark.parametrize("x", [X, X // 3, X / 255, X / 600, X // 2 + 100, (X > 9) * 1.0])
def test_the_range_of_the_type_needs_no_word(loaded, x):
    dataset, texts = loaded(x_train=x, x_test=x)
    assert texts == []
    assert dataset.form == BY_TYPE
    assert dataset.x_train.dtype == (np.float32 if x.dtype.kind == "f" else np.uint8)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32", "uint32", "int64"])
def test_integers_of_every_type_are_0_to_255(loaded, dtype):
    for form in (ANY_FORM, BY_TYPE):
        dataset, texts = loaded(form, x_train=X.astype(dtype), x_test=X.astype(dtype))
        assert texts == []
        assert dataset.x_test.dtype == np.uint8
        assert (dataset.x_test[..., 0] == X).all()


@pytest.mark.parametrize("x", [X * 0, X * 0 + 255, X * 0.0 + 0.5])
def test_images_of_one_value_are_named(loaded, x):
    _, (text,) = loaded(x_train=x)
    assert text.endswith(f"are {x.flat[0]:.7g}.")


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (X.astype("float64") * 3 + 0.5, "0.5 to 765.5"),
        (X / 100, "0 to 2.55"),
        (X / 255 - 0.01, "-0.01 to 0.99"),
        (X.astype("int16") - 128, "-128 to 127"),
        (X.astype("int64") * 1000, "0 to 255000"),
        (X * 0 + 1.5, "1.5 to 1.5"),
    ],
)
def test_other_ranges_are_refused_with_the_flag(tmp_path, loaded, x, found):
    if found.count("1.5") < 2:
        x = with_ends(x, *(float(part) for part in found.split(" to ")))
    np.savez(tmp_path / "set.npz", x_train=x)
    message = data_refused(tmp_path / "set.npz")
    assert f"Received: {x.dtype} from {found}" in message
    if found.count("1.5") < 2:
        flag = f"--value_range={found.replace(' to ', ',')}"
        assert flag in message
        form = ImageForm.of(value_range=flag.split("=")[1])
        dataset, texts = loaded(form, x_train=x)
        assert texts == []
        # -128 to 127 fits into bytes.
        assert (values(dataset)[0], values(dataset)[-1]) == (0, 255 if x.dtype == "int16" else 1)


def test_a_given_range_holds_for_every_type(loaded):
    form = ImageForm(value_range=(0.0, 255.0))
    exact, _ = loaded(form, x_train=X)
    assert np.array_equal(values(exact), np.sort(X.ravel()))
    for x in (X.astype("int64"), X.astype("float32")):
        dataset, texts = loaded(form, x_train=x)
        assert texts == []
        np.testing.assert_allclose(
            values(dataset) / np.float32(255 if x.dtype == int else 1), values(exact) / 255
        )


def test_values_outside_a_given_range_are_refused(tmp_path):
    np.savez(tmp_path / "set.npz", x_train=X, x_test=X)
    for low, high in ((0, 100), (10, 255), (-1, 1)):
        message = data_refused(tmp_path / "set.npz", form=ImageForm(value_range=(low, high)))
        assert f"must be in the value_range {low} to {high}" in message


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (X % 2, "0 to 1, a small part of 0 to 255"),
        (X / 255**2, "a small part of 0 to 1"),
    ],
)
def test_a_narrow_part_of_the_range_of_the_type_is_warned_about(loaded, x, found):
    dataset, (text,) = loaded(BY_TYPE, x_train=x)
    assert found in text
    assert "--value_range=0," in text
    assert dataset.form == BY_TYPE


def test_each_array_is_compared_with_the_common_range(loaded):
    dataset, (text,) = loaded(x_train=X, x_test=X % 2)
    assert "x_test in" in text
    assert dataset.x_test.max() == 1
    dataset, texts = loaded(x_train=X.astype("uint16") * 16, x_test=X)
    assert dataset.form.value_range == (0, 4080)
    assert "x_test in" in texts[1]


def test_half_of_the_values_are_scaled_exactly():
    x = np.arange(5, dtype="uint16")
    assert scaled(x, (0, 5)).tolist() == [0, 51, 102, 153, 204]
    assert scaled(x.astype("uint64") + 2**40, (2**40, 2**40 + 4)).tolist() == [
        0,
        0.25,
        0.5,
        0.75,
        1,
    ]


def save(folder, images, suffix="png"):
    folder.mkdir(exist_ok=True)
    for i, x in enumerate(images):
        Image.fromarray(x).save(folder / f"{i}.{suffix}")
    return folder


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
@pytest.mark.parametrize(("low", "high"), [(291, 694), (0, 65535), (5, 4095)])
def test_16_bit_files_keep_their_precision(tmp_path, suffix, low, high):
    """As a microscope with 10, 12 or 16 bits writes them."""
    x = np.random.default_rng(1).integers(low, high + 1, (12, 8, 8), "uint16")
    x.flat[:2] = low, high
    folder = save(tmp_path / "images", x, suffix)
    texts = []
    dataset = data.load(folder, warn=texts.append)
    assert texts == [
        f"The values of the 16-bit images in {folder} are {low} to {high}: {low} becomes black and "
        f"{high} white. --value_range LOW,HIGH sets another range."
    ]
    assert len(np.unique(values(dataset))) == len(np.unique(x))
    expected = np.sort((x.ravel() - np.float64(low)) / (high - low))
    np.testing.assert_allclose(values(dataset), expected, atol=1e-7)


@pytest.mark.parametrize(
    ("x", "high"), [(X % 2, 1), (X % 17, 16), (np.repeat(X[..., None] % 9, 3, axis=-1), 8)]
)
def test_files_of_a_narrow_range_are_recognised(tmp_path, x, high):
    folder = save(tmp_path / "images", with_ends(x, 0, high))
    texts = []
    dataset = data.load(folder, warn=texts.append)
    assert texts[0].startswith(f"The values of the images in {folder} are 0 to {high}: ")
    assert dataset.form.value_range == (0, high)
    assert values(dataset)[-1] == (255 if high == 1 else 1)


def test_few_16_bit_files_among_others_are_named(tmp_path):
    """Each file keeps the range of its depth, and the 16-bit images become black."""
    folder = save(tmp_path / "images", X)
    save(folder, X[:3].astype("uint16"), "tif")
    texts = []
    source = data.open_input(folder, shape=(8, 8, 1), warn=texts.append)
    ((names, x),) = source
    assert len(names) == 15
    (text,) = texts
    assert "16-bit images" in text
    assert (x[names.index("11.png")][..., 0] == (X[11] / 255).astype("float32")).all()
    assert x[names.index("0.tif")].max() < 0.01


QUICK = ["--model=semi_supervised_aae", "--num_labels=0", "--hidden_units=8", "--epochs=1"]


@pytest.mark.usefixtures("eager")
def test_a_run_keeps_its_range_for_later_images(tmp_path, command_line, refused):
    """New images are read as those of the training, whatever their own range."""
    x, y = np.tile(X % 17, (5, 1, 1)), np.arange(60) % 2
    np.savez(tmp_path / "digits.npz", x_train=with_ends(x, 0, 16), y_train=y)
    flags = [f"--dataset={tmp_path}/digits.npz", *QUICK, "--run_name=a"]
    _, err = command_line(*flags, results=tmp_path / "results")
    assert err.startswith("Warning: The values of x_train in ")
    assert err.count("\n") == 1
    run = tmp_path / "results" / "a"
    assert json.loads((run / "config.json").read_text())["config"]["value_range"] == "0,16"
    # The range is recorded, so that it is neither guessed nor said again.
    _, err = command_line("--mode=reconstruct", results=tmp_path / "results")
    assert err == ""
    out, err = command_line(*flags, "--epochs=2", "--resume", results=tmp_path / "results")
    assert err == ""
    np.savez(tmp_path / "new.npz", x=np.minimum(x, 3))
    classify = ["--mode=classify", f"--input={tmp_path}/new.npz"]
    _, err = command_line(*classify, results=tmp_path / "results")
    assert "0 to 3, a small part of 0 to 16" in err
    np.savez(tmp_path / "new.npz", x=X)
    assert "must be in the value_range 0 to 16. Received: 0 to 255" in refused(*classify)
    assert "has value_range=0,16. Received: value_range=0,8" in refused(
        "--mode=reconstruct", "--value_range=0,8"
    )
