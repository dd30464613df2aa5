"""Estimators learn: real trainings of small networks, traced as for a user."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from adversarial_autoencoder.estimators import AAEClassifier, AAEClusterer, AAESampler

SMALL = {"hidden_units": 50, "random_state": 0}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def blobs():
    """300 points in three clusters."""
    return make_blobs(300, n_features=4, centers=3, cluster_std=1.0, random_state=0)


def test_a_classifier_learns_from_few_labels(blobs, capsys):
    x, y = blobs
    names = np.array(["a", "b", "c"], object)[y]
    few = np.where(np.arange(300) < 30, names, -1)
    classifier = AAEClassifier(epochs=10, verbose=1, **SMALL).fit(x[:250], few[:250])
    assert classifier.score(x[250:], names[250:]) > 0.9
    assert "Epoch 10/10" in capsys.readouterr().out


def test_clusters_are_found(blobs):
    x, y = blobs
    clusterer = AAEClusterer(num_clusters=3, epochs=20, **SMALL)
    found = clusterer.fit_predict(x)
    assert adjusted_rand_score(y, found) > 0.8
    np.testing.assert_array_equal(clusterer.predict(x), found)


def test_synthetic_rows_resemble_the_rows(blobs):
    x, _ = blobs
    rows = AAESampler(2, epochs=40, **SMALL).fit(x).sample(2000, random_state=0)
    spread = x.std(axis=0)
    np.testing.assert_array_less(np.abs(rows.mean(axis=0) - x.mean(axis=0)), 0.3 * spread)
    np.testing.assert_allclose(rows.std(axis=0), spread, rtol=0.3)
    assert np.abs(np.corrcoef(rows.T) - np.corrcoef(x.T)).max() < 0.3
