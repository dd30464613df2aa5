"""The feature classifier, the mixture that is fitted to codes, and the report of a model."""

import dataclasses
import os
import types

import keras
import numpy as np
import pytest

from adversarial_autoencoder import data, phases, priors
from adversarial_autoencoder.evaluation import features, gaussian_mixture, report
from adversarial_autoencoder.evaluation.metrics import METRICS

RECIPE = features.RECIPE | {"filters": [8, 16], "units": 32, "steps": 150}


@pytest.fixture(scope="module")
def dataset():
    return data.load("digits")


@pytest.fixture(scope="module")
def classifier(dataset):
    return features.train_classifier(dataset.x_train, dataset.y_train, 10, RECIPE)


def test_the_classifier_learns_and_its_features_are_float32(dataset, classifier):
    x = dataset.x_test / 255
    space = features.Features(classifier)
    assert np.mean(space.classify(x) != dataset.y_test) < 0.2
    found = space(x)
    assert (found.shape, found.dtype) == ((299, 32), np.float32)
    logits = classifier.get_layer("logits")
    assert np.allclose(logits(found), classifier(x), atol=1e-4)


def test_a_saved_classifier_keeps_its_fingerprint(dataset, classifier, tmp_path):
    classifier.save(tmp_path / "a.keras")
    read = features.read_classifier(tmp_path / "a.keras", (8, 8, 1), 10)
    space, again = features.Features(classifier), features.Features(read)
    assert space.fingerprint == again.fingerprint < 2**32
    x = dataset.x_test[:9] / 255
    assert np.allclose(space(x), again(x), atol=1e-6)
    read.get_layer("logits").bias.assign_add(np.full(10, 1e-3))
    assert space.fingerprint != again.fingerprint


def test_a_file_without_the_classifier_gives_none(classifier, tmp_path):
    """A file of another program must not block the measures: the classifier is trained again."""
    path = tmp_path / "a.keras"
    keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()]).save(path)
    (tmp_path / "broken.keras").write_bytes(b"half a file")
    (tmp_path / "folder.keras").mkdir()
    os.mkfifo(tmp_path / "pipe.keras")
    for name in ("missing", "broken", "folder", "pipe", "a"):
        assert features.read_classifier(tmp_path / f"{name}.keras", (8, 8, 1), 10) is None
    classifier.save(path)
    assert features.read_classifier(path, (8, 8, 1), 10) is not None
    assert features.read_classifier(path, (8, 8, 3), 10) is None
    assert features.read_classifier(path, (8, 8, 1), 9) is None


def test_the_key_changes_with_data_and_recipe():
    keys = {
        features.cache_key("sha256:a"),
        features.cache_key("sha256:b"),
        features.cache_key("sha256:a", RECIPE),
    }
    assert len(keys) == 3
    assert features.cache_key("sha256:a") in keys


def test_a_mixture_samples_where_the_codes_are():
    rng = np.random.default_rng(0)
    centers = np.array([[5, 0], [-5, 0], [0, 5]])
    z = centers[rng.integers(0, 3, 3000)] + rng.normal(0, 0.3, (3000, 2))
    mixture = gaussian_mixture.fit(z)
    assert mixture.n_components == 3
    samples = gaussian_mixture.sample(mixture, 2000)
    assert (samples.shape, samples.dtype) == ((2000, 2), np.float32)
    distance = np.linalg.norm(samples[:, None] - centers, axis=2)
    assert (distance.min(axis=1) < 1.5).all()
    shares = np.bincount(distance.argmin(axis=1)) / 2000
    assert shares == pytest.approx([1 / 3] * 3, abs=0.05)
    # The samples are not ordered by component, so any part is like the whole.
    assert len(set(distance.argmin(axis=1)[:20])) == 3
    assert np.array_equal(samples, gaussian_mixture.sample(gaussian_mixture.fit(z), 2000))


def test_a_mixture_has_as_many_gaussians_as_the_codes_need():
    rng = np.random.default_rng(0)
    assert gaussian_mixture.fit(rng.normal(0, 5, (2000, 2))).n_components <= 3
    angle = rng.uniform(0, 2 * np.pi, 3000)
    ring = 5 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(0, 0.1, (3000, 2))
    mixture = gaussian_mixture.fit(ring)
    assert mixture.n_components >= 30
    radius = np.linalg.norm(gaussian_mixture.sample(mixture, 1000), axis=1)
    assert radius == pytest.approx(np.full(1000, 5), abs=1)


def test_more_gaussians_are_tried_if_a_few_more_are_not_better():
    """For two lines, 3 Gaussians describe held-out codes worse than 1, and 10 far better."""
    rng = np.random.default_rng(0)
    line = rng.integers(0, 2, 3000)
    z = np.stack([rng.normal(size=3000), line + rng.normal(0, 0.05, 3000)], axis=1)
    samples = gaussian_mixture.sample(gaussian_mixture.fit(z), 1000)[:, 1]
    assert (np.abs(samples - samples.round()) < 0.25).mean() > 0.99


@pytest.mark.filterwarnings("error")
def test_a_mixture_of_few_or_of_equal_codes():
    assert gaussian_mixture.sample(gaussian_mixture.fit(np.array([[0.0], [1.0]])), 5).shape == (
        5,
        1,
    )
    # scikit-learn warns that two values do not give 10 clusters.
    equal = gaussian_mixture.fit(np.tile([[0.0], [1.0]], (500, 1)))
    samples = gaussian_mixture.sample(equal, 100)
    assert np.abs(samples - samples.round()).max() < 0.01


def test_a_report_has_the_measures_that_model_and_data_allow(make_model, dataset, classifier):
    space = features.Features(classifier)
    found, columns = report.measure(make_model(), dataset, space, max_images=200)
    assert columns == {}
    assert found["num_test_images"] == found["num_training_images"] == 200
    assert set(found) <= set(METRICS)
    assert {"mse", "gaps", "linear_probe_error", "fid", "recall", "parzen"} <= set(found)
    assert not {"error", "nmi", "y_divergence"} & set(found)
    assert all(np.isfinite(value) for value in found.values())


def test_without_labels_nothing_about_classes_is_measured(make_model, dataset):
    names = ("y_train", "y_validation", "y_test")
    unlabelled = dataclasses.replace(dataset, class_names=(), **dict.fromkeys(names))
    found = report.measure(make_model(), unlabelled, max_images=60).metrics
    assert {"mse", "sliced_wasserstein", "parzen"} <= set(found)
    assert not any("error" in name.replace("standard_error", "") for name in found)
    assert "fid" not in found


def test_measures_with_the_mixture_are_named_and_differ(make_model, dataset):
    model = make_model()
    found = report.measure(model, dataset, sampler="gaussian_mixture", max_images=100).metrics
    assert "parzen" not in found
    assert found["num_components_gaussian_mixture"] in gaussian_mixture.COMPONENTS
    assert found["num_codes_gaussian_mixture"] == len(dataset.x_train)
    prior = report.measure(model, dataset, max_images=100).metrics
    assert not any("mixture" in name for name in prior)
    assert found["parzen_gaussian_mixture"] != prior["parzen"]
    assert found["mse"] == prior["mse"]


@pytest.mark.parametrize("labelled", [4, 5])
def test_neighbours_are_left_out_with_fewer_labels(make_model, dataset, labelled):
    y = np.where(np.arange(len(dataset.y_train)) < labelled, dataset.y_train, -1)
    few = dataclasses.replace(dataset, y_train=y)
    assert len(set(y)) > 2
    found = report.measure(make_model(), few, max_images=60).metrics
    assert ("nearest_neighbour_error" in found) == (labelled == 5)
    assert "linear_probe_error" in found


def test_the_mixture_is_fitted_to_codes_of_training_images(make_model, dataset):
    model = make_model()
    codes = report.mixture_codes(model, dataset)
    assert np.array_equal(codes, model.encode(dataset.x_train, seed=0))


def test_measures_of_an_ideal_model():
    """A model whose codes are its images: a perfect reconstruction and uniform codes."""

    class Identity:
        seed, z_dim, num_classes, infers_y, phases = 0, 16, 0, False, ()
        codes = types.SimpleNamespace(needs_y=False)
        prior = priors.Uniform(std=1 / 12**0.5)

        def encode(self, x, seed=None):
            x = x / 255 if x.dtype == np.uint8 else x
            return np.asarray(x, "float32").reshape(len(x), -1) - 0.5

        represent = encode

        def decode(self, z, y=None):
            return (z + 0.5).reshape(-1, 4, 4, 1)

        decode_array = decode

        def generate(self, n, z=None):
            return self.decode(priors.draw(self.prior, n, 16))

        generate_array = generate

    x = np.random.default_rng(0).integers(0, 256, (1200, 4, 4), "uint8")
    found, _ = report.measure(Identity(), data.dataset.make_dataset("noise", "noise", x), None)
    assert found["mse"] == pytest.approx(0, abs=1e-12)
    assert found["ssim"] == pytest.approx(1)
    assert found["sliced_wasserstein"] < 1.5 * found["sliced_wasserstein_floor"]
    ratio = found["sliced_wasserstein_training"] / found["sliced_wasserstein_floor"]
    assert 0.75 < ratio < 1.5, "it has as many images as the floor"
    assert found["gaps"] == pytest.approx(0.01, abs=0.03)
    assert "psnr" not in found, "it is infinite"
    # Only the first quarter of the file is like the test images.
    noise = data.dataset.make_dataset("noise", "noise", x)
    x_train = noise.x_train.copy()
    x_train[len(x_train) // 4 :] //= 2
    darker = dataclasses.replace(noise, x_train=x_train)
    other, _ = report.measure(Identity(), darker, None, max_images=len(x_train) // 4)
    assert other["sliced_wasserstein"] < 1.5 * other["sliced_wasserstein_floor"]
    assert other["sliced_wasserstein_training"] > 3 * other["sliced_wasserstein_floor"]


def test_classes_are_measured_as_classes_and_clusters_as_clusters(dataset):
    class Fixed:
        """Infers the permuted labels of the images."""

        num_classes = 10
        codes = types.SimpleNamespace(
            y=types.SimpleNamespace(prior_shares=priors.Categorical().shares(10))
        )

        def __init__(self, phases):
            self.phases = phases

        def classify(self, x):
            return np.eye(10)[np.roll(np.arange(10), 3)[dataset.y_validation]]

    def measured(*run):
        inferred = np.eye(10)[np.roll(np.arange(10), 3)[dataset.y_test]]
        return report._classes(Fixed(run), None, dataset.y_validation, inferred, dataset.y_test)

    clusters, classes = measured(phases.Reconstruction()), measured(phases.Classification())
    for rule in ("best_image", "majority", "matching"):
        assert clusters[f"clustering_error_{rule}"] == 0
    assert clusters["ari"] == 1
    assert (clusters["num_clusters"], classes["num_classes"]) == (10, 10)
    assert (classes["error"], classes["calibration_error"]) == (1, 1)
    shares = np.bincount(dataset.y_test) / len(dataset.y_test)
    expected = np.log(10) + np.sum(shares * np.log(shares))
    assert clusters["y_divergence"] == pytest.approx(expected, abs=5e-3)
