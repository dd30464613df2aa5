"""Labels of -1 in files: unlabelled images are used where they can be, and never as a class."""

import csv
import json

import numpy as np
import pytest
from helpers import DRAW, pictures
from helpers import data_refused as refused

from adversarial_autoencoder import data, figures, networks, runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.dataset import make_dataset
from adversarial_autoencoder.data.labels import known_labels, training_labels
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.evaluation import features, report
from adversarial_autoencoder.model import AdversarialAutoencoder

QUICK = ["--hidden_units=8", "--epochs=1", "--batch_size=50", "--run_name=a"]


@pytest.fixture(scope="module")
def arrays():
    """360 digits with 60 test images; every third image is unlabelled."""
    digits = data.load("digits")
    x, y = digits.x_train[:360], digits.y_train[:360].copy()
    y[::3] = -1
    return {"x_train": x[:300], "y_train": y[:300], "x_test": x[300:], "y_test": y[300:]}


@pytest.fixture(scope="module")
def partly(arrays):
    """They as a data set."""
    return make_dataset("partly", "partly", **arrays)


@pytest.fixture
def path(arrays, tmp_path):
    np.savez(tmp_path / "partly.npz", **arrays)
    return tmp_path / "partly.npz"


def test_unlabelled_images_are_kept_and_counted(path):
    warnings = []
    dataset = data.load(path, warn=warnings.append)
    assert warnings == [
        f"100 of the 300 labels in y_train of {path} are -1, for unlabelled images.",
        f"20 of the 60 labels in y_test of {path} are -1, for unlabelled images.",
    ]
    assert dataset.num_classes == 10
    assert dataset.class_names == tuple("0123456789")
    assert len(dataset.x_train) == len(dataset.y_train) == 250
    for y in (dataset.y_train, dataset.y_validation, dataset.y_test):
        assert set(y) == {*range(-1, 10)}


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.full(12, -1), "must contain the label of an image; without labels leave it out"),
        (np.arange(12) % 3 - 2, "at least 0, or -1 for unlabelled images"),
        (np.arange(12) % 3 * 2 - 1, "no label of class 0"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused(tmp_path, y, message):
    np.savez(tmp_path / "a.npz", x_train=np.zeros((12, 4, 4), "uint8"), y_train=y)
    assert message in refused(tmp_path / "a.npz")


def test_a_part_without_any_label_has_no_labels():
    x, y = np.arange(12, dtype="uint8").repeat(16).reshape(12, 4, 4), np.arange(12) % 2
    given = make_dataset("a", "a", x, y, x, np.full(12, -1), x_validation=x, y_validation=y - y - 1)
    assert given.y_test is None
    assert given.y_validation is None
    # The two images that are split off happen to be unlabelled.
    last = make_dataset("a", "a", x, np.where(np.arange(12) > 9, -1, y), shuffle=False)
    assert last.y_test is None


def test_known_labels_choose_among_the_labelled(partly):
    labels = known_labels(partly.y_train, 50, 10, seed=0)
    assert np.bincount(labels[labels >= 0]).tolist() == [5] * 10
    assert (partly.y_train[labels >= 0] == labels[labels >= 0]).all()
    assert np.array_equal(known_labels(partly.y_train, 0, 10, seed=0), partly.y_train)


def test_shares_count_the_labelled_images(partly):
    config = Config.of(model="semi_supervised_aae", num_labels=0)
    labels, shares = training_labels(config, partly)
    assert np.array_equal(labels, partly.y_train)
    counts = np.bincount(labels[labels >= 0])
    assert shares == pytest.approx(counts / counts.sum())


@pytest.mark.parametrize("num_labels", [None, 0])
def test_a_system_that_needs_each_label_refuses_them_in_one_line(partly, num_labels):
    given = {} if num_labels is None else {"num_labels": num_labels}
    config = Config.of(model="supervised_aae", **given)
    with pytest.raises(InputError) as error:
        training_labels(config, partly)
    n = np.count_nonzero(partly.y_train < 0)
    assert str(error.value) == (
        "supervised_aae needs a label for each training image. --num_labels N trains on N labelled "
        f"images only. Received: partly with {n} of 250 training images without a label"
    )


def test_the_command_line_refuses_them_and_writes_nothing(path, command_line, tmp_path):
    flags = [f"--dataset={path}", "--model=supervised_aae", *QUICK]
    _, err = command_line(*flags, results=tmp_path / "results", status=2)
    assert "Error: supervised_aae needs a label for each training image." in err
    assert not (tmp_path / "results").exists()


def test_validation_images_need_a_label_where_classes_are_measured():
    digits = data.load("digits")
    x, y = digits.x_train[:100], digits.y_train[:100]
    none = {"x_validation": x[:10], "y_validation": np.full(10, -1)}
    dataset = make_dataset("digits", "digits", x, y, x, y, **none)
    for model in ("supervised_aae", "semi_supervised_aae"):
        with pytest.raises(InputError, match="needs validation images with labels"):
            training_labels(Config.of(model=model, num_labels=20), dataset)
    # The discriminator sees these images as unlabelled.
    conditioned = {"prior": "gaussian_mixture", "condition_prior_on_labels": True, "z_dim": 2}
    assert training_labels(Config.of(model="aae", **conditioned), dataset)[1] is not None


SYSTEMS = {
    "semi_supervised": ["--model=semi_supervised_aae", "--num_labels=0"],
    "few": ["--model=semi_supervised_aae", "--num_labels=30"],
    "conditioned": ["--prior=gaussian_mixture", "--condition_prior_on_labels", "--z_dim=2"],
    "supervised": ["--model=supervised_aae", "--num_labels=100"],
    "reduction": ["--model=dimensionality_reduction_aae", "--num_labels=30", "--z_dim=2"],
    "unused": ["--model=wae_mmd"],
}


# They train like "few".
SLOWEST = ("semi_supervised", "reduction")


@pytest.mark.parametrize(
    "system",
    [pytest.param(s, marks=[pytest.mark.long] if s in SLOWEST else []) for s in SYSTEMS],
)
@pytest.mark.usefixtures("eager")
def test_every_system_trains_and_every_mode_works(
    path, command_line, tmp_path, monkeypatch, system
):
    """The only lines on stderr are those about unlabelled images."""
    monkeypatch.setitem(features.RECIPE, "steps", 2)
    flags = [*SYSTEMS[system], *QUICK]
    # One training draws its pictures, which take seconds.
    with pictures(**(DRAW if system == "conditioned" else {})):
        _, err = command_line(f"--dataset={path}", *flags, results=tmp_path)
    assert [line.split()[0] for line in err.splitlines()] == ["Warning:"] * 2
    (row,) = runs.Run(tmp_path / "a").read_history()
    assert all(np.isfinite(value) for value in row.values())
    labelled = tmp_path / "a" / "labelled_images.csv"
    assert labelled.exists() == (system != "unused")
    if labelled.exists():
        with labelled.open() as file:
            assert all(int(entry["label"]) >= 0 for entry in csv.DictReader(file))
    for flags in (["latent_scatter"], ["reconstruct"], ["interpolate", "--num_images=3"]):
        command_line("--mode", *flags, results=tmp_path)
    out, _ = command_line("--mode=evaluate", results=tmp_path)
    metrics = json.loads((tmp_path / "a" / "metrics.json").read_text())
    assert 0 <= metrics["linear_probe_error"] <= 1
    if system == "supervised":
        assert metrics["num_test_images"] == 40
    else:
        assert "Measures of classes leave out 20 test images without a label." in out
    if system in ("semi_supervised", "few", "reduction"):
        out, _ = command_line("--mode=classify", results=tmp_path)
        assert "of 40 images" in out
        assert 0 <= metrics["error"] <= 1


def test_a_measure_equals_that_of_the_labelled_images_alone(partly):
    hidden = {"hidden_units": 8}
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, num_classes=10, **hidden),
        networks.decoder((8, 8, 1), 2, num_classes=10, **hidden),
        {"z": networks.discriminator(2, **hidden), "y": networks.discriminator(10, **hidden)},
    )
    whole = report.measure(model, partly).metrics
    labelled = partly.held_out_with_labels()
    assert len(labelled.x_test) == 40
    known = partly.y_train >= 0
    alone = report.measure(
        model,
        make_dataset(
            "labelled",
            "labelled",
            partly.x_train[known],
            partly.y_train[known],
            labelled.x_test,
            labelled.y_test,
            x_validation=labelled.x_validation,
            y_validation=labelled.y_validation,
            shuffle=False,
        ),
    ).metrics
    names = [name for name in whole if name.split("_")[0] in ("clustering", "nmi", "ari")]
    for name in [*names, "nearest_neighbour_error", "linear_probe_error"]:
        assert whole[name] == pytest.approx(alone[name]), name
    assert len(names) == 5


@pytest.mark.usefixtures("eager")
def test_the_classifier_of_features_learns_from_labelled_images(
    path, command_line, tmp_path, monkeypatch
):
    seen = []

    def train_classifier(x, y, num_classes):
        seen.append((len(x), set(y)))
        return original(x, y, num_classes)

    original = features.train_classifier
    monkeypatch.setitem(features.RECIPE, "steps", 2)
    monkeypatch.setattr(features, "train_classifier", train_classifier)
    command_line(f"--dataset={path}", "--model=wae_mmd", *QUICK, results=tmp_path)
    command_line("--mode=evaluate", results=tmp_path)
    labelled = np.count_nonzero(data.load(path).y_train >= 0)
    assert seen == [(labelled, set(range(10)))]


def test_unlabelled_points_are_grey_in_the_figure():
    labels = np.array([0, 1, -1, -1])
    figure = figures.latent_scatter(np.eye(4)[:, :2], np.eye(4)[:, :2], labels, ("a", "b"))
    colours = {tuple(c) for c in figure.axes[0].collections[0].get_facecolors().round(2)}
    assert (0.45, 0.45, 0.45, 0.7) in colours
    assert len(colours) == 3
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a", "b", "unlabelled"]


@pytest.mark.parametrize(("labelled", "fits"), [(31, False), (32, True), (41, True)])
def test_all_labelled_images_must_fit_on_the_replicas(labelled, fits):
    """With fewer labelled images than a minibatch has, each minibatch has all of them."""

    class Two:
        num_replicas_in_sync = 2

    x = np.arange(60, dtype="uint8").repeat(64).reshape(60, 8, 8)
    y = np.where(np.arange(60) < labelled, np.arange(60) % 2, -1)
    held_out = {"x_test": x, "y_test": y, "x_validation": x, "y_validation": y}
    dataset = make_dataset("few", "few", x, y, **held_out)
    settings = {"num_labels": 0, "batch_size": 40, "epochs": 1, "strategy": "mirrored"}
    config = Config.of(model="semi_supervised_aae", **settings)
    if fits:
        training.check(config, dataset, Two)
        return
    with pytest.raises(InputError, match="multiple of the 2 replicas. Received: 31 labelled im"):
        training.check(config, dataset, Two)
