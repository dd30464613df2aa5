"""Figures of decoded images, such as reconstructions, samples and interpolations."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.errors import counted
from adversarial_autoencoder.figures.canvas import Figure, grid, image_rows
from adversarial_autoencoder.figures.labels import labels
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.networks.encoders import CORRUPTION
from adversarial_autoencoder.observations.pixels import to_unit_interval

# The most values of y in a figure.
MAX_VALUES = 50


def reconstructions(
    model: AdversarialAutoencoder,
    x: np.ndarray,
    y: np.ndarray | None = None,
    corrupt: bool = False,
) -> Figure:
    """Draws images and, below them, their reconstructions.

    Args:
        model: The trained model.
        x: Images, shape (n, height, width, channels): integers in 0..255 or floats in [0, 1].
        y: Labels, shape (n,). Required if the decoder has an input y that the encoder does not
            infer, None otherwise.
        corrupt: Whether to reconstruct images that are corrupted as in training, and to show them
            in a row of their own, clipped to [0, 1]. The encoder must have `input_noise`.

    Returns:
        The figure.
    """
    if not corrupt:
        seen, shown, title = x, x, "Images (top) and their reconstructions (bottom)"
    else:
        corruption = model.encoder.get_layer(CORRUPTION)
        seen = corruption(to_unit_interval(x), training=True).numpy()
        # Dropout scales up the pixels that it keeps.
        shown = np.clip(seen * (1 - getattr(corruption, "rate", 0)), 0, 1)
        title = "Corrupted images (top), their reconstructions, and the clean images (bottom)"

    # In a graph, because corrupted images are not in [0, 1], which the model refuses otherwise.
    reconstruct = tf.function(model) if corrupt else model

    def reconstructed(part):
        return reconstruct(to_unit_interval(seen[part]), None if y is None else y[part]).numpy()

    rows = [lambda part: to_unit_interval(shown[part]).numpy(), reconstructed]
    if corrupt:
        rows.append(lambda part: to_unit_interval(x[part]).numpy())
    images = [grid(images_of, 1, len(x), model.image_shape) for images_of in rows]
    return image_rows(np.concatenate(images), title)


def samples(
    model: AdversarialAutoencoder,
    rows: int = 10,
    columns: int = 10,
    seed: int = 0,
    z: np.ndarray | None = None,
) -> Figure:
    """Draws images decoded from samples of the prior or from given codes.

    If the model has a code y, each row has one value of y. The figure shows at most the first
    `MAX_VALUES` values.

    Args:
        model: The trained model.
        rows: Number of rows. Ignored if the model has a code y.
        columns: Number of images in a row.
        seed: Seed of the samples, >= 0.
        z: Codes to decode instead of samples of the prior, such as samples of
            `evaluation.gaussian_mixture`: shape (n, z_dim), row by row, with one code for each
            image or more. None for the prior.

    Returns:
        The figure.
    """
    rows = min(model.num_classes, MAX_VALUES) or rows
    y = np.repeat(np.arange(rows), columns) if model.num_classes else None
    codes = model.codes.z.sample_prior(rows * columns, seed) if z is None else z

    def images_of(part):
        chosen = codes[part]
        return model.generate(len(chosen), None if y is None else y[part], seed, chosen)

    images = grid(images_of, rows, columns, model.image_shape)
    source = "the prior" if z is None else "a Gaussian mixture fitted to the codes"
    title = f"Images decoded from samples of {source}"
    if not model.num_classes:
        return image_rows(images, title)
    title += f", one row for each y{_of_all(model)}"
    return image_rows(images, title, row_labels=labels(range(rows)))


def style_grid(
    model: AdversarialAutoencoder,
    z: np.ndarray,
    class_names: Sequence[str] = (),
    x: np.ndarray | None = None,
) -> Figure:
    """Draws images decoded from each pair of style z and class y.

    The images of a row have the same z, the images of a column have the same y. Makhzani et al.
    2015, section 4. The figure shows at most the first `MAX_VALUES` values of y.

    Args:
        model: A trained model with a code y.
        z: Style codes, shape (rows, z_dim).
        class_names: Names of the values of y. Default: their numbers.
        x: The images that the style codes come from, shape (rows, height, width, channels), or
            None. They are drawn in the first column.

    Returns:
        The figure.
    """
    columns = min(model.num_classes, MAX_VALUES)
    codes, values = np.repeat(z, columns, axis=0), np.tile(np.arange(columns), len(z))
    images = grid(
        lambda part: model.decode(codes[part], values[part]), len(z), columns, model.image_shape
    )
    title = "Images decoded with the same style z in each row and the same y in each column"
    title += _of_all(model)
    names = class_names if len(class_names) else range(columns)
    column_labels = labels(names)[:columns]
    if x is not None:
        title += "; first column: the image that gives z"
        images = np.concatenate([_beside(columns, x), images], axis=1)
        column_labels = ["image", *column_labels]
    return image_rows(images, title, column_labels=column_labels)


def cluster_grid(model: AdversarialAutoencoder, x: np.ndarray, columns: int = 10) -> Figure:
    """Draws one row for each cluster: its cluster head and its most probable images.

    A cluster head is the image decoded from z = 0 and the one-hot y of the cluster (Makhzani et al.
    2015, section 6). The images of a cluster are in decreasing order of q(y|x). Of more than
    `MAX_VALUES` clusters, the figure shows the largest.

    Args:
        model: A trained model that infers y.
        x: Images, shape (n, height, width, channels): integers in 0..255 or floats in [0, 1].
        columns: Maximum number of images next to each cluster head.

    Returns:
        The figure. The row labels show the cluster and its number of images in `x`.
    """
    probabilities = model.classify(x)
    assigned = probabilities.argmax(axis=1)
    sizes = np.bincount(assigned, minlength=model.num_classes)
    clusters = np.sort(np.argsort(-sizes, kind="stable")[:MAX_VALUES])
    # The index of the image in each place, or -1 for an empty place.
    best = np.full((len(clusters), columns), -1)
    for row, k in enumerate(clusters):
        of_cluster = np.flatnonzero(assigned == k)
        order = np.argsort(-probabilities[of_cluster, k], kind="stable")[:columns]
        best[row, : len(order)] = of_cluster[order]

    def images_of(part):
        chosen = best.ravel()[part]
        images = to_unit_interval(x[np.maximum(chosen, 0)]).numpy()
        images[chosen < 0] = 1
        return images

    heads = model.decode(np.zeros((len(clusters), model.z_dim), "float32"), clusters)
    images = grid(images_of, len(clusters), columns, model.image_shape)
    images = np.concatenate([_beside(columns, heads), images], axis=1)
    title = (
        f"Cluster heads (z = 0), most probable images, and cluster sizes (of "
        f"{counted(len(x), 'image')}).\n{np.count_nonzero(sizes)} of "
        f"{counted(model.num_classes, 'cluster')} in use"
    )
    if len(clusters) < model.num_classes:
        title += f"; shown: the {len(clusters)} largest"
    return image_rows(
        images,
        title,
        column_labels=["head", *[""] * columns],
        row_labels=[f"{k}: {sizes[k]}" for k in clusters],
    )


def interpolations(
    model: AdversarialAutoencoder,
    x_from: np.ndarray,
    x_to: np.ndarray,
    columns: int = 10,
    y_from: np.ndarray | None = None,
    y_to: np.ndarray | None = None,
) -> Figure:
    """Draws linear interpolations between the codes of two images, one row for each pair.

    Args:
        model: The trained model.
        x_from: Start images, shape (n, height, width, channels): integers in 0..255 or floats in
            [0, 1].
        x_to: End images, same shape and range.
        columns: Number of decoded codes in a row, including the codes of both images.
        y_from: Labels of the start images, shape (n,). Required if the decoder has an input y that
            the encoder does not infer, ignored otherwise.
        y_to: Labels of the end images, shape (n,). Required in the same case as `y_from`.

    Returns:
        The figure. The first and the last column show the images themselves.
    """
    decoded = interpolated(model, x_from, x_to, columns, y_from, y_to)
    rows = np.concatenate([_beside(columns, x_from), decoded, _beside(columns, x_to)], axis=1)
    title = "Linear interpolation between the codes of two images (first and last column)"
    return image_rows(rows, title, column_labels=["start", *[""] * columns, "end"])


def interpolated(
    model: AdversarialAutoencoder,
    x_from: np.ndarray,
    x_to: np.ndarray,
    columns: int,
    y_from: np.ndarray | None = None,
    y_to: np.ndarray | None = None,
) -> np.ndarray:
    """Decodes codes on the straight lines between the codes of two images.

    Args:
        model: The trained model.
        x_from: Start images, shape (n, height, width, channels).
        x_to: End images, same shape.
        columns: Number of decoded codes of a pair, including the codes of both images.
        y_from: Labels of the start images, as in `interpolations`.
        y_to: Labels of the end images.

    Returns:
        Images, shape (n, columns, height, width, channels), reduced as by `canvas.grid`.
    """
    t = np.linspace(0, 1, columns, dtype="float32")[None, :, None]

    def interpolate(start, end):
        codes = (1 - t) * np.asarray(start)[:, None] + t * np.asarray(end)[:, None]
        return codes.reshape(-1, codes.shape[-1])

    z = interpolate(model.encode(x_from), model.encode(x_to))
    y = None
    if model.infers_y:
        y = interpolate(model.classify(x_from), model.classify(x_to))
    elif model.num_classes:
        one_hot = np.eye(model.num_classes, dtype="float32")
        y = interpolate(one_hot[y_from], one_hot[y_to])
    return grid(
        lambda part: model.decode(z[part], None if y is None else y[part]),
        len(x_from),
        columns,
        model.image_shape,
    )


def _beside(columns, x):
    """A column of images, reduced like the images of the `columns` columns next to it."""
    return grid(lambda part: to_unit_interval(x[part]).numpy(), len(x), 1, x.shape[1:], columns)


def _of_all(model):
    """What a title adds if a figure shows only some values of y."""
    if model.num_classes <= MAX_VALUES:
        return ""
    return f" (the first {MAX_VALUES} of {model.num_classes} values of y)"
