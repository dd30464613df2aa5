"""Figures of images that a model decodes: reconstructions, samples, grids of y, interpolations."""

import numpy as np

from adversarial_autoencoder.figures.canvas import image_rows
from adversarial_autoencoder.model.batch import to_unit_interval


def reconstructions(model, x, y=None):
    """Draws images above their reconstructions.

    Args:
        model: An `AdversarialAutoencoder`.
        x: Images, shape (n, height, width, channels).
        y: Their labels, shape (n,), where the model does not infer y.
    """
    x = to_unit_interval(x).numpy()
    rows = np.stack([x, model(x, y).numpy()])
    return image_rows(rows, "Images and, below, their reconstructions")


def samples(model, rows=10, columns=10, seed=0, z=None):
    """Draws images decoded from samples of the prior; with a code y, a row for each value of it.

    Args:
        model: An `AdversarialAutoencoder`.
        rows: Number of rows where there is no y.
        columns: Images in a row.
        seed: Integer >= 0; the same seed gives the same images.
        z: Codes to decode instead, as those of a mixture fitted to training codes: one for each
            image, shape (n, z_dim); or None.
    """
    rows = model.num_classes or rows
    y = np.repeat(np.arange(rows), columns) if model.num_classes else None
    images = model.generate(rows * columns, y, seed, z)
    images = images.reshape(rows, columns, *images.shape[1:])
    source = "the prior" if z is None else "a Gaussian mixture fitted to the codes"
    title = f"Images decoded from samples of {source}"
    if not model.num_classes:
        return image_rows(images, title)
    return image_rows(images, f"{title}, a row for each y", row_labels=range(rows))


def style_grid(model, z, class_names=(), x=None):
    """Draws every style with every class: a row shares its z, a column its y (section 4).

    Args:
        model: An `AdversarialAutoencoder` with a code y.
        z: Style codes, shape (rows, z_dim).
        class_names: Names of the values of y; by default their numbers.
        x: The images that the styles are from, drawn first in each row; or None.
    """
    columns = model.num_classes
    images = model.decode(np.repeat(z, columns, axis=0), np.tile(np.arange(columns), len(z)))
    images = images.reshape(len(z), columns, *images.shape[1:])
    title = "Images decoded with one style z in each row and one y in each column"
    labels = [*(class_names or range(columns))]
    if x is not None:
        title += "; in the first, the image with this z"
        images = np.concatenate([to_unit_interval(x).numpy()[:, None], images], axis=1)
        labels = ["from", *labels]
    return image_rows(images, title, column_labels=labels)


def cluster_grid(model, x, columns=10):
    """Draws a row for each value of y: its head, decoded from z = 0, then images assigned to it.

    The images are those with the highest probability q(y|x) first.

    Args:
        model: An `AdversarialAutoencoder` that infers y.
        x: Images, shape (n, height, width, channels).
        columns: Images drawn beside each head.
    """
    rows = model.num_classes
    probabilities = model.classify(x)
    assigned = probabilities.argmax(axis=1)
    x = to_unit_interval(x).numpy()
    heads = model.decode(np.zeros((rows, model.z_dim), "float32"), np.arange(rows))
    images = np.ones((rows, columns + 1, *x.shape[1:]), "float32")
    images[:, 0] = heads
    for k in range(rows):
        of_cluster = np.flatnonzero(assigned == k)
        best = of_cluster[np.argsort(-probabilities[of_cluster, k], kind="stable")[:columns]]
        images[k, 1 : 1 + len(best)] = x[best]
    counts = np.bincount(assigned, minlength=rows)
    return image_rows(
        images,
        f"Head of each cluster (z = 0), and how many of {len(x)} images it has",
        column_labels=["head", *[""] * columns],
        row_labels=[f"{k}: {count}" for k, count in enumerate(counts)],
    )


def interpolations(model, x_from, x_to, columns=10, y_from=None, y_to=None):
    """Draws straight lines between codes: a row for each pair of images.

    Args:
        model: An `AdversarialAutoencoder`.
        x_from: Images, shape (n, height, width, channels).
        x_to: Images of the same shape.
        columns: Codes decoded along each line, both ends included.
        y_from, y_to: Their labels, shape (n,), where the model does not infer y.
    """
    t = np.linspace(0, 1, columns, dtype="float32")[None, :, None]

    def line(start, end):
        codes = (1 - t) * np.asarray(start)[:, None] + t * np.asarray(end)[:, None]
        return codes.reshape(-1, codes.shape[-1])

    z = line(model.encode(x_from), model.encode(x_to))
    y = None
    if model.infers_y:
        y = line(model.classify(x_from), model.classify(x_to))
    elif model.num_classes:
        y = line(*(np.eye(model.num_classes, dtype="float32")[labels] for labels in (y_from, y_to)))
    decoded = model.decode(z, y)
    decoded = decoded.reshape(len(x_from), columns, *decoded.shape[1:])
    ends = [to_unit_interval(x).numpy()[:, None] for x in (x_from, x_to)]
    rows = np.concatenate([ends[0], decoded, ends[1]], axis=1)
    labels = ["from", *[""] * columns, "to"]
    title = "Images decoded along straight lines of codes between two images (first, last column)"
    return image_rows(rows, title, column_labels=labels)
