"""Arrays as people have them: names, layouts, labels and MATLAB files."""

import numpy as np
import pytest
from helpers import data_refused
from scipy import io

from adversarial_autoencoder import data
from adversarial_autoencoder.config.image_form import ANY_FORM, ImageForm
from adversarial_autoencoder.data.arrays.mat_files import read_mat
from adversarial_autoencoder.data.arrays.names import USUAL_NAMES

X = np.random.default_rng(1).integers(0, 256, (60, 8, 8), "uint8")
COLOUR = np.random.default_rng(2).integers(0, 256, (60, 8, 8, 3), "uint8")
Y = np.arange(60) % 3
NAMES = np.array(["cat", "dog", "owl"])


@pytest.fixture
def loaded(tmp_path):
    """Loads a file with the given arrays; returns the data set and the warnings."""

    def load(form=ANY_FORM, suffix="npz", **arrays):
        path = tmp_path / f"set.{suffix}"
        if suffix == "npz":
            np.savez(path, **arrays)
        else:
            io.savemat(path, arrays)
        texts = []
        return data.load(path, warn=texts.append, form=form), texts

    return load


def joined(dataset, name):
    """The images or labels of all parts."""
    return np.concatenate(
        [getattr(dataset, f"{name}_{p}") for p in ("train", "validation", "test")]
    )


def assert_same(dataset, x, y=None):
    """Checks that a data set holds these images in any order, each with its label."""
    found = [bytes(image) for image in joined(dataset, "x")]
    assert sorted(found) == sorted(map(bytes, x))
    if y is None:
        assert dataset.num_classes == 0
    else:
        label_of = dict(zip(map(bytes, x), y, strict=True))
        assert [label_of[image] for image in found] == joined(dataset, "y").tolist()


@pytest.mark.parametrize(
    ("x", "y"),
    [("x", "y"), ("X", "labels"), ("imgs", "labs"), ("data", "target"), ("images", "labels")]
    + [("train_images", "train_labels"), ("X_train", "y_train"), ("arr_0", "arr_1")],
)
def test_usual_names_are_found(loaded, x, y):
    dataset, texts = loaded(**{x: X, y: Y})
    assert texts == []
    assert_same(dataset, X, Y)


def test_medmnist_keeps_its_parts(loaded):
    parts = {"train": slice(40), "val": slice(40, 50), "test": slice(50, 60)}
    arrays = {f"{p}_images": COLOUR[s] for p, s in parts.items()}
    arrays |= {f"{p}_labels": Y[s, None] for p, s in parts.items()}
    dataset, texts = loaded(**arrays)
    assert texts == []
    assert np.array_equal(dataset.x_validation, COLOUR[40:50])
    assert np.array_equal(dataset.y_test, Y[50:])
    assert len(dataset.x_train) == 40


def test_no_usual_name_stands_for_two_arrays():
    names = [name for usual in USUAL_NAMES.values() for name in usual]
    assert len(names) == len(set(names))


def test_the_standard_name_wins_and_others_are_named(loaded):
    dataset, (text,) = loaded(x_train=X, data=X[:5], images=X[:5])
    assert_same(dataset, X)
    assert "Left out: ['data', 'images']" in text


@pytest.mark.parametrize(
    ("x", "layout", "expected"),
    [
        (np.moveaxis(COLOUR, -1, 1), "the channels on the second axis", COLOUR),
        (X[:, None], "the channels on the second axis", X[..., None]),
        (np.moveaxis(COLOUR, 0, -1), "the images on the last axis", COLOUR),
    ],
)
def test_other_layouts_are_recognised_and_said(loaded, x, layout, expected):
    dataset, (text,) = loaded(x=x, y=Y)
    assert f"of shape {x.shape} is read with {layout}, as images of shape {expected.shape}." in text
    assert_same(dataset, expected, Y)


@pytest.mark.parametrize("x", [COLOUR[:, :3], np.zeros((60, 3, 5, 1), "uint8"), COLOUR[:, :, :1]])
def test_the_usual_layout_wins(loaded, x):
    dataset, _ = loaded(x=x)
    assert dataset.image_shape == x.shape[1:]


def test_layouts_with_two_readings_are_refused(tmp_path):
    np.savez(tmp_path / "set.npz", x=np.zeros((9, 3, 3, 8), "uint8"))
    assert "must have the shape (n, h, w), (n, h, w, 1)" in data_refused(tmp_path / "set.npz")


def test_flat_images_get_the_shape_of_the_flag(loaded, tmp_path):
    for form, x in ((ImageForm((8, 8)), X), (ImageForm((4, 16)), X.reshape(60, 4, 16))):
        dataset, texts = loaded(form, x=X.reshape(60, 64), y=Y)
        assert texts == []
        assert_same(dataset, x[..., None], Y)
    message = data_refused(tmp_path / "set.npz", form=ImageForm((9, 9)))
    assert "must have 81 values for each image of --image_size 9x9" in message
    assert "--image_size 8." in message


@pytest.mark.parametrize(
    ("labels", "said", "names"),
    [
        (np.eye(3)[Y], "one-hot rows of 3 classes", "012"),
        (np.eye(3, dtype=bool)[Y], "one-hot rows of 3 classes", "012"),
        (NAMES[Y], "names of 3 classes", NAMES),
        (NAMES[Y].astype("S"), "names of 3 classes", NAMES),
        (Y + 1, "numbers from 1 to 3", "123"),
        ((Y + 1)[:, None].astype("uint8"), "numbers from 1 to 3", "123"),
        (Y.astype("float32"), "floating-point numbers", "012"),
        (Y + 1.0, "numbers from 1 to 3", "123"),
        (Y[:, None], None, "012"),
        (Y.astype("uint8")[None], None, "012"),
    ],
)
def test_labels_are_numbered_and_said(loaded, labels, said, names):
    dataset, texts = loaded(x=X, y=labels)
    assert_same(dataset, X[..., None], Y)
    assert dataset.class_names == tuple(names)
    assert [said in text and "numbered from 0 to 2" in text for text in texts] == [True] * bool(
        said
    )


def test_booleans_are_two_classes(loaded):
    dataset, (text,) = loaded(x=X, y=Y > 1)
    assert "are booleans; they are numbered from 0 to 1." in text
    assert dataset.class_names == ("0", "1")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (Y + 1, "numbers from 1 to 3"),
        (NAMES[Y], "names of 3 classes"),
        (NAMES[Y].astype("S"), "names of 3 classes"),
    ],
)
def test_unlabelled_images_stay_unlabelled(loaded, labels, said):
    """Among names of classes, -1 is a text."""
    unlabelled = np.arange(60) < 30
    y = np.where(unlabelled, np.array(-1).astype(labels.dtype), labels)
    dataset, texts = loaded(x=X, y=y)
    assert_same(dataset, X[..., None], np.where(unlabelled, -1, Y))
    assert said in texts[0]
    assert "30 of the 60 labels in y_train" in texts[1]


def test_test_labels_get_the_numbers_of_training_labels(loaded, tmp_path):
    """The class dog has no test image."""
    dataset, _ = loaded(x_train=X, y_train=NAMES[Y], x_test=X[:3], y_test=NAMES[[0, 2, 2]])
    assert dataset.y_test.tolist() == [0, 2, 2]
    dataset, _ = loaded(x_train=X, y_train=Y + 1, x_test=X[:3], y_test=np.array([1, 3, -1]))
    assert dataset.y_test.tolist() == [0, 2, -1]
    # Numbers from 0 beside numbers from 1 would shift all classes.
    for y_train, y_test, found in (
        (Y + 1, [0, 1, 2], "'0'"),
        (NAMES[Y], ["cat", "ape", "owl"], "'ape'"),
    ):
        np.savez(tmp_path / "set.npz", x_train=X, y_train=y_train, x_test=X[:3], y_test=y_test)
        message = data_refused(tmp_path / "set.npz")
        assert f"must contain only labels of y_train. Received: {found}" in message


def test_matlab_files_of_street_numbers_are_read(loaded):
    """As SVHN: images on the last axis, and the label 10 for the digit 0."""
    y = np.arange(60) % 10 + 1
    dataset, texts = loaded(
        suffix="mat", X=np.moveaxis(COLOUR, 0, -1), y=y[:, None].astype("uint8")
    )
    assert_same(dataset, COLOUR, y - 1)
    assert dataset.class_names == tuple(map(str, range(1, 11)))
    assert "the images on the last axis" in texts[0]
    assert "numbers from 1 to 10" in texts[1]


def test_other_matlab_files_are_read(loaded):
    dataset, texts = loaded(suffix="mat", data=np.moveaxis(X, 0, -1), label=Y[None] * 1.0)
    assert_same(dataset, X[..., None], Y)
    assert len(texts) == 2
    # One image in each column.
    flat = {"data": X.reshape(60, -1).T, "label": Y[None]}
    dataset, texts = loaded(ImageForm((8, 8)), suffix="mat", **flat)
    assert texts == []
    assert_same(dataset, X[..., None], Y)
    dataset, (text,) = loaded(suffix="mat", images=np.moveaxis(X, 0, -1))
    assert "the images on the last axis" in text
    assert_same(dataset, X[..., None])


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "x",
    [np.arange(24.0).reshape(2, 3, 4), np.int16([[1, -2]]), np.ones((3, 2)) > 0, np.zeros((0, 3))]
    + [np.float32([[0.1]]), np.int64([[2**40]]), np.uint16([[65535]]), np.array([[1.5, 2**60]])],
)
def test_matlab_arrays_are_those_that_scipy_reads(tmp_path, x, compressed):
    """The reader is the project's own."""
    io.savemat(tmp_path / "a.mat", {"x": x, "other": x}, do_compression=compressed)
    texts = []
    found = read_mat(tmp_path / "a.mat", texts.append)["x_train"]
    expected = io.loadmat(tmp_path / "a.mat")["x"]
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert np.array_equal(found, expected)
    assert "Left out: ['other']" in texts[0]
