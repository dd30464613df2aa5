"""The modes that measure one run on its test images."""

import math
import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial_autoencoder import data
from adversarial_autoencoder.errors import InputError, counted
from adversarial_autoencoder.evaluation.metrics import METRICS
from adversarial_autoencoder.modes.files import CLASSIFIES, check_files, classify_files
from adversarial_autoencoder.modes.printing import (
    NOT_IN_TABLES,
    format_number,
    print_table,
    save_figure,
)
from adversarial_autoencoder.modes.select_run import Shown, shown_run
from adversarial_autoencoder.runs.durable import atomic

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command

# Folder in the results folder, for the classifiers that give the features.
FEATURES = ".features"
# The classifier learns from at most so many training images, with at most so many numbers in all.
FEATURE_IMAGES, MAX_NUMBERS = 60_000, 2**28
# Columns whose distances are printed: the worst ones.
SHOWN_COLUMNS = 10
PARTS = {"train": "training", "validation": "validation", "test": "test"}
FITTING = "Fitting mixtures of Gaussians to the codes of training images (up to a minute)."


def evaluate(command: "Command", overrides: dict) -> None:
    """Measure a run on its test images, print a table, and write metrics.json."""
    shown = shown_run(command, overrides, with_data=True)
    from adversarial_autoencoder import figures
    from adversarial_autoencoder.evaluation import report

    run, model, dataset = shown.run, shown.model, shown.dataset
    _check_enough(dataset, *PARTS)
    shown.given_labels(slice(None))
    before = run.read_metrics()
    if command.sampler == "gaussian_mixture":
        print(FITTING, flush=True)
    features = None if shown.is_table else _features(command, dataset)
    measured, columns = report.measure(model, dataset, features, command.sampler)
    metrics = {"epochs": shown.epochs} | measured
    if before.get("epochs") == metrics["epochs"]:
        # Measures with the other sampler are still valid.
        metrics = before | metrics
    metrics = {name: metrics[name] for name in METRICS if name in metrics}
    # Before anything is printed, which can fail.
    path = run.write_metrics(metrics)
    print(f"{run.name} on the test {dataset.noun}s of {dataset.name}:")
    print_table(
        (name, format_number(value), METRICS[name].text)
        for name, value in metrics.items()
        if name not in NOT_IN_TABLES
    )
    if dataset.y_test is None:
        print("Measures of classes are left out: there are no test labels.")
    elif unlabelled := int((dataset.y_test < 0).sum()):
        left_out = counted(unlabelled, f"test {dataset.noun}")
        print(f"Measures of classes leave out {left_out} without a label.")
    if shown.config.train_on is not None:
        print(
            f"The run was trained on {shown.config.train_on} alone, and these measures are of all "
            f"test {dataset.noun}s. --mode score tells them apart."
        )
    print(f"Wrote {path}")
    if shown.is_table:
        _write_columns(shown, columns, command.sampler)
    if dataset.y_test is not None and "error" in metrics:
        counts = _confusion(model, dataset)
        figure = figures.confusion(counts, dataset.class_names, dataset.noun)
        print(f"Wrote {run.write_figure(figure, 'confusion')}")


def fitted_codes(model: Any, dataset: data.Dataset, n: int) -> np.ndarray:
    """Samples a Gaussian mixture that is fitted to the codes of training images.

    Args:
        model: An `AdversarialAutoencoder`.
        dataset: The `data.Dataset` of its training.
        n: Number of samples, >= 1.

    Returns:
        Codes, a float32 array of shape (n, z_dim).

    Raises:
        InputError: If there are too few training images.
    """
    from adversarial_autoencoder.evaluation import report

    _check_enough(dataset, "train")
    print(FITTING, flush=True)
    return report.mixture_sample(model, dataset, n)


def _check_enough(dataset, *parts):
    """Raises InputError if a data set has too few images of a part for the measures."""
    from adversarial_autoencoder.evaluation import report

    for part in parts:
        if (n := len(getattr(dataset, f"x_{part}"))) < report.MIN_IMAGES:
            raise InputError(
                f"{dataset.name} must have at least {report.MIN_IMAGES} "
                f"{PARTS[part]} {dataset.noun}s. Received: {n}"
            )


def _at_most(n, dataset):
    """The number of training images to read: `n`, or fewer if they are large."""
    return min(n, MAX_NUMBERS // math.prod(dataset.image_shape))


def _features(command, dataset):
    """The features of a data set, from a classifier that is trained once; None without labels."""
    if dataset.num_classes < 2:
        print("fid, kid, precision and recall are left out: they need at least two classes.")
        return None
    from adversarial_autoencoder.evaluation import features

    folder = pathlib.Path(command.results_dir, FEATURES)
    path = folder / f"{features.cache_key(dataset.checksum)}.keras"
    classifier = features.read_classifier(path, dataset.image_shape, dataset.num_classes)
    if classifier is None:
        print(f"Training the classifier whose features FID uses, once for {dataset.name}.")
        chosen = np.flatnonzero(dataset.y_train >= 0)[: _at_most(FEATURE_IMAGES, dataset)]
        classifier = features.train_classifier(
            dataset.x_train.take(chosen, axis=0), dataset.y_train[chosen], dataset.num_classes
        )
        folder.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            classifier.save(temporary)
    return features.Features(classifier)


def classify(command: "Command", overrides: dict) -> None:
    """Measure the test error and draw the confusion, or classify your own --input."""
    if command.input is not None:
        classify_files(command, overrides)
        return
    if command.output is not None:
        raise InputError("--output needs --input. Received: no --input")
    check_files(command)
    shown = shown_run(command, overrides, with_data=True, needs=CLASSIFIES)
    dataset = shown.dataset
    if dataset.y_test is None:
        raise InputError(f"{dataset.name} must have test labels. Received: none")
    from adversarial_autoencoder import figures

    counts = _confusion(shown.model, dataset)
    wrong = counts.sum() - np.trace(counts)
    total = counts.sum()
    print(f"Test error: {wrong / total:.2%} ({wrong} of {counted(total, dataset.noun)})")
    save_figure(
        shown.run, figures.confusion(counts, dataset.class_names, dataset.noun), "confusion"
    )


def _confusion(model, dataset):
    """Counts the test images that have a label, by class and by predicted class."""
    from adversarial_autoencoder.evaluation.classification import confusion

    labelled = dataset.y_test >= 0
    predicted = model.classify(dataset.x_test[labelled]).argmax(axis=1)
    return confusion(dataset.y_test[labelled], predicted, model.num_classes)


def _write_columns(shown: Shown, columns: Mapping[str, tuple[float, float]], sampler: str) -> None:
    """Prints the distances of the columns, the largest first, and writes them to a CSV file."""
    kinds = {column.name: column.kind for column in shown.model.observation.schema.columns}
    lines = [
        (name, kinds[name], f"{distance:.4f}", f"{floor:.4f}")
        for name, (distance, floor) in sorted(columns.items(), key=lambda item: -item[1][0])
    ]
    header = ("column", "kind", "generated and test rows", "validation and test rows")
    print("Distances of the columns (Kolmogorov-Smirnov, or total variation of categories):")
    print_table([header, *lines[:SHOWN_COLUMNS]])
    if len(lines) > SHOWN_COLUMNS:
        print(f"and {len(lines) - SHOWN_COLUMNS} smaller ones")
    name = "columns" if sampler == "prior" else f"columns_{sampler}"
    print(f"Wrote {shown.run.write_rows(name, [header, *lines])}")
