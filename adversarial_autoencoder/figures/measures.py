"""Figures of measures: a confusion matrix, and a comparison of several runs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.patches import Patch

from adversarial_autoencoder.errors import counted
from adversarial_autoencoder.figures.canvas import Figure
from adversarial_autoencoder.figures.colours import class_colours
from adversarial_autoencoder.figures.labels import label_inches, labels

# A confusion matrix of more classes shows some of their numbers instead of all names.
MAX_NAMES = 60
# Bars of more runs have no numbers.
MAX_BARS = 40
# With more epochs, a learning curve has a point for each second, third, ... epoch.
MAX_POINTS = 2000


def confusion(counts: np.ndarray, class_names: Sequence[str], noun: str = "image") -> Figure:
    """Draws a confusion matrix.

    The colours show the fraction of each true class. Up to 30 classes, the cells also show the
    number of images.

    Args:
        counts: Numbers of images from `evaluation.classification.confusion`, integers of shape
            (num_classes, num_classes). Rows are true classes, columns are predicted classes.
        class_names: Names of the classes.
        noun: What was classified, in the singular.

    Returns:
        The figure.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder import figures
        >>> figure = figures.confusion(np.array([[8, 2], [1, 9]]), ["cat", "dog"])
        >>> figure.axes[0].get_title()
        '20 images, 15.00% misclassified'
    """
    k, names = len(class_names), labels(class_names)
    name_inches = label_inches(names)
    named = k <= MAX_NAMES
    side = min(4 + 0.35 * k, 14) + name_inches if named else 8
    figure = Figure(side + 0.8, side)
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if k <= 30:
        for (i, j), count in np.ndenumerate(counts):
            colour = "white" if shares[i, j] > 0.5 else "black"
            axes.text(j, i, count, ha="center", va="center", color=colour, fontsize="small")
    if named:
        axes.set_xticks(range(k), names, rotation=90 if name_inches > 0.3 else 0)
        axes.set_yticks(range(k), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    total = counts.sum()
    error = 1 - np.trace(counts) / total
    axes.set_title(f"{counted(total, noun)}, {error:.2%} misclassified", fontsize="medium")
    figure.colorbar(shown, label="fraction of the true class", shrink=0.8)
    return figure.finished()


def comparison(
    metrics: Mapping[str, Mapping[str, float]],
    histories: Mapping[str, Sequence[Mapping[str, float]]],
    merits: Mapping[str, str],
) -> Figure:
    """Draws learning curves and measures of several runs for comparison.

    One panel shows each of the learning curves of the validation images, another panel shows each
    metric as bars. Metrics that no run has are left out. Of more than `MAX_POINTS` epochs, a curve
    shows some.

    Args:
        metrics: Metrics of each run, from `evaluation.report.measure`: a dict from names of runs to
            dicts from names of metrics to numbers.
        histories: Training history of each run: a dict from names of runs to lists of dicts, one
            for each epoch.
        merits: Metrics to draw: a dict from names of metrics to the better direction, "lower" or
            "higher".

    Returns:
        The figure.
    """
    colours = dict(zip(metrics, class_colours(len(metrics)), strict=True))
    curves = [
        name
        for name in ("val_reconstruction_loss", "val_prior_distance", "val_classification_accuracy")
        if any(name in row for rows in histories.values() for row in rows)
    ]
    bars = [name for name in merits if any(name in measured for measured in metrics.values())]
    columns = 4
    rows = max(1, -(-(len(curves) + len(bars)) // columns))
    height = min(1.5 + 0.16 * len(metrics), 8.0)
    names = labels(metrics, max_length=40)
    legend_columns = max(int(14 / (label_inches(names) + 0.6)), 1)
    legend_height = 0.25 * -(-len(metrics) // legend_columns)
    figure = Figure(14, rows * height + 0.4 + legend_height)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, name in zip(panels, curves, strict=False):
        for run, history in histories.items():
            every = max(len(history) // MAX_POINTS, 1)
            points = [(row["epoch"], row[name]) for row in history[::every] if name in row]
            if points:
                axes.plot(*zip(*points, strict=True), color=colours[run], marker=".")
        axes.set_title(f"{name}\nper epoch", fontsize="medium")
    for axes, name in zip(panels[len(curves) :], bars, strict=False):
        _bars(axes, [measured.get(name) for measured in metrics.values()], colours.values())
        axes.set_title(f"{name}\n{merits[name]} is better", fontsize="medium")
    for axes in panels[len(curves) + len(bars) :]:
        axes.set_visible(False)
    handles = [Patch(color=colour) for colour in colours.values()]
    figure.legend(handles, names, loc="outside upper center", ncols=legend_columns)
    return figure.finished()


def _bars(axes, values, colours):
    """Draws horizontal bars with their values, the first one at the top. None is missing."""
    shown = [0 if value is None else value for value in values]
    drawn = axes.barh(range(len(values)), shown, color=list(colours))
    if len(values) <= MAX_BARS:
        numbers = ["-" if value is None else f"{value:.4g}" for value in values]
        axes.bar_label(drawn, numbers, padding=3, fontsize="small")
    axes.invert_yaxis()
    axes.set_yticks([])
    axes.margins(x=0.3)
    axes.locator_params(axis="x", nbins=4)
    if not any(shown):
        axes.set_xlim(0, 1)
