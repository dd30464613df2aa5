"""Selects the training images that a training uses, or whose labels it uses."""

import dataclasses
from typing import Any

import numpy as np

from adversarial_autoencoder.config import Config
from adversarial_autoencoder.data.checks import UNLABELLED
from adversarial_autoencoder.data.dataset import Dataset
from adversarial_autoencoder.errors import InputError, counted, did_you_mean

# With fewer training items, no column and no pixel varies.
MIN_TRAINING, MIN_VALIDATION = 2, 1


def training_labels(
    config: Config, dataset: Dataset
) -> tuple[np.ndarray, list[float]] | tuple[None, None]:
    """Returns the labels that a training can use, and the class frequencies.

    Args:
        config: Settings of the training.
        dataset: The data set.

    Returns:
        Two values, or None and None if the training uses no labels. First, int32 labels of shape
        (n,) for the n training images, -1 for an unlabelled image. Second, a list of `num_classes`
        class frequencies, which add up to 1. They are the frequencies of the labels that are used;
        equal ones for a subset of the labels of images, which is balanced.

    Raises:
        InputError: If the data set has no labels, has too few labels of a class, has a class
            without labelled training images, has no labelled validation images, or lacks a label
            that the system needs.
    """
    if not config.uses_labels:
        return None, None
    if dataset.y_train is None:
        raise InputError(
            f"These settings of {config.model} need a data set with labels. "
            f"Received: {dataset.name} without labels"
        )
    unlabelled = np.count_nonzero(dataset.y_train == UNLABELLED)
    if unlabelled and config.labelled_images_only and not config.num_labels:
        raise InputError(
            f"{config.model} needs a label for each training image. --num_labels N trains on N "
            f"labelled images only. Received: {dataset.name} with {unlabelled} of "
            f"{len(dataset.y_train)} training images without a label"
        )
    if config.system.y and dataset.y_validation is None:
        raise InputError(
            f"{config.model} needs validation images with labels, to measure the classes. "
            f"Received: {dataset.name} without labelled validation images"
        )
    # Images are balanced as in the literature. The classes of tables often have very different
    # frequencies, which the prior p(y) must have too.
    balanced = dataset.schema is None
    labels = known_labels(
        dataset.y_train, config.num_labels, dataset.num_classes, config.seed, balanced
    )
    if config.num_labels and balanced:
        # The subset is balanced by construction, so it does not show the class frequencies.
        return labels, [1 / dataset.num_classes] * dataset.num_classes
    counts = np.bincount(labels[labels != UNLABELLED], minlength=dataset.num_classes)
    if not counts.all():
        raise InputError(
            f"Every class of {dataset.name} must have a training image with a label after the "
            f"split. Received: none of class {dataset.class_names[counts.argmin()]}"
        )
    return labels, (counts / counts.sum()).tolist()


def known_labels(
    y: np.ndarray, num_labels: int | None, num_classes: int, seed: int, balanced: bool = True
) -> np.ndarray:
    """Hides all labels except those of a random subset.

    Args:
        y: Labels, integers in 0..num_classes - 1, or -1 for an unlabelled image, shape (n,).
        num_labels: Number of labels to keep. 0 or None keeps all labels.
        num_classes: Number of classes.
        seed: Seed of the random selection.
        balanced: Whether each class keeps the same number; if `num_labels` is not a multiple of
            `num_classes`, the first classes keep one more. If not, each class keeps one, and the
            others are drawn from all labels.

    Returns:
        int32 labels of shape (n,), -1 for a hidden label and for an unlabelled image.

    Raises:
        InputError: If `num_labels` is smaller than `num_classes`, or if a class has too few images.

    Example:
        >>> import numpy as np
        >>> y = np.array([0, 1, 0, 1, 1, 0])
        >>> labels = known_labels(y, num_labels=2, num_classes=2, seed=0)
        >>> np.sort(labels).tolist()
        [-1, -1, -1, -1, 0, 1]
    """
    if not num_labels:
        return y.astype("int32")
    if num_labels < num_classes:
        raise InputError(
            f"num_labels must be at least {num_classes}, one for each class. "
            f"Received: num_labels={num_labels}"
        )
    rng = np.random.default_rng(seed)
    labels = np.full(len(y), UNLABELLED, "int32")
    if not balanced:
        return _drawn(y, labels, num_labels, num_classes, rng)
    for k in range(num_classes):
        wanted = num_labels // num_classes + (k < num_labels % num_classes)
        of_class = np.flatnonzero(y == k)
        if len(of_class) < wanted:
            raise InputError(
                f"num_labels must select at most the {len(of_class)} training images of class {k}. "
                f"Received: num_labels={num_labels}, which selects {wanted}"
            )
        labels[rng.permutation(of_class)[:wanted]] = k
    return labels


def _drawn(y, labels, num_labels, num_classes, rng):
    """Keeps one label of each class, and others that are drawn from all labels."""
    known = rng.permutation(np.flatnonzero(y != UNLABELLED))
    if len(known) < num_labels:
        raise InputError(
            f"num_labels must be at most the {len(known)} labelled training rows. "
            f"Received: num_labels={num_labels}"
        )
    classes, first = np.unique(y[known], return_index=True)
    if len(classes) < num_classes:
        missing = min(set(range(num_classes)) - set(classes.tolist()))
        raise InputError(
            f"Every class must have a training row with a label. Received: none of class {missing}"
        )
    chosen = np.concatenate([known[first], np.delete(known, first)])[:num_labels]
    labels[chosen] = y[chosen]
    return labels


def classes_of(train_on: str, dataset: Dataset) -> list[int]:
    """The classes that `train_on` names.

    Args:
        train_on: Names of classes or their numbers from 0, separated by commas. A name comes first.
        dataset: The data set.

    Returns:
        Their numbers.

    Raises:
        InputError: If the data set has no labels or no such class.
    """
    names = dataset.class_names
    if not names or dataset.y_train is None:
        raise InputError(
            f"train_on needs a data set with labels. Received: {dataset.name} without labels"
        )
    classes = []
    for label in (part.strip() for part in train_on.split(",")):
        if label in names:
            classes.append(names.index(label))
        elif label.isdecimal() and len(label) < 10 and int(label) < len(names):
            classes.append(int(label))
        else:
            raise InputError(
                f"train_on must name classes of {dataset.name}: {', '.join(names[:20])}"
                f"{', ...' if len(names) > 20 else ''}.{did_you_mean(label, names)} "
                f"Received: train_on={train_on}"
            )
    return classes


def keep_classes(dataset: Dataset, train_on: str) -> Dataset:
    """Leaves only items of some classes among training and validation items.

    The test items stay, so that they show what a model of these classes does with other ones. The
    schema of a table is fitted to the training rows that stay.

    Args:
        dataset: The data set.
        train_on: The classes; see `classes_of`.

    Returns:
        A `Dataset` with the same checksum.

    Raises:
        InputError: If the classes do not exist, or too few items stay.
    """
    classes = classes_of(train_on, dataset)
    changed: dict[str, Any] = {}
    for part, least in (("train", MIN_TRAINING), ("validation", MIN_VALIDATION)):
        x, y = getattr(dataset, f"x_{part}"), getattr(dataset, f"y_{part}")
        kept = np.flatnonzero(np.isin(y, classes)) if y is not None else np.empty(0, "int64")
        if len(kept) < least:
            what = {"train": "training", "validation": "validation"}[part]
            raise InputError(
                f"train_on must leave at least {counted(least, f'{what} {dataset.noun}')}. "
                f"Received: train_on={train_on}, which leaves {len(kept)}"
            )
        changed |= {f"x_{part}": x.take(kept, axis=0), f"y_{part}": y[kept]}
    if dataset.schema is not None:
        changed["schema"] = dataset.schema.fitted(changed["x_train"])
    return dataclasses.replace(dataset, **changed)
