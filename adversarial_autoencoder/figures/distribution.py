"""Histograms of the codes over the histograms of the prior."""

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch

from adversarial_autoencoder.errors import counted
from adversarial_autoencoder.figures.canvas import Figure
from adversarial_autoencoder.figures.colours import CLASSES, PRIOR

# The largest number of dimensions of z that have their own panel.
MAX_DIMENSIONS = 16
# The axes hold all samples of the prior, and the codes except for this fraction on each side.
TAIL = 0.001
_PRIOR = {"facecolor": to_rgba(PRIOR, 0.4)}
_CODES = {"facecolor": to_rgba(CLASSES[0], 0.25), "edgecolor": CLASSES[0], "linewidth": 1.5}


def histograms(
    z: np.ndarray,
    z_prior: np.ndarray,
    y: np.ndarray | None = None,
    y_prior: np.ndarray | None = None,
    columns: int = 3,
    panel_inches: float = 3.2,
    noun: str = "image",
) -> Figure:
    """Draws the distribution of the codes over the prior: do the codes follow the prior?

    One panel shows all dimensions of z together, one panel each of the first `MAX_DIMENSIONS`
    dimensions, and one panel y. All panels of z have the same axis, so that equal widths look
    equal.

    Args:
        z: Codes, shape (n, z_dim).
        z_prior: Samples of the prior, shape (m, z_dim).
        y: Most probable values of y, integers >= 0 of shape (n,), or None.
        y_prior: Samples of the prior of y, integers >= 0 of shape (m,). Required if `y` is given.
        columns: Maximum number of panels in a row.
        panel_inches: Width of a panel.
        noun: What was encoded, in the singular.

    Returns:
        The figure.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder import figures
        >>> z, z_prior = np.random.default_rng(0).normal(size=(2, 500, 4))
        >>> figure = figures.histograms(z, z_prior)
        >>> [axes.get_title(loc="left") for axes in figure.axes]
        ['all of z', '$z_{0}$', '$z_{1}$', '$z_{2}$', '$z_{3}$']
    """
    low, high = _limits(z, z_prior)
    # The rule of Rice, with at least 20 bins.
    bins = max(round(2 * min(len(z), len(z_prior)) ** (1 / 3)), 20)
    edges = np.linspace(low, high, bins + 1)
    shown = range(min(z.shape[1], MAX_DIMENSIONS))
    panels = [(f"$z_{{{i}}}$", z[:, i], z_prior[:, i], edges) for i in shown]
    if len(panels) > 1:
        panels.insert(0, ("all of z", z.ravel(), z_prior.ravel(), edges))
    if y is not None and y_prior is not None:
        values = max(y.max(), y_prior.max()) + 1
        panels.append(("most probable y", y, y_prior, np.arange(values + 1) - 0.5))

    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(panel_inches * columns, (0.5 * panel_inches + 0.4) * rows + 0.6)
    figure.set_layout_engine("constrained", w_pad=0.15, h_pad=0.08)
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (title, values, prior, edges) in zip(places, panels, strict=False):
        for part, style in ((prior, _PRIOR), (values, _CODES)):
            # The area is the fraction of values within the axes.
            weights = np.full(len(part), 1 / (len(part) * (edges[1] - edges[0])))
            axes.hist(part, edges, weights=weights, histtype="stepfilled", **style)
        axes.set_title(title, loc="left", fontsize="medium")
        axes.set_xlim(edges[0], edges[-1])
        axes.set_yticks([])
        axes.spines[["left", "top", "right"]].set_visible(False)
        if values is not y:
            _add_moments(axes, values, prior)
    for axes in places[len(panels) :]:
        axes.remove()
    _add_legend(figure, z, z_prior, (low, high), noun)
    return figure.finished()


def _limits(z, z_prior):
    """The ends of the axes."""
    lower, upper = (
        np.quantile(z[:, :MAX_DIMENSIONS], share, method=method)
        for share, method in ((TAIL, "lower"), (1 - TAIL, "higher"))
    )
    low, high = min(z_prior.min(), lower), max(z_prior.max(), upper)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _add_moments(axes, values, prior):
    """Writes mean and standard deviation of the codes and, below them, of the prior."""
    for part, colour, points in ((values, CLASSES[0], 13), (prior, PRIOR, 3)):
        axes.annotate(
            f"mean {_rounded(part.mean())}, std {_rounded(part.std())}",
            (1, 1),
            (0, points),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            fontsize="x-small",
            color=colour,
        )


def _add_legend(figure, z, z_prior, limits, noun):
    codes = f"codes of {counted(len(z), noun)}"
    outside = np.mean((z < limits[0]) | (z > limits[1]))
    if outside:
        codes += f" ({100 * outside:.1g}% outside the axes)"
    prior = f"{counted(len(z_prior), 'sample')} of the prior"
    if z.shape[1] > MAX_DIMENSIONS:
        prior += f"; the first {MAX_DIMENSIONS} of {z.shape[1]} dimensions"
    figure.legend(
        [Patch(**_CODES), Patch(**_PRIOR)],
        [codes, prior],
        loc="outside upper center",
        ncols=2 if figure.get_figwidth() > 6 else 1,
        frameon=False,
    )


def _rounded(number):
    """A number with two decimals, without a negative zero."""
    return f"{round(float(number), 2) + 0.0:.2f}"
