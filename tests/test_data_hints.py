"""Arrays of another layout: the error contains the line of NumPy that converts them."""

import re

import numpy as np
import pytest
from helpers import data_refused as refused

from adversarial_autoencoder import data

X = np.random.default_rng(1).integers(0, 256, (12, 8, 8), "uint8")
COLOUR = np.random.default_rng(2).integers(0, 256, (12, 8, 8, 3), "uint8")
Y = np.arange(12) % 3


@pytest.fixture
def converted(tmp_path):
    """Saves arrays, runs the lines that the errors suggest, and loads what they make."""
    path = tmp_path / "set.npz"

    def convert(*lines, **arrays):
        arrays = {"np": np} | arrays
        for line in lines:
            np.savez(path, **{name: x for name, x in arrays.items() if name[:2] in ("x_", "y_")})
            message = refused(path)
            (code,) = re.findall(r"To convert [^:]*: (.*)\. Received", message)
            assert line in code, code
            exec(code, arrays)
        np.savez(path, **{name: x for name, x in arrays.items() if name[:2] in ("x_", "y_")})
        dataset = data.load(path, warn=lambda text: None)
        parts = [
            getattr(dataset, f"{k}_{p}") for p in ("train", "validation", "test") for k in "xy"
        ]
        return np.concatenate(parts[::2]), None if parts[1] is None else np.concatenate(parts[1::2])

    return convert


def in_order(x, expected):
    """Checks that two sets of images are equal, in any order."""
    flat, expected = (
        np.sort(a.reshape(len(a), -1).astype("float64"), axis=0) for a in (x, expected)
    )
    np.testing.assert_allclose(flat, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("x", "line", "expected"),
    [
        (np.moveaxis(COLOUR, -1, 1), "np.moveaxis(x_train, 1, -1)", COLOUR),
        (X[:, None], "np.moveaxis(x_train, 1, -1)", X),
        (np.moveaxis(COLOUR, 0, -1), "np.moveaxis(x_train, -1, 0)", COLOUR),
        (X.reshape(12, -1), "x_train.reshape(-1, 8, 8)", X),
        (
            np.moveaxis(COLOUR, -1, 1).reshape(12, -1),
            "np.moveaxis(x_train.reshape(-1, 3, 8, 8), 1, -1)",
            COLOUR,
        ),
        (np.concatenate([COLOUR, COLOUR[..., :1]], -1), "x_train[..., :3]", COLOUR),
        (np.stack([X, X], -1), "x_train[..., :1]", X),
        (COLOUR[:, None], "np.squeeze(x_train, 1)", COLOUR),
        (X > 99, 'x_train.astype("uint8") * 255', (X > 99) * 255),
        (X.astype(str), '"float32") / 255', X / 255),
        (X.astype("longdouble") / 255, 'x_train.astype("float32")', X / 255),
        (X / 255 + 0j, "np.abs(x_train)", X / 255),
        (X.astype("float32"), "x_train / 255", X / 255),
        (X / 127.5 - 1, "(x_train + 1) / 2", X / 255),
        ((X / 255 - 0.5) * 8, "(x_train + 4) / 8", X / 255),
        (X.astype("uint16") * 257, "np.round(x_train * (255 / 65535))", X),
        (X.astype("int16") - 300, '(x_train.astype("float64") + 300)', X),
        (X.astype("int64") + 1000, '(x_train.astype("float64") - 1000)', X),
        (
            np.where(X.max() == X, np.nan, X / 255),
            "np.nan_to_num",
            np.where(X.max() == X, 0, X / 255),
        ),
    ],
)
def test_images_are_converted_by_the_suggested_line(converted, x, line, expected):
    if x.dtype.kind == "U":  # The text of the numbers 0 to 255.
        x, _ = converted("np.array", "x_train / 255", x_train=x)
    else:
        x, _ = converted(line, x_train=x)
    in_order(x, expected)


@pytest.mark.parametrize(
    ("y", "line", "expected"),
    [
        (np.eye(3)[Y], "y_train.argmax(axis=1)", Y),
        (np.eye(3, dtype=int)[Y], "y_train.argmax(axis=1)", Y),
        (Y[:, None], "y_train[:, 0]", Y),
        (np.array(["a", "b", "c"])[Y], "np.unique(y_train, return_inverse=True)", Y),
        (np.array([b"a", b"b", b"c"])[Y], "np.unique(y_train, return_inverse=True)", Y),
        (Y + 1, "y_train - 1", Y),
        (Y.astype("float32"), 'y_train.astype("int64")', Y),
        (Y > 0, 'y_train.astype("int64")', Y > 0),
        (Y * 5, "np.unique(y_train, return_inverse=True)", Y),
        (Y - 7, "np.unique(y_train, return_inverse=True)", Y),
        (np.where(Y > 0, 1, -1), "(y_train + 1) // 2", Y > 0),
        (np.where(Y > 1, -1, Y * 5), "y_train -= 1", np.where(Y > 1, -1, Y)),
        (np.where(Y > 1, np.nan, Y), "nan=-1", np.where(Y > 1, -1, Y)),
    ],
)
def test_labels_are_converted_by_the_suggested_line(converted, y, line, expected):
    _, labels = converted(line, x_train=X, y_train=y)
    assert np.bincount(labels + 1).tolist() == np.bincount(expected.astype(int) + 1).tolist()


def test_test_labels_get_the_numbers_of_the_training_labels(converted, tmp_path):
    """The class b has no test image."""
    names = np.array(["a", "b", "c"])
    train, test = names[Y], names[[0, 2, 2]]
    converted("np.unique", "np.searchsorted", x_train=X, y_train=train, x_test=X[:3], y_test=test)
    assert data.load(tmp_path / "set.npz").y_test.tolist() == [0, 2, 2]
    arrays = {"x_train": X, "y_train": Y + 1, "x_test": X[:3], "y_test": np.array([1, 2, 3])}
    converted("y_train - 1", "y_test - 1", **arrays)
    assert data.load(tmp_path / "set.npz").y_test.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "names",
    [
        {"x": X, "y": Y},
        {"X": X, "labels": Y},
        {"images": X},
        {"train_images": X, "train_labels": Y, "test_images": X[:3], "test_labels": Y[:3]},
        {"arr_0": X, "arr_1": Y},
        {"imgs": X, "labs": Y, "extra": Y},
    ],
)
def test_arrays_are_renamed_by_the_suggested_line(tmp_path, names):
    path = tmp_path / "set.npz"
    np.savez(path, **names)
    (code,) = re.findall(r"To convert the names: (.*)\. Received", refused(path))
    exec(code, {"np": np})
    dataset = data.load(tmp_path / "renamed_set.npz")
    assert len(dataset.x_test) == (3 if "test_images" in names else 2)
    assert dataset.num_classes == (0 if list(names) == ["images"] else 3)


def test_names_that_say_nothing_have_no_suggestion(tmp_path):
    np.savez(tmp_path / "set.npz", alpha=X, beta=Y)
    message = refused(tmp_path / "set.npz")
    assert message.endswith("must contain the array x_train. Received: ['alpha', 'beta']")


def test_arrays_that_are_left_out_are_named(tmp_path):
    np.savez(tmp_path / "set.npz", x_train=X, x_val=X, y_val=Y)
    warnings = []
    data.load(tmp_path / "set.npz", warn=warnings.append)
    (text,) = warnings
    assert text.endswith("Left out: ['x_val', 'y_val']")


@pytest.mark.parametrize("shape", [(12, 64, 1), (12, 1, 64)])
def test_flat_images_with_an_axis_for_channels_are_named(tmp_path, shape):
    """They have the form of images that are one pixel high or wide."""
    np.savez(tmp_path / "set.npz", x_train=X.reshape(shape))
    warnings = []
    data.load(tmp_path / "set.npz", warn=warnings.append)
    (text,) = warnings
    assert f"read as images of {shape[2]}x{shape[1]} pixels" in text
    assert "x_train = x_train.reshape(-1, 8, 8)" in text
