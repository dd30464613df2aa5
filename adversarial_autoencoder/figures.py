"""The figures of a trained model, as matplotlib Figures; nothing here shows or writes them."""

import textwrap

import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from adversarial_autoencoder import priors
from adversarial_autoencoder.batch import to_unit_interval


def reconstructions(model, x, y=None):
    """Draws images above their reconstructions.

    Args:
        model: An `AdversarialAutoencoder`.
        x: Images, shape (n, height, width, channels).
        y: Their labels, shape (n,), where the model does not infer y.
    """
    x = to_unit_interval(x).numpy()
    rows = np.stack([x, model(x, y).numpy()])
    return _image_rows(rows, "Images and, below, their reconstructions")


def samples(model, rows=10, columns=10, seed=0, z=None):
    """Draws images decoded from samples of the prior; with a code y, a row for each value of it.

    Args:
        model: An `AdversarialAutoencoder`.
        rows: Number of rows where there is no y.
        columns: Images in a row.
        seed: Integer >= 0; the same seed gives the same images.
        z: Codes to decode instead, as those of a mixture fitted to training codes: one for each
            image, shape (n, z_dim); or None.
    """
    rows = model.num_classes or rows
    y = np.repeat(np.arange(rows), columns) if model.num_classes else None
    images = model.generate(rows * columns, y, seed, z)
    images = images.reshape(rows, columns, *images.shape[1:])
    source = "the prior" if z is None else "a Gaussian mixture fitted to the codes"
    title = f"Images decoded from samples of {source}"
    if not model.num_classes:
        return _image_rows(images, title)
    return _image_rows(images, f"{title}, a row for each y", row_labels=range(rows))


def style_grid(model, z, class_names=(), x=None):
    """Draws every style with every class: a row shares its z, a column its y (section 4).

    Args:
        model: An `AdversarialAutoencoder` with a code y.
        z: Style codes, shape (rows, z_dim).
        class_names: Names of the values of y; by default their numbers.
        x: The images that the styles are from, drawn first in each row; or None.
    """
    columns = model.num_classes
    images = model.decode(np.repeat(z, columns, axis=0), np.tile(np.arange(columns), len(z)))
    images = images.reshape(len(z), columns, *images.shape[1:])
    title = "Images decoded with one style z in each row and one y in each column"
    labels = [*(class_names or range(columns))]
    if x is not None:
        title += "; in the first, the image with this z"
        images = np.concatenate([to_unit_interval(x).numpy()[:, None], images], axis=1)
        labels = ["from", *labels]
    return _image_rows(images, title, column_labels=labels)


def cluster_grid(model, x, columns=10):
    """Draws a row for each value of y: its head, decoded from z = 0, then images assigned to it.

    The images are those with the highest probability q(y|x) first.

    Args:
        model: An `AdversarialAutoencoder` that infers y.
        x: Images, shape (n, height, width, channels).
        columns: Images drawn beside each head.
    """
    rows = model.num_classes
    probabilities = model.classify(x)
    assigned = probabilities.argmax(axis=1)
    x = to_unit_interval(x).numpy()
    heads = model.decode(np.zeros((rows, model.z_dim), "float32"), np.arange(rows))
    images = np.ones((rows, columns + 1, *x.shape[1:]), "float32")
    images[:, 0] = heads
    for k in range(rows):
        of_cluster = np.flatnonzero(assigned == k)
        best = of_cluster[np.argsort(-probabilities[of_cluster, k], kind="stable")[:columns]]
        images[k, 1 : 1 + len(best)] = x[best]
    counts = np.bincount(assigned, minlength=rows)
    return _image_rows(
        images,
        f"Head of each cluster (z = 0), and how many of {len(x)} images it has",
        column_labels=["head", *[""] * columns],
        row_labels=[f"{k}: {count}" for k, count in enumerate(counts)],
    )


def confusion(counts, class_names):
    """Draws how often images of each class were given each class.

    Args:
        counts: Integers of shape (num_classes, num_classes): rows are true, columns given classes.
        class_names: Names of the classes.
    """
    k = len(class_names)
    side = min(4 + 0.35 * k, 30.0)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained")
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if k <= 30:
        for (i, j), count in np.ndenumerate(counts):
            colour = "white" if shares[i, j] > 0.5 else "black"
            axes.text(j, i, count, ha="center", va="center", color=colour, fontsize="small")
    rotation = 90 if max(map(len, class_names)) > 3 else 0
    axes.set_xticks(range(k), class_names, rotation=rotation)
    axes.set_yticks(range(k), class_names)
    axes.set_xlabel("class given by the model")
    axes.set_ylabel("true class")
    error = 1 - np.trace(counts) / counts.sum()
    axes.set_title(f"{counts.sum()} images, {error:.2%} given a wrong class", fontsize="medium")
    figure.colorbar(shown, label="share of the true class", shrink=0.8)
    return figure


def interpolations(model, x_from, x_to, columns=10, y_from=None, y_to=None):
    """Draws straight lines between codes: a row for each pair of images.

    Args:
        model: An `AdversarialAutoencoder`.
        x_from: Images, shape (n, height, width, channels).
        x_to: Images of the same shape.
        columns: Codes decoded along each line, both ends included.
        y_from, y_to: Their labels, shape (n,), where the model does not infer y.
    """
    t = np.linspace(0, 1, columns, dtype="float32")[None, :, None]

    def line(start, end):
        codes = (1 - t) * np.asarray(start)[:, None] + t * np.asarray(end)[:, None]
        return codes.reshape(-1, codes.shape[-1])

    z = line(model.encode(x_from), model.encode(x_to))
    y = None
    if model.infers_y:
        y = line(model.classify(x_from), model.classify(x_to))
    elif model.num_classes:
        y = line(*(np.eye(model.num_classes, dtype="float32")[labels] for labels in (y_from, y_to)))
    decoded = model.decode(z, y)
    decoded = decoded.reshape(len(x_from), columns, *decoded.shape[1:])
    ends = [to_unit_interval(x).numpy()[:, None] for x in (x_from, x_to)]
    rows = np.concatenate([ends[0], decoded, ends[1]], axis=1)
    labels = ["from", *[""] * columns, "to"]
    title = "Images decoded along straight lines of codes between two images (first, last column)"
    return _image_rows(rows, title, column_labels=labels)


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


def comparison(metrics, histories, merits):
    """Draws several runs beside each other: learning curves, and a panel of bars for each metric.

    Args:
        metrics: A dict from the names of runs to what was measured of each, a dict from names to
            numbers.
        histories: A dict from the names of runs to the rows of their histories.
        merits: The metrics to draw, a dict from names to "lower" or "higher", which is better.
    """
    colours = {name: colormaps["tab10"](i % 10) for i, name in enumerate(metrics)}
    curves = [
        name
        for name in ("val_reconstruction_loss", "val_prior_distance", "val_classification_accuracy")
        if any(name in row for rows in histories.values() for row in rows)
    ]
    bars = [name for name in merits if any(name in measured for measured in metrics.values())]
    columns = 4
    rows = max(1, -(-(len(curves) + len(bars)) // columns))
    height = 1.5 + 0.16 * len(metrics)
    size = (14, rows * height + 0.6 + 0.3 * (len(metrics) // 6))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, name in zip(panels, curves, strict=False):
        for run, history in histories.items():
            points = [(row["epoch"], row[name]) for row in history if name in row]
            if points:
                axes.plot(*zip(*points, strict=True), color=colours[run], marker=".")
        axes.set_title(f"{name}\nby epoch", fontsize="medium")
    for axes, name in zip(panels[len(curves) :], bars, strict=False):
        _bars(axes, [measured.get(name) for measured in metrics.values()], colours.values())
        axes.set_title(f"{name}\n{merits[name]} is better", fontsize="medium")
    for axes in panels[len(curves) + len(bars) :]:
        axes.set_visible(False)
    handles = [Patch(color=colour, label=run) for run, colour in colours.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 6))
    return figure


def _bars(axes, values, colours):
    """Draws horizontal bars, the first one on top, each with its value; None: missing."""
    shown = [0 if value is None else value for value in values]
    drawn = axes.barh(range(len(values)), shown, color=list(colours))
    labels = ["-" if value is None else f"{value:.4g}" for value in values]
    axes.bar_label(drawn, labels, padding=3, fontsize="small")
    axes.invert_yaxis()
    axes.set_yticks([])
    axes.margins(x=0.3)
    axes.locator_params(axis="x", nbins=4)
    if not any(shown):
        axes.set_xlim(0, 1)


def _moments(model):
    """Mean and standard deviation, in each dimension, of the space that the decoder sees."""
    if model.cluster_heads is None:
        return priors.moments(model.prior, model.z_dim)
    points = model.draw_representation(10_000)
    return points.mean(axis=0), points.std(axis=0)


def to_array(figure, dpi=80):
    """Renders a figure as an array of bytes, shape (height, width, 4)."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def _image_rows(images, title, column_labels=(), row_labels=()):
    """Draws images of shape (rows, columns, height, width, channels), in [0, 1]."""
    rows, columns, height, width = images.shape[:4]
    pad = _pad(height)
    # An inch holds nine characters beside, eleven below, twelve of a title; a line takes a fifth.
    beside = max(map(len, map(str, row_labels)), default=0) / 9
    below = max(map(len, map(str, column_labels)), default=0)
    upright = below > 8
    inches = max(5.0, 0.6 * columns + beside)
    title = textwrap.fill(title, int(12 * inches))
    around = 0.2 + 0.2 * title.count("\n") + (below / 11 if upright else 0.2 * bool(below))
    size = (inches, 0.6 * rows * height / width + around)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    _show(axes, _tile(images, pad))
    axes.set_yticks(np.arange(len(row_labels)) * (height + pad) + (height - 1) / 2, row_labels)
    centres = np.arange(len(column_labels)) * (width + pad) + (width - 1) / 2
    axes.set_xticks(centres, column_labels, rotation=90 if upright else 0)
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
