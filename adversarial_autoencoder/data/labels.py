"""Which training images count as labelled."""

import numpy as np

from adversarial_autoencoder.errors import InputError

UNLABELLED = -1


def training_labels(config, dataset):
    """The labels of the training images that a run may see, and the shares of the classes.

    Args:
        config: A `Config`.
        dataset: The `Dataset`.

    Returns:
        int32 labels of shape (n,), -1 where a run may not see them, and the share of each class, a
        list: that of the data where all labels are seen, else equal shares. None and None where the
        run uses no labels.

    Raises:
        InputError: If there are no labels, or too few, or none of a class.
    """
    if not config.uses_labels:
        return None, None
    if dataset.y_train is None:
        raise InputError(f"{config.model} needs labels here. Received: {dataset.name} without them")
    labels = known_labels(dataset.y_train, config.num_labels, dataset.num_classes, config.seed)
    if config.num_labels:
        # The subset is balanced by choice: it does not tell how frequent the classes are.
        return labels, [1 / dataset.num_classes] * dataset.num_classes
    counts = np.bincount(labels, minlength=dataset.num_classes)
    if not counts.all():
        raise InputError(
            f"Every class of {dataset.name} must have a training image, after the split. "
            f"Received: none of class {dataset.class_names[counts.argmin()]}"
        )
    return labels, (counts / counts.sum()).tolist()


def known_labels(y, num_labels, num_classes, seed):
    """Hides the labels of all images but a class-balanced subset.

    Args:
        y: Labels, integers in 0..num_classes - 1, shape (n,).
        num_labels: Number of labels to keep, as many of each class (one more of the first classes
            where it is no multiple of `num_classes`); 0: all.
        num_classes: Number of classes.
        seed: Seed of the choice.

    Returns:
        int32 labels of shape (n,), -1 where hidden.

    Raises:
        InputError: If a class has too few images, or there are fewer labels than classes.
    """
    if not num_labels:
        return y.astype("int32")
    if num_labels < num_classes:
        raise InputError(
            f"num_labels must be at least one for each of the {num_classes} classes. "
            f"Received: num_labels={num_labels}"
        )
    rng = np.random.default_rng(seed)
    labels = np.full(len(y), UNLABELLED, "int32")
    for k in range(num_classes):
        wanted = num_labels // num_classes + (k < num_labels % num_classes)
        of_class = np.flatnonzero(y == k)
        if len(of_class) < wanted:
            raise InputError(
                f"num_labels must leave at most the {len(of_class)} training images that class {k} "
                f"has. Received: num_labels={num_labels}, which takes {wanted}"
            )
        labels[rng.permutation(of_class)[:wanted]] = k
    return labels
