"""Figures of the latent space: images decoded from a grid of codes, and a scatter plot of codes."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgba
from matplotlib.lines import Line2D

from adversarial_autoencoder import priors
from adversarial_autoencoder.errors import counted
from adversarial_autoencoder.figures.canvas import Figure, as_grid, grid, padding, show, tile
from adversarial_autoencoder.figures.colours import CLASSES, PRIOR, class_colours
from adversarial_autoencoder.figures.labels import label_inches, labels
from adversarial_autoencoder.model import AdversarialAutoencoder

# The longest side of a latent grid, relative to the square root of its area.
MAX_RATIO = 2
# With more classes, a colour bar replaces the legend.
MAX_NAMES = 40


def latent_grid(
    model: AdversarialAutoencoder,
    size: int = 20,
    grid_range: float | None = None,
    dims: tuple[int, int] = (0, 1),
    y: int = 0,
    inches: float = 7,
) -> Figure:
    """Draws images decoded from a regular grid of codes, at the positions of the codes.

    The grid spans two dimensions of z. The other dimensions have the mean of the prior.

    Args:
        model: A trained model with z_dim >= 2.
        size: Number of images on each side of the grid, >= 2.
        grid_range: Distance from the centre of the grid, the mean of the prior, to its sides, in
            units of z. Default: 2 standard deviations of the prior. For the prior N(0, 5^2), the
            grid then spans (-10, -10) to (10, 10).
        dims: The two dimensions of z that the grid spans.
        y: The value of y for all images, if the model has a code y and no cluster heads.
        inches: Side of the grid, if images are square. Other grids have the same area, except for
            very wide or high images.

    Returns:
        The figure.
    """
    mean, std = moments(model)
    axis_dims = list(dims)
    grid_range = 2 * std[axis_dims].mean() if grid_range is None else grid_range
    z, y_weights = grid_codes(model, mean, size, grid_range, dims, y)
    uses_y = model.num_classes > 0 and model.cluster_heads is None

    def images_of(part):
        y = y_weights[part] if model.num_classes else None
        return model.decode(z[part], y, batch_size=min(size**2, 1000))

    images = as_grid(grid(images_of, size, size, model.image_shape))
    height, width = images.shape[2:4]
    pad = padding(images)
    ratio = (height + pad) / (width + pad)
    sides = inches / ratio**0.5, inches * ratio**0.5
    figure = Figure(*(min(side, MAX_RATIO * inches) + 1 for side in sides))
    # The labels of the axes need half an inch each.
    ticks = [np.linspace(-grid_range, grid_range, 5 if side > 2.5 else 3) for side in sides]
    axes = figure.subplots()
    # The centres of the outer images are at the ends of the range. The axes extend half an image
    # beyond them.
    cell = 2 * grid_range / (size - 1)
    reach = grid_range + cell / 2 * np.array([width / (width + pad), height / (height + pad)])
    (left, bottom), (right, top) = mean[axis_dims] - reach, mean[axis_dims] + reach
    show(axes, tile(images, pad, background=0.0), extent=(left, right, bottom, top))
    axes.set_aspect(ratio)
    axes.set_xticks(ticks[0] + mean[dims[0]])
    axes.set_yticks(ticks[1] + mean[dims[1]])
    axes.set_xlabel(f"$z_{{{dims[0]}}}$")
    axes.set_ylabel(f"$z_{{{dims[1]}}}$")
    deviations = grid_range / std[axis_dims].mean()
    title = f"Images decoded from a grid of codes, ±{deviations:.3g} prior standard deviations"
    title += f", y = {y}" if uses_y else ""
    axes.set_title(textwrap.fill(title, max(int(12 * sides[0]), 30)), fontsize="medium")
    return figure.finished()


def has_latent_grid(model: AdversarialAutoencoder) -> bool:
    """Whether the model has a grid of two dimensions of z that needs no y.

    Args:
        model: A model.

    Returns:
        True from z_dim 2 on, if there is no code y, or y has cluster heads in the plane.
    """
    return model.z_dim >= 2 and (not model.num_classes or model.cluster_heads is not None)


def grid_codes(
    model: AdversarialAutoencoder,
    mean: np.ndarray,
    size: int,
    grid_range: float,
    dims: tuple[int, int],
    y: int,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Makes a regular grid of codes.

    Args:
        model: A trained model with z_dim >= 2.
        mean: The centre of the grid, shape (z_dim,).
        size: Number of codes on each side of the grid, >= 2.
        grid_range: Distance from the centre to the sides, in units of z.
        dims: The two dimensions of z that the grid spans.
        y: The value of y for all codes, if the model has a code y and no cluster heads.

    Returns:
        The codes, shape (size * size, z_dim), row by row from the top; and the weights of the
        values of y, shape (size * size, num_classes), or None without y.
    """
    offsets = np.linspace(-grid_range, grid_range, size, dtype="float32")
    z = np.tile(mean, (size, size, 1))
    z[:, :, dims[0]] += offsets
    z[:, :, dims[1]] += offsets[::-1, None]  # The first row is the top of the figure.
    if not model.num_classes:
        return z.reshape(-1, model.z_dim), None
    # With cluster heads, the decoder adds the head of y to z. The grid already covers this sum, so
    # all weights of y are 0.
    y_weights = np.zeros((size**2, model.num_classes), "float32")
    if model.cluster_heads is None:
        y_weights[:, y] = 1
    return z.reshape(-1, model.z_dim), y_weights


def latent_scatter(
    z: np.ndarray,
    z_prior: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] = (),
    dims: tuple[int, int] = (0, 1),
    prior_labels: np.ndarray | None = None,
    heads: np.ndarray | None = None,
    columns: int = 2,
    panel_inches: float = 5.8,
    axis_names: tuple[str, str] | None = None,
    noun: str = "image",
) -> Figure:
    """Draws the codes of images next to samples of the prior, both coloured by class.

    Args:
        z: Codes, shape (n, z_dim).
        z_prior: Samples of the prior, shape (n, z_dim).
        labels: Classes of the images, shape (n,), -1 for an unlabelled image, which is grey; or
            None.
        class_names: Names of the classes, for the legend. Required if `labels` is given.
        dims: The two dimensions of z to draw.
        prior_labels: Classes of the samples if the prior is conditioned on labels, shape (n,), or
            None.
        heads: Cluster heads to mark among the codes, shape (num_clusters, z_dim), or None.
        columns: 2 for codes and prior side by side, 1 for the codes above the prior.
        panel_inches: Width and height of both.
        axis_names: Names of the axes, if the codes are projected. Default: the dimensions of z.
        noun: What was encoded, in the singular.

    Returns:
        The figure.
    """
    axis_dims = list(dims)
    z, z_prior = z[:, axis_dims], z_prior[:, axis_dims]
    figure = Figure(panel_inches * columns, panel_inches * 2 / columns)
    left, right = figure.subplots(2 // columns, columns).flat
    colours = colours_with_unlabelled(len(class_names))

    def scatter(axes, points, classes):
        style = {"s": np.clip(2e4 / len(points), 4, 40), "linewidths": 0, "alpha": 0.7}
        if classes is None:
            axes.scatter(*points.T, color=CLASSES[0] if axes is left else PRIOR, **style)
            return
        # A random order over all classes, so that no class covers the others.
        order = np.random.default_rng(0).permutation(len(points))
        axes.scatter(*points[order].T, c=colours[np.asarray(classes)[order]], **style)

    scatter(left, z, labels)
    scatter(right, z_prior, prior_labels)
    drawn = [z, z_prior]
    title = f"Codes of {counted(len(z), noun)}"
    if heads is not None:
        heads = heads[:, axis_dims]
        left.scatter(*heads.T, marker="X", s=90, color="black", edgecolors="white")
        drawn.append(heads)
        title += " (crosses: cluster heads)"
    left.set_title(title, fontsize="medium")
    right.set_title(f"{counted(len(z_prior), 'sample')} of the prior", fontsize="medium")
    low, high = (f(np.concatenate(drawn)) for f in (np.min, np.max))
    margin = 0.03 * (high - low) or 0.5
    for axes in (left, right):
        axes.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
        axes.set_aspect("equal")
        x_name, y_name = axis_names or (f"$z_{{{dim}}}$" for dim in dims)
        axes.set_xlabel(x_name)
        axes.set_ylabel(y_name)
    if labels is not None:
        add_legend(figure, class_names, labels, below=columns == 1)
    return figure.finished()


def colours_with_unlabelled(num_classes: int) -> np.ndarray:
    """The colours of classes, and as the last one, for the class -1, that of unlabelled images.

    Args:
        num_classes: Number of classes.

    Returns:
        An array of shape (num_classes + 1, 4).
    """
    return np.vstack([class_colours(num_classes), to_rgba(PRIOR)])


def add_legend(
    figure: Figure, class_names: Sequence[str], classes: np.ndarray, below: bool = False
) -> None:
    """Adds the colours of the classes, on the right or below the axes. The figure becomes larger.

    The names are given with their handles: Matplotlib ignores other names that begin with "_".

    Args:
        figure: The figure.
        class_names: Names of the classes.
        classes: Classes of the points, -1 for an unlabelled image.
        below: Whether the legend is below the axes.
    """
    colours = colours_with_unlabelled(len(class_names))
    if np.min(classes) < 0:
        class_names = [*class_names, "unlabelled"]
    colours = colours[: len(class_names)]
    width, height = figure.get_size_inches()
    if len(class_names) > MAX_NAMES:
        norm = BoundaryNorm(np.arange(len(class_names) + 1) - 0.5, len(class_names))
        mappable = ScalarMappable(norm, ListedColormap(colours))
        ticks = np.linspace(0, len(class_names) - 1, 6).round()
        figure.colorbar(
            mappable,
            ax=figure.axes,
            label="number of the class",
            ticks=ticks,
            location="bottom" if below else "right",
            shrink=0.8,
            aspect=40,
        )
        return
    names = labels(class_names)
    # A name has its marker and a space.
    name_inches = label_inches(names) + 0.5
    columns = max(int(width / name_inches), 1) if below else -(-len(names) // 25)
    rows = -(-len(names) // columns)
    columns = -(-len(names) // rows)
    handles = [Line2D([], [], color=colour, marker="o", linestyle="") for colour in colours]
    figure.legend(
        handles,
        names,
        loc="outside lower center" if below else "outside right center",
        frameon=False,
        title="class",
        ncols=columns,
    )
    extra = (0, 0.2 * rows + 0.4) if below else (columns * name_inches, 0)
    figure.set_size_inches(width + extra[0], height + extra[1])


def moments(model: AdversarialAutoencoder) -> tuple[np.ndarray, np.ndarray]:
    """Computes mean and standard deviation of the decoder's input space, in each dimension.

    Args:
        model: A trained model.

    Returns:
        Two arrays of shape (z_dim,).
    """
    if model.cluster_heads is None:
        return priors.moments(model.prior, model.z_dim)
    points = model.draw_representation(10_000)
    return points.mean(axis=0), points.std(axis=0)
