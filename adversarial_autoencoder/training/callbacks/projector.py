"""Writes codes with their classes and images for the tab Projector of TensorBoard."""

import numpy as np
import tensorflow as tf
from tensorboard.plugins import projector

from adversarial_autoencoder.errors import printable
from adversarial_autoencoder.figures.canvas import as_grid, grid, tile
from adversarial_autoencoder.observations import Pixels
from adversarial_autoencoder.observations.pixels import to_unit_interval

# Pixels on a side of the sprite image.
MAX_PIXELS = 1024


def write_projector(folder, model, x, labels=None, class_names=()):
    """Writes the position of images in the latent space, their classes, and small copies of them.

    Args:
        folder: Folder of event files, a run of TensorBoard.
        model: A trained `AdversarialAutoencoder`.
        x: Images, shape (n, height, width, channels), or rows of a table, n >= 1.
        labels: Their classes, integers of shape (n,), -1 for "unlabelled"; or None.
        class_names: Names of the classes.
    """
    np.savetxt(folder / "codes.tsv", model.represent(x, seed=0), fmt="%.6g", delimiter="\t")
    config = projector.ProjectorConfig()
    embedding = config.embeddings.add(tensor_name="codes", tensor_path="codes.tsv")
    if labels is not None:
        names = [*map(printable, class_names), "unlabelled"]
        text = "".join(f"{names[label]}\n" for label in labels)
        (folder / "classes.tsv").write_text(text, encoding="utf-8")
        embedding.metadata_path = "classes.tsv"
    if isinstance(model.observation, Pixels):
        sprite, (height, width) = sprite_of(x)
        (folder / "images.png").write_bytes(tf.io.encode_png(sprite).numpy())
        embedding.sprite.image_path = "images.png"
        embedding.sprite.single_image_dim.extend([width, height])
    projector.visualize_embeddings(str(folder), config)


def sprite_of(x):
    """Joins images to a square of images, row by row, as TensorBoard reads it.

    Args:
        x: Images, shape (n, height, width, channels): integers in 0..255 or floats in [0, 1].

    Returns:
        The picture, uint8 of shape (side, side, channels) if images are square, with at most
        `MAX_PIXELS` pixels on a side if images can be so small; and the height and the width of an
        image in it.
    """
    side = int(np.ceil(len(x) ** 0.5))
    # The last image fills the empty places.
    index = np.minimum(np.arange(side**2), len(x) - 1)
    images = as_grid(
        grid(
            lambda part: to_unit_interval(x[index[part]]).numpy(),
            side,
            side,
            x.shape[1:],
            max_pixels=MAX_PIXELS,
        )
    )
    return (255 * tile(images, pad=0)).round().astype("uint8"), images.shape[2:4]
