"""Moving pictures: what a model has learned from epoch to epoch, and a walk between images."""

import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from PIL import Image

from adversarial_autoencoder.figures.canvas import (
    Figure,
    as_grid,
    grid,
    padding,
    show,
    tile,
    to_array,
)
from adversarial_autoencoder.figures.colours import CLASSES, PRIOR
from adversarial_autoencoder.figures.images import interpolated
from adversarial_autoencoder.figures.latent import (
    add_legend,
    colours_with_unlabelled,
    grid_codes,
    has_latent_grid,
    moments,
)
from adversarial_autoencoder.model import AdversarialAutoencoder

# Suffixes of the files. Every browser and viewer plays a GIF; a WebP is smaller.
FORMATS = ("gif", "webp")
# Side of a picture in inches, at 100 pixels an inch.
INCHES, DPI = 4.2, 100
# Seconds of a frame, and of the first and last one.
SECONDS, PAUSE = 0.15, 1.5


def picture(model: AdversarialAutoencoder, side: int, max_pixels: int) -> np.ndarray:
    """Decodes the same codes at each time of a training, and joins the images to one picture.

    The codes are a latent grid; of a model with a code y, samples of the prior with one value of y
    in each row; of a model with z_dim 1, samples of the prior.

    Args:
        model: A model of images.
        side: Number of images in a row and of rows.
        max_pixels: Most pixels of the images in a row, if they can be so small.

    Returns:
        The picture, float32 in [0, 1], shape (height, width, channels).
    """
    rows, y = min(model.num_classes, side) or side, None
    if has_latent_grid(model):
        mean, std = moments(model)
        rows = side
        z, y = grid_codes(model, mean, side, 2 * std[:2].mean(), (0, 1), 0)
    elif model.num_classes:
        z = np.tile(model.codes.z.sample_prior(side), (rows, 1))
        y = np.repeat(np.arange(rows), side)
    else:
        z = model.codes.z.sample_prior(rows * side)
    images = grid(
        lambda part: model.decode(z[part], None if y is None else y[part]),
        rows,
        side,
        model.image_shape,
        max_pixels=max_pixels,
    )
    return tile(as_grid(images), padding(images), background=0.0)


def moving_pictures(pictures: Mapping[int, np.ndarray]) -> Iterator[np.ndarray]:
    """Draws the pictures of a training one after the other.

    Args:
        pictures: Dict from the number of an epoch to a picture, uint8 of shape (height, width,
            channels).

    Returns:
        Frames, uint8 of shape (height, width, 3).
    """
    titles = (f"Epoch {epoch}" for epoch in pictures)
    return _drawn((picture / np.float32(255) for picture in pictures.values()), titles)


def moving_scatter(
    codes: Mapping[int, np.ndarray],
    z_prior: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] = (),
) -> Iterator[np.ndarray]:
    """Draws the codes of the same images from epoch to epoch, over samples of the prior.

    Args:
        codes: Dict from the number of an epoch to codes, shape (n, 2).
        z_prior: Samples of the prior, shape (m, 2).
        labels: Classes of the images, shape (n,), -1 for an unlabelled image; or None.
        class_names: Names of the classes, for the legend. Required if `labels` is given.

    Yields:
        Frames, uint8 of shape (height, width, 3).
    """
    figure = Figure(INCHES, INCHES)
    axes = figure.subplots()
    # A few codes of an early epoch can be far outside.
    low, high = np.quantile(np.concatenate([*codes.values(), z_prior]), [0.002, 0.998])
    margin = 0.08 * (high - low) or 0.5
    limits = (low - margin, high + margin)
    axes.set(xlim=limits, ylim=limits, aspect="equal", xlabel="$z_{0}$", ylabel="$z_{1}$")
    axes.scatter(z_prior[:, 0], z_prior[:, 1], s=9, color=PRIOR, alpha=0.25, linewidths=0)
    colours = CLASSES[0]
    if labels is not None:
        colours = colours_with_unlabelled(len(class_names))[labels]
        add_legend(figure, class_names, labels)
    axes.set_title("Epoch", fontsize="medium")
    first = next(iter(codes.values()))
    points = axes.scatter(first[:, 0], first[:, 1], s=14, c=colours, linewidths=0)
    figure.finished()
    for epoch, z in codes.items():
        points.set_offsets(z)
        axes.set_title(f"Epoch {epoch}", fontsize="medium")
        yield to_array(figure, DPI)[..., :3].copy()


def moving_interpolation(
    model: AdversarialAutoencoder,
    x: np.ndarray,
    y: np.ndarray | None = None,
    columns: int = 5,
    steps: int = 16,
) -> Iterator[np.ndarray]:
    """Moves from the codes of images to those of the next images, and back.

    Args:
        model: A trained model of images.
        x: Images, shape (n, height, width, channels), n >= 2. Each changes into the next one, the
            last one into the first one.
        y: Their labels, shape (n,), if the decoder has an input y that the encoder does not infer.
        columns: Number of images in a row.
        steps: Number of frames in one direction.

    Returns:
        Frames, uint8 of shape (height, width, 3).
    """
    y_next = None if y is None else np.roll(y, -1)
    images = interpolated(model, x, np.roll(x, -1, axis=0), steps, y, y_next)
    columns = min(columns, len(x))
    images = images[: len(x) // columns * columns]
    shape = (-1, columns, *images.shape[2:])
    hold = [steps - 1] * round(PAUSE / SECONDS)
    moves = [*range(steps), *hold, *reversed(range(steps))]
    rows = (images[:, step].reshape(shape) for step in moves)
    titles = ("Between the codes of images" for _ in moves)
    return _drawn((tile(row, padding(row)) for row in rows), titles)


def save_animation(path: pathlib.Path, frames: Sequence[np.ndarray]) -> None:
    """Writes frames as a moving picture that repeats.

    Args:
        path: The file. Its suffix is one of `FORMATS`.
        frames: Frames of one size, uint8 of shape (height, width, 3). Not empty.
    """
    first, *others = (Image.fromarray(np.ascontiguousarray(frame)) for frame in frames)
    times = np.full(len(frames), 1000 * SECONDS)
    times[[0, -1]] = 1000 * PAUSE
    first.save(
        path,
        save_all=True,
        append_images=others,
        duration=[int(time) for time in times],
        loop=0,
        quality=80,
    )


def _drawn(pictures, titles):
    """Draws pictures of one size with titles, one frame each."""
    figure = artist = None
    for image, title in zip(pictures, titles, strict=True):
        if figure is None:
            height, width = image.shape[:2]
            ratio = min(max(height / width, 0.25), 4) ** 0.5
            figure = Figure(INCHES / ratio, INCHES * ratio + 0.3)
            axes = figure.subplots()
            show(axes, image)
            axes.set_axis_off()
            (artist,) = axes.get_images()
            axes.set_title(title, fontsize="medium")
            figure.finished()
        artist.set_data(image[..., 0] if image.shape[-1] == 1 else image)
        axes.set_title(title, fontsize="medium")
        yield to_array(figure, DPI)[..., :3].copy()
