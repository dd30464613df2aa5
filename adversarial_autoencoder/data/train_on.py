"""Leaves only some classes in the training, whose items are the normal ones of anomaly scores."""

import dataclasses
from typing import Any

import numpy as np

from adversarial_autoencoder.data.dataset import Dataset
from adversarial_autoencoder.errors import InputError, counted, did_you_mean

# With fewer training items, no column and no pixel varies.
MIN_TRAINING, MIN_VALIDATION = 2, 1


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
