"""A training without labels says how many clusters are in use, and their error."""

import numpy as np
import pytest

from adversarial_autoencoder import networks, phases
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.runs import Run
from adversarial_autoencoder.training import callbacks


class Fixed(AdversarialAutoencoder):
    """Puts every image with a bright first pixel into cluster 1, the others into cluster 0."""

    def classify(self, x, **kwargs):
        return np.eye(3)[(x[:, 0, 0, 0] > 127).astype(int)]


@pytest.fixture
def sample():
    x = np.zeros((6, 8, 8, 1), "uint8")
    x[:2, 0, 0] = 255
    model = Fixed(
        networks.encoder((8, 8, 1), 2, num_classes=3, hidden_units=4),
        networks.decoder((8, 8, 1), 2, num_classes=3, hidden_units=4),
        phases=[phases.Reconstruction()],
    )

    def logs_of(**arguments):
        callback, logs = callbacks.PriorDistance(x, **arguments), {}
        callback.set_model(model)
        callback.on_train_begin()
        callback.on_epoch_end(0, logs)
        return logs

    return logs_of


def test_clusters_without_an_image_are_not_in_use(sample):
    assert sample(are_clusters=True)["val_clusters_in_use"] == 2
    assert "val_cluster_error" not in sample(are_clusters=True)


def test_each_cluster_stands_for_its_most_frequent_class(sample):
    # Cluster 1 holds the labels 4 and 4; cluster 0 holds 7, 7, 7 and 4, and no unlabelled image.
    logs = sample(labels=np.array([4, 4, 7, 7, 7, 4]), are_clusters=True)
    assert logs["val_cluster_error"] == pytest.approx(1 / 6)
    logs = sample(labels=np.array([4, 4, 7, 7, 7, -1]), are_clusters=True)
    assert logs["val_cluster_error"] == 0


def test_a_y_that_is_a_class_has_no_clusters(sample):
    logs = sample(labels=np.array([1, 1, 0, 0, 0, 0]))
    assert not [name for name in logs if "cluster" in name]


@pytest.mark.usefixtures("eager")
def test_the_result_names_clusters_and_error(command_line, tmp_path):
    size = ["--hidden_units=16", "--hidden_layers=1", "--batch_size=400", "--epochs=1"]
    flags = ["--model=clustering_aae", "--dataset=digits", *size]
    out, _ = command_line("--mode=train", *flags, "--run_name=a", results=tmp_path)
    last = Run(tmp_path / "a").read_history()[-1]
    expected = (
        f"{last['val_clusters_in_use']:.0f} of 16 clusters in use, "
        f"error {last['val_cluster_error']:.2%} if each stands for its main class"
    )
    assert expected in out
