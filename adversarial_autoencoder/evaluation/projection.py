"""Two-dimensional views of codes with more dimensions."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

# The time of t-SNE grows faster than the number of codes.
MAX_TSNE = 2000
PERPLEXITY = 30


def project(view: str, *arrays: np.ndarray) -> list[np.ndarray]:
    """Projects arrays of codes to the same plane.

    Args:
        view: "pca": the two principal components of the first array. "tsne": t-SNE of all codes
            together (van der Maaten and Hinton 2008, "Visualizing Data using t-SNE"); only
            distances between near neighbours have a meaning.
        *arrays: Codes, each of shape (n, dim), dim >= 2.

    Returns:
        An array of shape (n, 2) for each of them.

    Raises:
        ValueError: If `view` is unknown.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder.evaluation.projection import project
        >>> codes = np.random.default_rng(0).normal(size=(50, 5))
        >>> [view.shape for view in project("pca", codes, codes[:3])]
        [(50, 2), (3, 2)]
    """
    if view == "pca":
        pca = PCA(2, random_state=0).fit(arrays[0])
        return [pca.transform(array) for array in arrays]
    if view == "tsne":
        together = np.concatenate(arrays)
        # The perplexity must be below the number of codes.
        perplexity = min(PERPLEXITY, (len(together) - 1) / 3)
        codes = TSNE(2, perplexity=perplexity, random_state=0).fit_transform(together)
        return np.split(codes, np.cumsum([len(array) for array in arrays])[:-1])
    raise ValueError(f"view must be pca or tsne. Received: view={view!r}")
