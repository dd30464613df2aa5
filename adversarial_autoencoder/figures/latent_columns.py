"""Figure of the latent space of a table: the columns of rows decoded from a grid of codes."""

import numpy as np
from matplotlib.colors import BoundaryNorm, ListedColormap

from adversarial_autoencoder.figures.canvas import Figure
from adversarial_autoencoder.figures.colours import class_colours
from adversarial_autoencoder.figures.labels import labels
from adversarial_autoencoder.figures.latent import grid_codes, moments
from adversarial_autoencoder.model import AdversarialAutoencoder

# The figure shows the first columns that vary.
MAX_COLUMNS = 12
# A colour bar of more categories names some of them.
MAX_NAMES = 8


def latent_columns_shown(model: AdversarialAutoencoder) -> list[int]:
    """The indices of the columns that `latent_columns` draws.

    Args:
        model: A model of a table.

    Returns:
        The first `MAX_COLUMNS` columns that vary.
    """
    columns = model.observation.schema.columns
    return [i for i, column in enumerate(columns) if not column.constant][:MAX_COLUMNS]


def latent_columns(
    model: AdversarialAutoencoder,
    size: int = 20,
    grid_range: float | None = None,
    dims: tuple[int, int] = (0, 1),
    y: int = 0,
    panel_inches: float = 2.6,
) -> Figure:
    """Draws each column of a table over a plane of the latent space.

    The rows are decoded from a regular grid of codes, which spans two dimensions of z. The other
    dimensions have the mean of the prior. A numeric column is a heat map. A categorical column
    shows the most probable category.

    Args:
        model: A trained model of a table with z_dim >= 2.
        size: Number of rows on each side of the grid, >= 2.
        grid_range: Distance from the centre of the grid, the mean of the prior, to its sides, in
            units of z. Default: 2 standard deviations of the prior.
        dims: The two dimensions of z that the grid spans.
        y: The value of y for all rows, if the model has a code y and no cluster heads.
        panel_inches: Side of a panel.

    Returns:
        The figure. It shows at most `MAX_COLUMNS` columns.
    """
    mean, std = moments(model)
    axis_dims = list(dims)
    grid_range = 2 * std[axis_dims].mean() if grid_range is None else grid_range
    rows = model.decode_array(*grid_codes(model, mean, size, grid_range, dims, y))
    schema, shown = model.observation.schema, latent_columns_shown(model)
    across = min(4, len(shown))
    down = -(-len(shown) // across)
    figure = Figure((panel_inches + 1) * across, panel_inches * down + 0.6)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    # The axes extend half a cell beyond the codes.
    reach = grid_range * size / (size - 1)
    (left, bottom), (right, top) = mean[axis_dims] - reach, mean[axis_dims] + reach
    for axes, i in zip(panels, shown, strict=False):
        column, values = schema.columns[i], rows[:, i].reshape(size, size)
        style = {"extent": (left, right, bottom, top), "aspect": "auto"}
        if column.numeric:
            drawn = axes.imshow(values, cmap="viridis", **style)
            figure.colorbar(drawn, ax=axes)
        else:
            k = len(column.categories)
            colours = ListedColormap(class_colours(k))
            norm = BoundaryNorm(np.arange(k + 1) - 0.5, k)
            drawn = axes.imshow(values, cmap=colours, norm=norm, interpolation="nearest", **style)
            # The categories that occur, or the first of them.
            ticks = np.unique(values[np.isfinite(values)]).astype(int)[:MAX_NAMES]
            bar = figure.colorbar(drawn, ax=axes, ticks=ticks)
            bar.ax.set_yticklabels(labels([column.categories[t] for t in ticks], 16), fontsize=6)
        axes.set_title(labels([column.name], 30)[0], fontsize="small")
    for axes in panels[len(shown) :]:
        axes.remove()
    for axes in panels[: len(shown)]:
        axes.tick_params(labelsize="x-small")
    figure.supxlabel(f"$z_{{{dims[0]}}}$", fontsize="small")
    figure.supylabel(f"$z_{{{dims[1]}}}$", fontsize="small")
    deviations = grid_range / std[axis_dims].mean()
    title = f"Columns decoded from a grid of codes, ±{deviations:.3g} prior standard deviations"
    title += f", y = {y}" if model.num_classes and model.cluster_heads is None else ""
    figure.suptitle(title, fontsize="medium")
    return figure.finished()
