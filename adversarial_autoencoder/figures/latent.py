"""Figures of the latent space: images decoded from a grid of codes, and a scatter plot of codes."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from adversarial_autoencoder import priors
from adversarial_autoencoder.figures.canvas import padding, show, tile
from adversarial_autoencoder.model import AdversarialAutoencoder


def latent_grid(
    model: AdversarialAutoencoder,
    size: int = 20,
    grid_range: float | None = None,
    dims: tuple[int, int] = (0, 1),
    y: int = 0,
) -> Figure:
    """Draw images decoded from a regular grid of codes, at the positions of the codes.

    The grid spans two dimensions of z. The other dimensions have the mean of the prior.

    Args:
        model: A trained model with z_dim >= 2.
        size: Number of images on each side of the grid, >= 2.
        grid_range: Distance from the centre of the grid, the mean of the prior, to its sides, in
            units of z. Default: 2 standard deviations of the prior. For the prior N(0, 5^2), the
            grid then spans (-10, -10) to (10, 10).
        dims: The two dimensions of z that the grid spans.
        y: The value of y for all images, if the model has a code y and no cluster heads.

    Returns:
        The figure.
    """
    mean, std = _moments(model)
    axis_dims = list(dims)
    grid_range = 2 * std[axis_dims].mean() if grid_range is None else grid_range
    offsets = np.linspace(-grid_range, grid_range, size, dtype="float32")
    z = np.tile(mean, (size, size, 1))
    z[:, :, dims[0]] += offsets
    z[:, :, dims[1]] += offsets[::-1, None]  # The first row is the top of the figure.
    # With cluster heads, the decoder adds the head of y to z. The grid already covers this sum, so
    # all weights of y are 0.
    y_weights = np.zeros((size**2, model.num_classes), "float32")
    uses_y = model.num_classes > 0 and model.cluster_heads is None
    if uses_y:
        y_weights[:, y] = 1
    images = model.decode(
        z.reshape(-1, model.z_dim), y_weights if model.num_classes else None, batch_size=size**2
    )
    images = images.reshape(size, size, *images.shape[1:])

    figure = Figure(figsize=(8, 8.2), layout="constrained")
    axes = figure.subplots()
    # The centres of the outer images are at the ends of the range. The axes extend half an image
    # beyond them.
    height, width = images.shape[2:4]
    pad = padding(height)
    cell = 2 * grid_range / (size - 1)
    reach = grid_range + cell / 2 * np.array([width / (width + pad), height / (height + pad)])
    (left, bottom), (right, top) = mean[axis_dims] - reach, mean[axis_dims] + reach
    show(axes, tile(images, pad, background=0.0), extent=(left, right, bottom, top))
    axes.set_aspect((height + pad) / (width + pad))
    axes.set_xticks(np.linspace(-grid_range, grid_range, 5) + mean[dims[0]])
    axes.set_yticks(np.linspace(-grid_range, grid_range, 5) + mean[dims[1]])
    axes.set_xlabel(f"$z_{{{dims[0]}}}$")
    axes.set_ylabel(f"$z_{{{dims[1]}}}$")
    deviations = grid_range / std[axis_dims].mean()
    title = f"Images decoded from a grid of codes, ±{deviations:.3g} prior standard deviations"
    title += f", y = {y}" if uses_y else ""
    axes.set_title(title, fontsize="medium")
    return figure


def latent_scatter(
    z: np.ndarray,
    z_prior: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] = (),
    dims: tuple[int, int] = (0, 1),
    prior_labels: np.ndarray | None = None,
    heads: np.ndarray | None = None,
) -> Figure:
    """Draw the codes of images next to samples of the prior, both coloured by class.

    Args:
        z: Codes, shape (n, z_dim).
        z_prior: Samples of the prior, shape (n, z_dim).
        labels: Classes of the images, shape (n,), or None.
        class_names: Names of the classes, for the legend. Required if `labels` is given.
        dims: The two dimensions of z to draw.
        prior_labels: Classes of the samples if the prior is conditioned on labels, shape (n,), or
            None.
        heads: Cluster heads to mark among the codes, shape (num_clusters, z_dim), or None.

    Returns:
        The figure.
    """
    axis_dims = list(dims)
    z, z_prior = z[:, axis_dims], z_prior[:, axis_dims]
    figure = Figure(figsize=(12.8, 6.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    few = len(class_names) <= 10
    colours = colormaps["tab10"] if few else colormaps["turbo"].resampled(len(class_names))

    def scatter(axes, points, classes):
        style = {"s": np.clip(2e4 / len(points), 4, 40), "linewidths": 0, "alpha": 0.7}
        if classes is None:
            axes.scatter(*points.T, color="tab:blue" if axes is left else "0.45", **style)
            return
        # A random order over all classes, so that no class covers the others.
        order = np.random.default_rng(0).permutation(len(points))
        axes.scatter(*points[order].T, c=colours(classes[order]), **style)

    scatter(left, z, labels)
    scatter(right, z_prior, prior_labels)
    if labels is not None:
        for k, name in enumerate(class_names):
            left.scatter([], [], color=colours(k), s=30, label=name)
        columns = -(-len(class_names) // 25)
        figure.legend(loc="outside right center", frameon=False, title="class", ncols=columns)
    drawn = [z, z_prior]
    title = f"Codes of {len(z)} images"
    if heads is not None:
        heads = heads[:, axis_dims]
        left.scatter(*heads.T, marker="X", s=90, color="black", edgecolors="white")
        drawn.append(heads)
        title += " (crosses: cluster heads)"
    left.set_title(title, fontsize="medium")
    right.set_title(f"{len(z_prior)} samples of the prior", fontsize="medium")
    low, high = (f(np.concatenate(drawn)) for f in (np.min, np.max))
    margin = 0.03 * (high - low)
    for axes in (left, right):
        axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
        axes.set_aspect("equal")
        axes.set_xlabel(f"$z_{{{dims[0]}}}$")
        axes.set_ylabel(f"$z_{{{dims[1]}}}$")
    return figure


def _moments(model):
    """Compute mean and standard deviation of the decoder's input space, in each dimension."""
    if model.cluster_heads is None:
        return priors.moments(model.prior, model.z_dim)
    points = model.draw_representation(10_000)
    return points.mean(axis=0), points.std(axis=0)
