"""Shared parts of the figures: a figure that displays itself, and rows of images."""

import io
import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from adversarial_autoencoder.figures.labels import fallback_families, label_inches
from adversarial_autoencoder.model.batch import images_at_once

# Sides of an image in a figure, in inches: their geometric mean, and the longest row of images. At
# 150 pixels per inch a row has at most 6000 pixels.
IMAGE_INCHES, MAX_INCHES = 0.6, 40
# The longest side of a grid of images, and its area: a figure of usual size has no more pixels.
MAX_PIXELS, MAX_AREA = 6000, 2**23


class Figure(matplotlib.figure.Figure):
    """A Matplotlib figure that displays itself in Jupyter, also without `%matplotlib inline`.

    Args:
        width: Width in inches.
        height: Height in inches.
    """

    def __init__(self, width: float, height: float):
        super().__init__(figsize=(width, height), layout="constrained")

    def _repr_png_(self) -> bytes:
        """The image that Jupyter shows."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=100)
        return file.getvalue()

    def finished(self) -> "Figure":
        """Chooses fonts for all texts, lays out the figure, and cuts off its empty margins.

        Returns:
            The figure itself.
        """
        for text in self.findobj(Text):
            # Names of classes are no TeX either, whatever the user's settings are.
            text.set_usetex(False)
            if families := fallback_families(text.get_text()):
                text.set_fontfamily([*text.get_fontfamily(), *families])
        self.draw_without_rendering()
        # The layout is final. Axes of a fixed aspect leave space that another layout would move.
        self.set_layout_engine("none")
        box, (width, height) = self.get_tightbbox().padded(0.05), self.get_size_inches()
        for axes in self.axes:
            x0, y0, x1, y1 = axes.get_position(original=True).extents
            left, bottom = (x0 * width - box.x0) / box.width, (y0 * height - box.y0) / box.height
            scale = width / box.width, height / box.height
            axes.set_position((left, bottom, (x1 - x0) * scale[0], (y1 - y0) * scale[1]))
            axes.set_in_layout(True)
        self.set_size_inches(box.width, box.height)
        return self


def to_array(figure: matplotlib.figure.Figure, dpi: float = 80) -> np.ndarray:
    """Renders a figure as an RGBA image.

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
    column_labels: Sequence[str] = (),
    row_labels: Sequence[str] = (),
) -> Figure:
    """Draws rows of images.

    Args:
        images: Images, shape (rows, columns, height, width) or (rows, columns, height, width,
            channels), floats in [0, 1].
        title: Title of the figure. Long titles are wrapped.
        column_labels: Labels below the columns, from the left.
        row_labels: Labels of the rows, from the top.

    Returns:
        The figure.

    Raises:
        ValueError: If the images cannot be drawn.
    """
    images = as_grid(images)
    rows, columns, height, width = images.shape[:4]
    image_width, image_height = image_inches(rows, columns, height / width)
    label_width = label_inches(column_labels)
    vertical = label_width > image_width
    inches = max(5.0, image_width * columns + label_inches(row_labels))
    # One inch holds 12 characters of the title. One line of text is 0.2 inches high.
    title = textwrap.fill(title, int(12 * inches))
    label_height = label_width if vertical else 0.2 * bool(label_width)
    text_inches = 0.3 + 0.2 * title.count("\n") + label_height
    figure = Figure(inches, image_height * rows + text_inches)
    axes = figure.subplots()
    pad = padding(images)
    show(axes, tile(images, pad))
    y = np.arange(len(row_labels)) * (height + pad) + (height - 1) / 2
    x = np.arange(len(column_labels)) * (width + pad) + (width - 1) / 2
    # Flat or narrow images are smaller than a line of text: some labels are left out.
    every_y, every_x = (math.ceil(0.16 / inches) for inches in (image_height, image_width))
    axes.set_yticks(y[::every_y], row_labels[::every_y])
    axes.set_xticks(x[::every_x], column_labels[::every_x], rotation=90 if vertical else 0)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize="medium")
    return figure.finished()


def image_inches(rows: int, columns: int, ratio: float) -> tuple[float, float]:
    """Chooses the size of an image in a grid of images.

    Args:
        rows: Number of rows.
        columns: Number of images in a row.
        ratio: Height of an image divided by its width.

    Returns:
        Width and height in inches. They have the given ratio, and the grid is at most `MAX_INCHES`
        wide and high.
    """
    width, height = IMAGE_INCHES / ratio**0.5, IMAGE_INCHES * ratio**0.5
    scale = min(1, MAX_INCHES / (width * columns), MAX_INCHES / (height * rows))
    return width * scale, height * scale


def grid(
    images_of: Callable[[slice], np.ndarray],
    rows: int,
    columns: int,
    image_shape: Sequence[int],
    shown_columns: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Computes a grid of images in parts, and reduces each part to the pixels that a figure shows.

    All images in full size can need much more memory than the figure.

    Args:
        images_of: Function from a slice of the rows * columns images, row by row, to these images:
            an array of shape (n, height, width, channels).
        rows: Number of rows.
        columns: Number of images in a row.
        image_shape: Shape of an image, (height, width, channels).
        shown_columns: Number of images in a row of the figure, if the grid is a part of it.
        max_pixels: Most pixels on a side of the grid, if its images can be so small.

    Returns:
        An array of shape (rows, columns, height, width, channels), reduced as by `as_grid`.

    Raises:
        ValueError: If a figure cannot show images of this shape.
    """
    _check_shape(image_shape)
    height, width = image_shape[:2]
    factors = _factors(rows, shown_columns or columns, height, width, max_pixels)
    size = images_at_once(rows * columns, image_shape)
    starts = range(0, rows * columns, size)
    parts = [_reduced(images_of(slice(i, min(i + size, rows * columns))), factors) for i in starts]
    images = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return images.reshape(rows, columns, *images.shape[1:])


def _check_shape(shape):
    if len(shape) != 3 or shape[-1] not in (1, 3, 4):
        raise ValueError(
            "A figure needs images of shape (height, width), or (height, width, channels) with 1, "
            f"3 or 4 channels. Received: images of shape {tuple(shape)}"
        )


def _factors(rows, columns, height, width, max_pixels=MAX_PIXELS):
    """The sides of the squares of pixels of which a figure shows the means."""
    longest = max(rows * height, columns * width)
    area = rows * height * columns * width
    factor = max(-(-longest // max_pixels), math.ceil((area / MAX_AREA) ** 0.5))
    return min(factor, height), min(factor, width)


def _reduced(images, factors):
    """Means over squares of pixels of images of shape (..., height, width, channels)."""
    if max(factors) == 1:
        return images
    *others, height, width, channels = images.shape
    height, width = height // factors[0], width // factors[1]
    images = images[..., : height * factors[0], : width * factors[1], :]
    images = images.reshape(*others, height, factors[0], width, factors[1], channels)
    return images.mean(axis=(-4, -2), dtype="float32")


def as_grid(images: np.ndarray) -> np.ndarray:
    """Checks a grid of images, and reduces images that have more pixels than a figure shows.

    Args:
        images: Images, shape (rows, columns, height, width) or (rows, columns, height, width,
            channels).

    Returns:
        An array of shape (rows, columns, height, width, channels). If a side of the grid has more
        than `MAX_PIXELS`, or the grid more than `MAX_AREA`, its pixels are means over squares of
        pixels.

    Raises:
        ValueError: If these are no images, or if they do not have 1, 3 or 4 channels.
    """
    if images.ndim == 4:
        images = images[..., None]
    _check_shape(images.shape[2:])
    return _reduced(images, _factors(*images.shape[:4]))


def padding(images: np.ndarray) -> int:
    """Computes the space between images.

    Args:
        images: Images, shape (rows, columns, height, width, channels).

    Returns:
        The space in pixels, >= 1.
    """
    return max(1, min(images.shape[2:4]) // 14)


def tile(images: np.ndarray, pad: int, background: float = 1.0) -> np.ndarray:
    """Joins a grid of images into one image.

    Args:
        images: Images, shape (rows, columns, height, width) or (rows, columns, height, width,
            channels).
        pad: Pixels between two images.
        background: Value of these pixels.

    Returns:
        A float32 array of shape (total height, total width, channels).
    """
    rows, columns, height, width = images.shape[:4]
    images = images.reshape(rows, columns, height, width, -1)
    channels = images.shape[-1]
    shape = (rows, height + pad, columns, width + pad, channels)
    canvas = np.full(shape, background, "float32")
    canvas[:, :height, :, :width] = images.transpose(0, 2, 1, 3, 4)
    canvas = canvas.reshape(rows * (height + pad), columns * (width + pad), channels)
    return canvas[: canvas.shape[0] - pad, : canvas.shape[1] - pad]


def show(axes: Axes, image: np.ndarray, **kwargs: Any) -> None:
    """Draws a grey or colour image on axes.

    Args:
        axes: The axes.
        image: An image, shape (height, width, channels), floats in [0, 1].
        **kwargs: Other arguments of `Axes.imshow`.
    """
    if image.shape[-1] == 1:
        image = image[..., 0]
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, **kwargs)
