"""The modes that measure one run on its test images."""

import math
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial_autoencoder import data
from adversarial_autoencoder.errors import InputError, counted
from adversarial_autoencoder.modes.rows import measure_columns
from adversarial_autoencoder.modes.select_run import save_figure, shown_run
from adversarial_autoencoder.modes.tables import NOT_IN_TABLES, format_number, print_table
from adversarial_autoencoder.runs.durable import atomic

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command

# Folder in the results folder, for the classifiers that give the features.
FEATURES = ".features"
# The classifier learns from at most so many training images, with at most so many numbers in all.
FEATURE_IMAGES, MAX_NUMBERS = 60_000, 2**28
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
    metrics = {"epochs": shown.epochs} | report.measure(model, dataset, features, command.sampler)
    if before.get("epochs") == metrics["epochs"]:
        # Measures with the other sampler are still valid.
        metrics = before | metrics
    metrics = {name: metrics[name] for name in report.METRICS if name in metrics}
    # Before anything is printed, which can fail.
    path = run.write_metrics(metrics)
    print(f"{run.name} on the test {dataset.noun}s of {dataset.name}:")
    print_table(
        (name, format_number(value), report.METRICS[name].text)
        for name, value in metrics.items()
        if name not in NOT_IN_TABLES
    )
    if dataset.y_test is None:
        print("Measures of classes are left out: there are no test labels.")
    elif unlabelled := int((dataset.y_test < 0).sum()):
        left_out = counted(unlabelled, f"test {dataset.noun}")
        print(f"Measures of classes leave out {left_out} without a label.")
    print(f"Wrote {path}")
    if shown.is_table:
        measure_columns(shown, command.sampler)
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
    """Measure the test error and draw the confusion, or classify your own --images."""
    if command.images:
        _classify_images(command, overrides)
        return
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


# What a run must be to classify: a description, and a function of its `Config`.
CLASSIFIES = (
    "trained run that classifies (such as semi_supervised_aae)",
    lambda config: config.system.y == "inferred" and not config.infers_clusters,
)


def _classify_images(command, overrides):
    """Writes the classes of the user's images."""
    is_table = pathlib.Path(command.images).suffix.lower() in data.TABLES
    shown = shown_run(command, overrides, needs=CLASSIFIES)
    shape, class_names = shown.run.read_classes()
    if is_table != shown.is_table:
        wanted = "a table" if shown.is_table else "images"
        raise InputError(f"images must be {wanted}, as in training. Received: {command.images}")
    if not is_table:
        names, images = data.load_images(command.images, form=shown.config.image_form)
    else:
        images = data.load_rows(command.images, shown.model.observation.schema)
        names, shape = [str(i + 1) for i in range(len(images))], images.shape[1:]
    if images.shape[-1] == 1:  # A model of colour images also takes grey ones.
        images = np.repeat(images, shape[-1], axis=-1)
    if images.shape[1:] != shape:
        raise InputError(
            f"images must have the shape {shape} (height, width, channels). "
            f"Received: {images.shape[1:]}"
        )
    if len(class_names) != shown.model.num_classes:
        raise InputError(
            f"config.json of the run {shown.run.name} must name the {shown.model.num_classes} "
            f"classes of its model. Received: {counted(len(class_names), 'name')}"
        )
    probabilities = shown.model.classify(images)
    classes = [class_names[k] for k in probabilities.argmax(axis=1)]
    path = shown.run.write_predictions(names, classes, probabilities.max(axis=1))
    print(f"Wrote {path}")
