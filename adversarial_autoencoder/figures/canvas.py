"""Images laid out in rows on a figure, and a figure as an array."""

import textwrap

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def to_array(figure, dpi=80):
    """Renders a figure as an array of bytes, shape (height, width, 4)."""
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def image_rows(images, title, column_labels=(), row_labels=()):
    """Draws images of shape (rows, columns, height, width, channels), in [0, 1]."""
    rows, columns, height, width = images.shape[:4]
    pad = padding(height)
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
    show(axes, tile(images, pad))
    axes.set_yticks(np.arange(len(row_labels)) * (height + pad) + (height - 1) / 2, row_labels)
    centres = np.arange(len(column_labels)) * (width + pad) + (width - 1) / 2
    axes.set_xticks(centres, column_labels, rotation=90 if upright else 0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize="medium")
    return figure


def padding(height):
    """Pixels between images of this height."""
    return max(1, height // 14)


def tile(images, pad, background=1.0):
    """Joins images of shape (rows, columns, height, width[, channels]), `pad` pixels apart."""
    if images.ndim == 4:
        images = images[..., None]
    rows, columns, height, width, channels = images.shape
    shape = (rows, height + pad, columns, width + pad, channels)
    canvas = np.full(shape, background, "float32")
    canvas[:, :height, :, :width] = images.transpose(0, 2, 1, 3, 4)
    canvas = canvas.reshape(rows * (height + pad), columns * (width + pad), channels)
    return canvas[: canvas.shape[0] - pad, : canvas.shape[1] - pad]


def show(axes, image, **kwargs):
    if image.shape[-1] == 1:
        image = image[..., 0]
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, **kwargs)
