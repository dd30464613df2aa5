"""Codes with many dimensions in one plane."""

import numpy as np
import pytest

from adversarial_autoencoder.evaluation.projection import project


@pytest.mark.parametrize("view", ["pca", "tsne"])
def test_far_groups_of_codes_stay_apart(view):
    rng = np.random.default_rng(0)
    groups = [rng.normal(0, 0.1, (40, 6)) + 20 * np.eye(6)[k] for k in range(3)]
    first, other = project(view, np.concatenate(groups), groups[0][:5])
    assert first.shape == (120, 2)
    assert other.shape == (5, 2)
    middles = first.reshape(3, 40, 2).mean(axis=1)
    spread = np.linalg.norm(first.reshape(3, 40, 2) - middles[:, None], axis=-1).max()
    for i in range(3):
        assert np.linalg.norm(middles[i] - middles[i - 1]) > 2 * spread
    assert np.linalg.norm(other - middles[0], axis=1).max() < 2 * spread


def test_an_unknown_view_is_refused():
    with pytest.raises(ValueError, match="view must be pca or tsne. Received: view='umap'"):
        project("umap", np.zeros((3, 2)))
