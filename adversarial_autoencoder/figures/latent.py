"""Figures of the latent space: images decoded on a grid of codes, and a scatter of codes."""

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from adversarial_autoencoder import priors
from adversarial_autoencoder.figures.canvas import padding, show, tile


def latent_grid(model, size=20, grid_range=None, dims=(0, 1), y=0):
    """Draws images decoded on a regular grid of codes, each at its place in the latent space.

    The other dimensions of z are held at the prior's mean.

    Args:
        model: An `AdversarialAutoencoder` with z_dim >= 2.
        size: Images along each side, >= 2.
        grid_range: The grid reaches this far on both sides of the prior's mean. None: 2 standard
            deviations of the prior, which is from (-10, -10) to (10, 10) for N(0, 5^2).
        dims: The two dimensions of z that the grid spans.
        y: The value of y that all are decoded with, where there is a y without cluster heads.
    """
    mean, std = _moments(model)
    dims = list(dims)
    grid_range = 2 * std[dims].mean() if grid_range is None else grid_range
    offsets = np.linspace(-grid_range, grid_range, size, dtype="float32")
    z = np.tile(mean, (size, size, 1))
    z[:, :, dims[0]] += offsets
    z[:, :, dims[1]] += offsets[::-1, None]  # The first row is the top of the figure.
    # With cluster heads, a point of the space is decoded as it is: the head is a part of it.
    weights = np.zeros((size**2, model.num_classes), "float32")
    with_y = model.num_classes > 0 and model.cluster_heads is None
    chosen = y
    if with_y:
        weights[:, chosen] = 1
    y = weights if model.num_classes else None
    images = model.decode(z.reshape(-1, model.z_dim), y, batch_size=size**2)
    images = images.reshape(size, size, *images.shape[1:])

    figure = Figure(figsize=(8, 8.2), layout="constrained")
    axes = figure.subplots()
    # The outermost images are centred on the ends of the range, so they reach half a cell beyond.
    height, width = images.shape[2:4]
    pad = padding(height)
    cell = 2 * grid_range / (size - 1)
    reach = grid_range + cell / 2 * np.array([width / (width + pad), height / (height + pad)])
    (left, bottom), (right, top) = mean[dims] - reach, mean[dims] + reach
    show(axes, tile(images, pad, background=0.0), extent=(left, right, bottom, top))
    axes.set_aspect((height + pad) / (width + pad))
    axes.set_xticks(np.linspace(-grid_range, grid_range, 5) + mean[dims[0]])
    axes.set_yticks(np.linspace(-grid_range, grid_range, 5) + mean[dims[1]])
    axes.set_xlabel(f"$z_{{{dims[0]}}}$")
    axes.set_ylabel(f"$z_{{{dims[1]}}}$")
    deviations = grid_range / std[dims].mean()
    title = f"Images decoded on a grid of codes, to ±{deviations:.3g} prior standard deviations"
    title += f", y = {chosen}" if with_y else ""
    axes.set_title(title, fontsize="medium")
    return figure


def latent_scatter(
    z, z_prior, labels=None, class_names=(), dims=(0, 1), prior_labels=None, heads=None
):
    """Draws the codes of images, coloured by class, beside samples of the prior.

    Args:
        z: Codes, shape (n, z_dim).
        z_prior: Samples of the prior, shape (n, z_dim).
        labels: Classes of the images, shape (n,), or None.
        class_names: Name of each class.
        dims: The two dimensions of z that are drawn.
        prior_labels: Classes of the samples, where the prior is conditioned on them; or None.
        heads: Cluster heads to mark among the codes, shape (num_clusters, z_dim); or None.
    """
    dims = list(dims)
    z, z_prior = z[:, dims], z_prior[:, dims]
    figure = Figure(figsize=(12.8, 6.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    few = len(class_names) <= 10
    colours = colormaps["tab10"] if few else colormaps["turbo"].resampled(len(class_names))

    def scatter(axes, points, classes):
        style = {"s": np.clip(2e4 / len(points), 4, 40), "linewidths": 0, "alpha": 0.7}
        if classes is None:
            axes.scatter(*points.T, color="tab:blue" if axes is left else "0.45", **style)
            return
        # One call in random order, so that no class hides the others.
        order = np.random.default_rng(0).permutation(len(points))
        axes.scatter(*points[order].T, c=colours(classes[order]), **style)

    scatter(left, z, labels)
    scatter(right, z_prior, prior_labels)
    if labels is not None:
        for k, name in enumerate(class_names):
            left.scatter([], [], color=colours(k), s=30, label=name)
        columns = -(-len(class_names) // 25)
        figure.legend(loc="outside right center", frameon=False, title="class", ncols=columns)
    if heads is not None:
        left.scatter(*heads[:, dims].T, marker="X", s=90, color="black", edgecolors="white")
    marked = "" if heads is None else "; crosses are the cluster heads"
    left.set_title(f"Codes of {len(z)} images{marked}", fontsize="medium")
    right.set_title(f"{len(z_prior)} samples of the prior", fontsize="medium")
    drawn = [z, z_prior] if heads is None else [z, z_prior, heads[:, dims]]
    low, high = (f(np.concatenate(drawn)) for f in (np.min, np.max))
    margin = 0.03 * (high - low)
    for axes in (left, right):
        axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
        axes.set_aspect("equal")
        axes.set_xlabel(f"$z_{{{dims[0]}}}$")
        axes.set_ylabel(f"$z_{{{dims[1]}}}$")
    return figure


def _moments(model):
    """Mean and standard deviation, in each dimension, of the space that the decoder sees."""
    if model.cluster_heads is None:
        return priors.moments(model.prior, model.z_dim)
    points = model.draw_representation(10_000)
    return points.mean(axis=0), points.std(axis=0)
