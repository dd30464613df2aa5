"""Which training images count as labelled, and which classes a training keeps."""

import numpy as np
import pytest

from adversarial_autoencoder import data
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.dataset import make_dataset
from adversarial_autoencoder.data.labels import keep_classes, known_labels, training_labels
from adversarial_autoencoder.errors import InputError

# 3 classes of 20, 30 and 50 images, in a random order.
Y = np.random.default_rng(0).permutation(np.repeat(np.arange(3), [20, 30, 50]))


def counts(labels):
    return np.bincount(labels[labels >= 0], minlength=3).tolist()


@pytest.mark.parametrize(
    ("num_labels", "expected"),
    [(3, [1, 1, 1]), (30, [10, 10, 10]), (31, [11, 10, 10]), (32, [11, 11, 10])],
)
def test_labels_are_balanced_between_classes(num_labels, expected):
    labels = known_labels(Y, num_labels, 3, seed=0)
    assert counts(labels) == expected
    assert (labels[labels >= 0] == Y[labels >= 0]).all()
    assert (labels[labels < 0] == -1).all()
    assert labels.dtype == "int32"


@pytest.mark.parametrize("num_labels", [3, 4, 50, 100])
def test_labels_that_are_not_balanced_have_the_frequencies_of_the_data(num_labels):
    drawn = [known_labels(Y, num_labels, 3, seed, balanced=False) for seed in range(50)]
    assert all((labels >= 0).sum() == num_labels for labels in drawn)
    assert all((labels[labels >= 0] == Y[labels >= 0]).all() for labels in drawn)
    assert min(min(counts(labels)) for labels in drawn) >= 1
    if num_labels == 50:
        mean = np.mean([counts(labels) for labels in drawn], axis=0)
        np.testing.assert_allclose(mean, [10, 15, 25], atol=1.5)


def test_0_means_all_labels():
    assert np.array_equal(known_labels(Y, 0, 3, seed=0), Y)
    assert known_labels(Y, 0, 3, seed=0).dtype == "int32"


def test_the_choice_depends_on_the_seed_alone():
    one, again, other = (known_labels(Y, 30, 3, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one >= 0, other >= 0)
    assert counts(one) == counts(other)


def test_every_image_can_be_chosen():
    chosen = sum((known_labels(Y, 30, 3, seed) >= 0).astype(int) for seed in range(100))
    assert chosen.min() > 0
    # Each draw takes 10 of the 50 images of the largest class.
    assert chosen[Y == 2].mean() == 20
    assert chosen[Y == 2].std() < 8


@pytest.mark.parametrize(
    ("num_labels", "message"),
    [
        (2, "at least 3, one for each class. Received: num_labels=2"),
        (61, "the 20 training images of class 0. Received: num_labels=61, which selects 21"),
        (10**8, "the 20 training images"),
    ],
)
def test_more_labels_than_there_are_is_refused(num_labels, message):
    with pytest.raises(InputError) as error:
        known_labels(Y, num_labels, 3, seed=0)
    assert message in str(error.value)


def test_all_images_of_a_class_can_be_labelled():
    assert counts(known_labels(Y, 60, 3, seed=0)) == [20, 20, 20]


def test_shares_count_the_labelled_images():
    digits = data.load("digits")
    labels, shares = training_labels(Config.of(model="semi_supervised_aae"), digits)
    assert (labels >= 0).sum() == 100
    assert shares == pytest.approx([0.1] * 10)
    labels, shares = training_labels(Config.of(model="supervised_aae"), digits)
    assert np.array_equal(labels, digits.y_train)
    assert shares == pytest.approx(np.bincount(digits.y_train) / len(digits.y_train))


def test_a_class_without_a_training_image_is_refused(tmp_path):
    """The only image of a class can be a validation or test image."""
    y = np.arange(60) % 2
    y[-1] = 2
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), "uint8")
    refused = 0
    for i in range(60):
        np.savez(tmp_path / "images.npz", x_train=images, y_train=np.roll(y, i))
        dataset = data.load(str(tmp_path / "images.npz"))
        if 2 in dataset.y_train:
            continue
        refused += 1
        with pytest.raises(InputError, match="must have a training image.*none of class 2"):
            training_labels(Config.of(model="supervised_aae"), dataset)
    assert refused == 18  # Ten test images, and eight for validation.


@pytest.mark.parametrize("model", ["aae", "clustering_aae", "dimensionality_reduction_aae"])
def test_a_system_without_labels_gets_none(model):
    assert training_labels(Config.of(model=model), data.load("digits")) == (None, None)


def test_data_without_labels_is_refused_if_the_system_needs_them(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8), "uint8")
    np.savez(tmp_path / "images.npz", x_train=images)
    dataset = data.load(str(tmp_path / "images.npz"))
    with pytest.raises(
        InputError, match="need a data set with labels. Received: images without labels"
    ):
        training_labels(Config.of(model="supervised_aae"), dataset)
    assert training_labels(Config.of(model="clustering_aae"), dataset) == (None, None)


def test_some_labels_of_a_table_keep_their_frequencies(tmp_path):
    x, y = np.random.default_rng(0).normal(size=(600, 3)), np.arange(600) % 10 == 0
    np.savez(tmp_path / "x.npz", x_train=x, y_train=y.astype(int))
    config = Config(model="semi_supervised_aae", num_labels=100)
    labels, shares = training_labels(config, data.load(tmp_path / "x.npz"))
    found = np.bincount(labels[labels >= 0])
    assert found.sum() == 100
    assert 2 <= found[1] <= 25
    np.testing.assert_allclose(shares, found / 100)


@pytest.mark.parametrize(
    ("y", "num_labels", "message"),
    [
        (np.array([0, 1, 2, -1]), 4, "at most the 3 labelled training rows"),
        (np.array([0, 2, 2, 2]), 3, "none of class 1"),
    ],
)
def test_labels_of_a_table_that_cannot_be_drawn_are_refused(y, num_labels, message):
    with pytest.raises(InputError, match=message):
        known_labels(y, num_labels, 3, seed=0, balanced=False)


def test_train_on_leaves_only_these_classes_in_the_training(dataset):
    kept = keep_classes(dataset, "3, 5")
    assert set(kept.y_train) == set(kept.y_validation) == {3, 5}
    assert len(kept.x_train) == np.isin(dataset.y_train, [3, 5]).sum()
    assert len(kept.x_test) == len(dataset.x_test)
    assert kept.checksum == dataset.checksum


@pytest.mark.parametrize(
    ("labels", "train_on", "expected"),
    [
        (np.arange(36) % 3, "7", "train_on must name classes of blank: 0, 1, 2"),
        (np.arange(36) % 3, "1,", "train_on must name classes"),
        (np.r_[np.zeros(35, int), 1], "1", "which leaves [01]"),
        (None, "1", "without labels"),
    ],
)
def test_train_on_that_cannot_be_used_is_refused(labels, train_on, expected):
    x = np.random.default_rng(0).integers(0, 255, (36, 8, 8), "uint8")
    with pytest.raises(InputError, match=expected):
        keep_classes(make_dataset("blank", "a test", x, labels), train_on)
