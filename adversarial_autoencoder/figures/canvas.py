"""Shared parts of the figures: rows of images, and a figure as an array."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def to_array(figure: Figure, dpi: float = 80) -> np.ndarray:
    """Render a figure as an RGBA image.

    Args:
        figure: A figure.
        dpi: Resolution, in pixels per inch.

    Returns:
        A uint8 array of shape (height, width, 4).
    """
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def image_rows(
    images: np.ndarray,
    title: str,
    column_labels: Sequence[object] = (),
    row_labels: Sequence[object] = (),
) -> Figure:
    """Draw rows of images.

    Args:
        images: Images, shape (rows, columns, height, width, channels), floats in [0, 1].
        title: Title of the figure. Long titles are wrapped.
        column_labels: Labels below the columns, from the left.
        row_labels: Labels of the rows, from the top.

    Returns:
        The figure.
    """
    column_texts = [str(label) for label in column_labels]
    row_texts = [str(label) for label in row_labels]
    rows, columns, height, width = images.shape[:4]
    pad = padding(height)
    # One inch holds 9 characters of a row label, 11 of a vertical column label or 12 of the title.
    # One line of text is 0.2 inches high.
    row_label_inches = max(map(len, row_texts), default=0) / 9
    column_label_length = max(map(len, column_texts), default=0)
    vertical = column_label_length > 8
    inches = max(5.0, 0.6 * columns + row_label_inches)
    title = textwrap.fill(title, int(12 * inches))
    label_inches = column_label_length / 11 if vertical else 0.2 * bool(column_label_length)
    text_inches = 0.2 + 0.2 * title.count("\n") + label_inches
    size = (inches, 0.6 * rows * height / width + text_inches)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    show(axes, tile(images, pad))
    axes.set_yticks(np.arange(len(row_texts)) * (height + pad) + (height - 1) / 2, row_texts)
    centres = np.arange(len(column_texts)) * (width + pad) + (width - 1) / 2
    axes.set_xticks(centres, column_texts, rotation=90 if vertical else 0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize="medium")
    return figure


def padding(height: int) -> int:
    """Compute the space between images of a given height.

    Args:
        height: Height of one image, in pixels.

    Returns:
        The space in pixels, >= 1.
    """
    return max(1, height // 14)


def tile(images: np.ndarray, pad: int, background: float = 1.0) -> np.ndarray:
    """Join a grid of images into one image.

    Args:
        images: Images, shape (rows, columns, height, width) or (rows, columns, height, width,
            channels).
        pad: Pixels between two images.
        background: Value of these pixels.

    Returns:
        A float32 array of shape (total height, total width, channels).
    """
    if images.ndim == 4:
        images = images[..., None]
    rows, columns, height, width, channels = images.shape
    shape = (rows, height + pad, columns, width + pad, channels)
    canvas = np.full(shape, background, "float32")
    canvas[:, :height, :, :width] = images.transpose(0, 2, 1, 3, 4)
    canvas = canvas.reshape(rows * (height + pad), columns * (width + pad), channels)
    return canvas[: canvas.shape[0] - pad, : canvas.shape[1] - pad]


def show(axes: Axes, image: np.ndarray, **kwargs: Any) -> None:
    """Draw a grey or colour image on axes.

    Args:
        axes: The axes.
        image: An image, shape (height, width, channels), floats in [0, 1].
        **kwargs: Other arguments of `Axes.imshow`.
    """
    if image.shape[-1] == 1:
        image = image[..., 0]
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, **kwargs)
