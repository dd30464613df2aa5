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
        (np.concatenate([COLOUR, COLOUR[..., :1]], -1), "x_train[..., :3]", COLOUR),
        (np.stack([X, X], -1), "x_train[..., :1]", X),
        (COLOUR[:, None], "np.squeeze(x_train, 1)", COLOUR),
        (X.astype(str), '"float32")', X / 255),
        (X.astype("longdouble") / 255, 'x_train.astype("float32")', X / 255),
        (X / 255 + 0j, "np.abs(x_train)", X / 255),
        (
            np.where(X.max() == X, np.nan, X / 255),
            "np.nan_to_num",
            np.where(X.max() == X, 0, X / 255),
        ),
    ],
)
def test_images_are_converted_by_the_suggested_line(converted, x, line, expected):
    x, _ = converted(line, x_train=x)
    in_order(x, expected)


def test_flat_images_are_a_table_and_a_warning_says_how_to_read_them_as_images(tmp_path):
    flat = np.moveaxis(COLOUR, -1, 1).reshape(12, -1)
    for x, line in (
        (flat, "np.moveaxis(x_train.reshape(-1, 3, 8, 8), 1, -1)"),
        (flat[:, :64], "--image_size 8"),
    ):
        np.savez(tmp_path / "flat.npz", x_train=x)
        warnings = []
        dataset = data.load(tmp_path / "flat.npz", warn=warnings.append)
        assert dataset.image_shape == x.shape[1:]
        assert any(line in text for text in warnings)


@pytest.mark.parametrize(
    ("y", "line", "expected"),
    [
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


def test_names_that_say_nothing_have_no_suggestion(tmp_path):
    np.savez(tmp_path / "set.npz", alpha=X, beta=Y)
    message = refused(tmp_path / "set.npz")
    assert "must contain the array x_train, or a usual name of it such as x" in message
    assert message.endswith("Received: alpha, beta")


def test_arrays_that_are_left_out_are_named(tmp_path):
    np.savez(tmp_path / "set.npz", x_train=X, x=X, bonus=Y)
    warnings = []
    data.load(tmp_path / "set.npz", warn=warnings.append)
    (text,) = warnings
    assert text.endswith("Left out: ['bonus', 'x']")


@pytest.mark.parametrize("shape", [(12, 64, 1), (12, 1, 64)])
def test_flat_images_with_an_axis_for_channels_are_named(tmp_path, shape):
    """They have the form of images that are one pixel high or wide."""
    np.savez(tmp_path / "set.npz", x_train=X.reshape(shape))
    warnings = []
    data.load(tmp_path / "set.npz", warn=warnings.append)
    (text,) = warnings
    assert f"read as images of {shape[2]}x{shape[1]} pixels" in text
    assert text.endswith("give vectors, shape (12, 64), and --image_size 8.")
