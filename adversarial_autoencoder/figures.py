"""The figures of a trained model, as matplotlib Figures; nothing here shows or writes them."""

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from adversarial_autoencoder import priors
from adversarial_autoencoder.model import to_unit_interval


def reconstructions(model, x):
    """Draws images above their reconstructions.

    Args:
        model: An `AdversarialAutoencoder`.
        x: Images, shape (n, height, width, channels).
    """
    x = to_unit_interval(x).numpy()
    rows = np.stack([x, model.decode(model.encode(x))])
    return _image_rows(rows, "Images and, below, their reconstructions")


def samples(model, rows=10, columns=10, seed=0):
    """Draws images decoded from samples of the prior."""
    images = model.generate(rows * columns, seed)
    images = images.reshape(rows, columns, *images.shape[1:])
    return _image_rows(images, "Images decoded from samples of the prior")


def interpolations(model, x_from, x_to, columns=10):
    """Draws straight lines through the latent space: a row for each pair of images.

    Args:
        model: An `AdversarialAutoencoder`.
        x_from: Images, shape (n, height, width, channels).
        x_to: Images of the same shape.
        columns: Codes decoded along each line, both ends included.
    """
    z_from, z_to = model.encode(x_from)[:, None], model.encode(x_to)[:, None]
    t = np.linspace(0, 1, columns, dtype="float32")[None, :, None]
    z = (1 - t) * z_from + t * z_to
    decoded = model.decode(z.reshape(-1, z.shape[-1]))
    decoded = decoded.reshape(*z.shape[:2], *decoded.shape[1:])
    ends = [to_unit_interval(x).numpy()[:, None] for x in (x_from, x_to)]
    rows = np.concatenate([ends[0], decoded, ends[1]], axis=1)
    labels = ["from", *[""] * columns, "to"]
    title = "Images decoded along straight lines in z between two images (first, last column)"
    return _image_rows(rows, title, column_labels=labels)


def latent_grid(model, size=20, grid_range=None, dims=(0, 1)):
    """Draws images decoded on a regular grid of codes, each at its place in the latent space.

    The other dimensions of z are held at the prior's mean.

    Args:
        model: An `AdversarialAutoencoder` with z_dim >= 2.
        size: Images along each side, >= 2.
        grid_range: The grid reaches this far on both sides of the prior's mean. None: 2 standard
            deviations of the prior, which is from (-10, -10) to (10, 10) for N(0, 5^2).
        dims: The two dimensions of z that the grid spans.
    """
    mean, std = priors.moments(model.prior, model.z_dim)
    dims = list(dims)
    grid_range = 2 * std[dims].mean() if grid_range is None else grid_range
    offsets = np.linspace(-grid_range, grid_range, size, dtype="float32")
    z = np.tile(mean, (size, size, 1))
    z[:, :, dims[0]] += offsets
    z[:, :, dims[1]] += offsets[::-1, None]  # The first row is the top of the figure.
    images = model.decode(z.reshape(-1, model.z_dim), batch_size=size**2)
    images = images.reshape(size, size, *images.shape[1:])

    figure = Figure(figsize=(8, 8.2), layout="constrained")
    axes = figure.subplots()
    # The outermost images are centred on the ends of the range, so they reach half a cell beyond.
    height, width = images.shape[2:4]
    pad = _pad(height)
    cell = 2 * grid_range / (size - 1)
    reach = grid_range + cell / 2 * np.array([width / (width + pad), height / (height + pad)])
    (left, bottom), (right, top) = mean[dims] - reach, mean[dims] + reach
    _show(axes, _tile(images, pad, background=0.0), extent=(left, right, bottom, top))
    axes.set_aspect((height + pad) / (width + pad))
    axes.set_xticks(np.linspace(-grid_range, grid_range, 5) + mean[dims[0]])
    axes.set_yticks(np.linspace(-grid_range, grid_range, 5) + mean[dims[1]])
    axes.set_xlabel(f"$z_{{{dims[0]}}}$")
    axes.set_ylabel(f"$z_{{{dims[1]}}}$")
    deviations = grid_range / std[dims].mean()
    title = f"Images decoded on a grid of codes, to ±{deviations:.3g} prior standard deviations"
    axes.set_title(title, fontsize="medium")
    return figure


def latent_scatter(z, z_prior, labels=None, class_names=(), dims=(0, 1)):
    """Draws the codes of images, coloured by class, beside samples of the prior.

    Args:
        z: Codes, shape (n, z_dim).
        z_prior: Samples of the prior, shape (n, z_dim).
        labels: Classes of the images, shape (n,), or None.
        class_names: Name of each class.
        dims: The two dimensions of z that are drawn.
    """
    dims = list(dims)
    z, z_prior = z[:, dims], z_prior[:, dims]
    figure = Figure(figsize=(12.8, 6.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    style = {"s": np.clip(2e4 / len(z), 4, 40), "linewidths": 0, "alpha": 0.7}
    if labels is None:
        left.scatter(*z.T, **style)
    else:
        few = len(class_names) <= 10
        colours = colormaps["tab10"] if few else colormaps["turbo"].resampled(len(class_names))
        # One call in random order, so that no class hides the others.
        order = np.random.default_rng(0).permutation(len(z))
        left.scatter(*z[order].T, c=colours(labels[order]), **style)
        for k, name in enumerate(class_names):
            left.scatter([], [], color=colours(k), s=30, label=name)
        columns = -(-len(class_names) // 25)
        figure.legend(loc="outside right center", frameon=False, title="class", ncols=columns)
    right.scatter(*z_prior.T, color="0.45", **style)
    left.set_title(f"Codes of {len(z)} images", fontsize="medium")
    right.set_title(f"{len(z_prior)} samples of the prior", fontsize="medium")
    low, high = (f(np.concatenate([z, z_prior])) for f in (np.min, np.max))
    margin = 0.03 * (high - low)
    for axes in (left, right):
        axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
        axes.set_aspect("equal")
        axes.set_xlabel(f"$z_{{{dims[0]}}}$")
        axes.set_ylabel(f"$z_{{{dims[1]}}}$")
    return figure


def to_array(figure, dpi=80):
    """Renders a figure as an array of bytes, shape (height, width, 4)."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def _image_rows(images, title, column_labels=()):
    """Draws images of shape (rows, columns, height, width, channels), in [0, 1]."""
    rows, columns, height, width = images.shape[:4]
    pad = _pad(height)
    size = (max(5.0, 0.6 * columns), 0.6 * rows * height / width + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    _show(axes, _tile(images, pad))
    axes.set_yticks([])
    axes.set_xticks(np.arange(len(column_labels)) * (width + pad) + (width - 1) / 2, column_labels)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize="medium")
    return figure


def _pad(height):
    """Pixels between images of this height."""
    return max(1, height // 14)


def _tile(images, pad, background=1.0):
    """Joins images of shape (rows, columns, height, width[, channels]), `pad` pixels apart."""
    if images.ndim == 4:
        images = images[..., None]
    rows, columns, height, width, channels = images.shape
    shape = (rows, height + pad, columns, width + pad, channels)
    canvas = np.full(shape, background, "float32")
    canvas[:, :height, :, :width] = images.transpose(0, 2, 1, 3, 4)
    canvas = canvas.reshape(rows * (height + pad), columns * (width + pad), channels)
    return canvas[: canvas.shape[0] - pad, : canvas.shape[1] - pad]


def _show(axes, image, **kwargs):
    if image.shape[-1] == 1:
        image = image[..., 0]
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, **kwargs)
