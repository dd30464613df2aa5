"""Measures of classes and clusters on cases that can be counted by hand."""

import numpy as np
import pytest

from adversarial_autoencoder.evaluation import classification, clustering

rng = np.random.default_rng(0)


def test_error_and_confusion_count_the_images():
    labels, predicted = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 0, 2])
    assert classification.error_rate(labels, predicted) == pytest.approx(0.4)
    counts = classification.confusion(labels, predicted, 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]


def test_calibration_error_of_a_constructed_case():
    """60 images at 0.9, 45 of them right, and 40 images at 0.7, all right."""
    probabilities = np.array([[0.1, 0.9]] * 60 + [[0.7, 0.3]] * 40)
    labels = np.array([1] * 45 + [0] * 15 + [0] * 40)
    found = classification.calibration_error(labels, probabilities)
    assert found == pytest.approx(0.6 * 0.15 + 0.4 * 0.3)


def test_overconfidence_and_underconfidence_do_not_cancel_between_bins():
    probabilities = np.array([[0.05, 0.95]] * 10 + [[0.55, 0.45]] * 10)
    labels = np.array([1] * 5 + [0] * 5 + [0] * 10)
    assert classification.calibration_error(labels, probabilities) == pytest.approx(0.45)
    together = classification.calibration_error(labels, probabilities, num_bins=1)
    assert together == pytest.approx(0)


def test_correct_certainty_is_calibrated():
    labels = rng.integers(0, 4, 50)
    assert classification.calibration_error(labels, np.eye(4)[labels]) == 0


def test_probes_separate_clusters_and_fail_on_noise():
    y_train, y = rng.integers(0, 3, 600), rng.integers(0, 3, 300)
    centers = np.array([[0, 0], [9, 0], [0, 9]])
    z_train, z = (centers[labels] + rng.normal(size=(len(labels), 2)) for labels in (y_train, y))
    for measure in (
        classification.nearest_neighbour_error,
        classification.linear_probe_error,
    ):
        assert measure(z_train, y_train, z, y) < 0.01
        noise = measure(rng.normal(size=(600, 2)), y_train, rng.normal(size=(300, 2)), y)
        assert noise == pytest.approx(2 / 3, abs=0.1)


def test_neighbours_separate_a_ring_from_a_disc_and_a_line_does_not():
    y_train, y = rng.integers(0, 2, 600), rng.integers(0, 2, 300)

    def codes(labels):
        angle = rng.uniform(0, 2 * np.pi, len(labels))
        return (1 + 4 * labels)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    arguments = codes(y_train), y_train, codes(y), y
    assert classification.nearest_neighbour_error(*arguments) == 0
    assert classification.linear_probe_error(*arguments) > 0.3


def test_permuted_labels_match_without_error():
    labels = rng.integers(0, 10, 400)
    clusters = rng.permutation(10)[labels]
    names = clustering.name_by_matching(labels, clusters, 10)
    assert clustering.named_error(labels, clusters, names) == 0
    assert clustering.normalized_mutual_information(labels, clusters) == pytest.approx(1)
    assert clustering.adjusted_rand_index(labels, clusters) == pytest.approx(1)


def test_matching_uses_a_class_once_and_majority_several_times():
    """Class 0 has most images in both clusters."""
    labels = np.array([0] * 6 + [0] * 5 + [1] * 4)
    clusters = np.array([0] * 6 + [1] * 5 + [1] * 4)
    majority = clustering.name_by_majority(labels, clusters, 2)
    matching = clustering.name_by_matching(labels, clusters, 2)
    assert (majority.tolist(), matching.tolist()) == ([0, 0], [0, 1])
    assert clustering.named_error(labels, clusters, majority) == pytest.approx(4 / 15)
    assert clustering.named_error(labels, clusters, matching) == pytest.approx(5 / 15)


def test_the_best_image_and_the_majority_can_name_a_cluster_differently():
    probabilities = np.array([[0.6, 0.4], [0.7, 0.3], [0.99, 0.01], [0.2, 0.8]])
    labels = np.array([1, 1, 2, 0])
    assert clustering.name_by_best_image(labels, probabilities).tolist() == [2, 0]
    majority = clustering.name_by_majority(labels, probabilities.argmax(axis=1), 2)
    assert majority.tolist() == [1, 0]


def test_a_cluster_without_validation_images_counts_as_wrong():
    names = clustering.name_by_majority(np.array([0, 1]), np.array([0, 1]), 3)
    assert names.tolist() == [0, 1, clustering.NO_CLASS]
    assert clustering.named_error(np.array([0, 1]), np.array([2, 1]), names) == 0.5


def test_random_clusters_have_no_agreement():
    labels, clusters = rng.integers(0, 5, (2, 20_000))
    assert clustering.adjusted_rand_index(labels, clusters) == pytest.approx(0, abs=0.002)
    assert clustering.normalized_mutual_information(labels, clusters) < 0.002


def test_labels_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="Received"):
        classification.error_rate(np.zeros(3, int), np.zeros(4, int))
    with pytest.raises(ValueError, match="Received"):
        clustering.name_by_majority(np.zeros(3, int), np.zeros(4, int), 2)
