"""The figure of a search: the results of all trials, and how each setting changes them."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.ticker import NullFormatter

from adversarial_autoencoder.figures.canvas import Figure
from adversarial_autoencoder.figures.colours import CLASSES, PRIOR

# Panels of settings in a row, next to the panel of the results, and their side in inches.
COLUMNS, SIDE = 3, 2.3


def trials(
    numbers: Sequence[int],
    scores: Mapping[str, Sequence[float]],
    settings: Mapping[str, Sequence[float]],
    best: Sequence[int],
    logarithmic: Collection[str] = (),
) -> Figure:
    """Draws the trials of a search.

    The large panel shows two measures of each trial and the Pareto front, or one measure over the
    trials. A star marks the best trial, a square the first one. Each small panel shows the first
    measure over one setting; the colour is the second measure, or the number of the trial.

    Args:
        numbers: Number of each trial.
        scores: One or two measures of each trial, by the names of the measures. Lower is better.
        settings: Values of the searched settings in each trial, by the names of the settings.
        best: Numbers of the best trials, the best one first. Of two measures, the Pareto front.
        logarithmic: Settings that are drawn on a logarithmic axis.

    Returns:
        The figure.

    Example:
        >>> from adversarial_autoencoder import figures
        >>> scores = {"loss": [3.0, 1.0, 2.0], "distance": [1.0, 3.0, 4.0]}
        >>> figure = figures.trials([0, 1, 2], scores, {"dropout": [0.1, 0.2, 0.3]}, [0, 1])
        >>> figure.axes[0].get_xlabel(), figure.axes[1].get_xlabel()
        ('loss', 'dropout')
    """
    rows = max(2, -(-len(settings) // COLUMNS))
    figure = Figure((COLUMNS + 2) * SIDE + 0.8, rows * SIDE)
    grid = figure.add_gridspec(rows, COLUMNS + 2)
    large = figure.add_subplot(grid[:, :2])
    measures = list(scores)
    first = np.asarray(scores[measures[0]])
    index = {number: i for i, number in enumerate(numbers)}
    front = [index[number] for number in best]
    if len(measures) == 1:
        x, y, colour = np.asarray(numbers), first, np.asarray(numbers, "float64")
        large.step(x, np.minimum.accumulate(y), where="post", color=PRIOR, label="best so far")
        large.set_xlabel("trial")
        large.set_ylabel(measures[0])
        colour_label, most = "trial", 1.0
    else:
        x, y = first, np.asarray(scores[measures[1]])
        # One trial that is far worse than the others does not set the range of the colours.
        colour, colour_label, most = y, measures[1], 0.9
        order = sorted(front, key=lambda i: (x[i], y[i]))
        large.step(x[order], y[order], where="post", color=PRIOR, label="Pareto front")
        large.set_xlabel(measures[0])
        large.set_ylabel(measures[1])
        for i in order:
            large.annotate(
                str(numbers[i]), (x[i], y[i]), (4, 4), textcoords="offset points", fontsize="small"
            )
    norm = Normalize(colour.min(), np.quantile(colour, most))
    _points(large, x, y, colour, norm, front[0], index.get(0))
    large.legend(fontsize="small", loc="best")
    panels = []
    for i, (name, values) in enumerate(settings.items()):
        axes = figure.add_subplot(grid[i // COLUMNS, 2 + i % COLUMNS])
        if name in logarithmic:
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(name, fontsize="small")
        if i % COLUMNS == 0:
            axes.set_ylabel(measures[0], fontsize="small")
        axes.tick_params(labelsize="small")
        shown = _points(axes, np.asarray(values), first, colour, norm, front[0], index.get(0))
        panels.append(axes)
    figure.colorbar(shown, ax=[large, *panels], label=colour_label, shrink=0.6, pad=0.01)
    return figure.finished()


def _points(axes, x, y, colour, norm, best, first):
    """The trials as points, the first as a square and the best as a star."""
    style = {"c": colour, "norm": norm, "cmap": "viridis"}
    shown = axes.scatter(x, y, s=22, edgecolors="white", linewidths=0.4, zorder=2, **style)
    if first is not None:
        axes.scatter(
            x[first], y[first], s=70, marker="s", facecolors="none", edgecolors=CLASSES[0],
            linewidths=1.5, zorder=3, label="the defaults",
        )  # fmt: skip
    axes.scatter(
        x[best], y[best], s=150, marker="*", color=CLASSES[3], edgecolors="white",
        linewidths=0.6, zorder=4, label="best",
    )  # fmt: skip
    return shown
