"""The modes that measure: one run on its test images, and several beside each other."""

import math
import pathlib

import numpy as np

from adversarial_autoencoder import data
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.select_run import save_figure, shown_run
from adversarial_autoencoder.modes.tables import format_number, print_table
from adversarial_autoencoder.runs.durable import atomic

# Folder, beside the runs, of the classifiers that features are taken from.
FEATURES = ".features"
# Training images that it learns from, at most, and numbers in all training images that are read.
FEATURE_IMAGES, MAX_NUMBERS = 60_000, 2**28
PARTS = {"train": "training", "validation": "validation", "test": "test"}
# What takes up to a minute.
FITTING = "Fitting mixtures of Gaussians to the codes of training images."


def evaluate(command, given):
    """Measures a run on its test images: writes metrics.json, the confusion, and prints a table."""
    shown = shown_run(command, given, with_data=True)
    # Beside TensorFlow, scikit-learn takes a second to import.
    from adversarial_autoencoder import figures
    from adversarial_autoencoder.evaluation import classification, report

    run, model, dataset = shown.run, shown.model, shown.dataset
    _check_enough(dataset, *PARTS)
    shown.given_labels(slice(None))
    if command.sampler == "gaussian_mixture":
        print(FITTING, flush=True)
    metrics = {"epochs": len(run.read_history())} | report.measure(
        model, dataset, _features(command, dataset), command.sampler
    )
    before = run.read_metrics()
    if before.get("epochs") == metrics["epochs"]:
        # What was measured with the other sampler still holds.
        metrics = before | metrics
    metrics = {name: metrics[name] for name in report.METRICS if name in metrics}
    print(f"{run.name} on the test images of {dataset.name}:")
    print_table((name, format_number(v), report.METRICS[name].text) for name, v in metrics.items())
    if dataset.y_test is None:
        print("Without test labels nothing about classes is measured.")
    print(f"Wrote {run.write_metrics(metrics)}")
    if "error" in metrics:
        predicted = model.classify(dataset.x_test).argmax(axis=1)
        counts = classification.confusion(dataset.y_test, predicted, model.num_classes)
        figure = figures.confusion(counts, dataset.class_names)
        print(f"Wrote {run.write_figure(figure, 'confusion')}")


def fitted_codes(model, dataset, n):
    """Samples of a Gaussian mixture fitted to the codes of training images, (n, z_dim)."""
    from adversarial_autoencoder.evaluation import gaussian_mixture, report

    _check_enough(dataset, "train")
    print(FITTING, flush=True)
    return gaussian_mixture.sample(gaussian_mixture.fit(report.mixture_codes(model, dataset)), n)


def _check_enough(dataset, *parts):
    """Refuses a data set that has too few images of a part to measure anything by them."""
    from adversarial_autoencoder.evaluation import report

    for part in parts:
        if (n := len(getattr(dataset, f"x_{part}"))) < report.MIN_IMAGES:
            raise InputError(
                f"{dataset.name} must have at least {report.MIN_IMAGES} "
                f"{PARTS[part]} images. Received: {n}"
            )


def _at_most(n, dataset):
    """As many training images as are read at once: `n`, or fewer of large ones."""
    return min(n, MAX_NUMBERS // math.prod(dataset.image_shape))


def _features(command, dataset):
    """The features of a data set, of a classifier that is kept; None where there are no labels."""
    if dataset.num_classes < 2:
        print("Without classes there are no features: fid, kid, precision and recall are left out.")
        return None
    from adversarial_autoencoder.evaluation import features

    folder = pathlib.Path(command.results_dir, FEATURES)
    path = folder / f"{features.cache_key(dataset.checksum)}.keras"
    if (classifier := features.read_classifier(path)) is None:
        print(f"Training the classifier that gives the features, once for {dataset.name}.")
        n = _at_most(FEATURE_IMAGES, dataset)
        classifier = features.train_classifier(
            dataset.x_train[:n], dataset.y_train[:n], dataset.num_classes
        )
        folder.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            classifier.save(temporary)
    return features.Features(classifier)


def classify(command, given):
    """Measures the test error and draws the confusion, or names the classes of a user's images."""

    def fits(config):
        return config.variant.y == "inferred" and not config.infers_clusters

    names, images = data.load_images(command.images) if command.images else (None, None)
    shown = shown_run(
        command,
        given,
        with_data=images is None,
        needs=("trained run that classifies (such as semi_supervised_aae)", fits),
    )
    model, dataset = shown.model, shown.dataset
    if images is not None:
        shape, class_names = shown.run.read_classes()
        if images.shape[-1] == 1:  # Grey images in colour, for a model of colour images.
            images = np.repeat(images, shape[-1], axis=-1)
        if images.shape[1:] != shape:
            raise InputError(
                f"images must have the shape {shape} (height, width, channels). "
                f"Received: {images.shape[1:]}"
            )
        probabilities = model.classify(images)
        classes = [class_names[k] for k in probabilities.argmax(axis=1)]
        path = shown.run.write_predictions(names, classes, probabilities.max(axis=1))
        print(f"Wrote {path}")
        return
    if dataset.y_test is None:
        raise InputError(f"{dataset.name} must have test labels. Received: none")
    # It imports scikit-learn, which takes a second.
    from adversarial_autoencoder import figures
    from adversarial_autoencoder.evaluation.classification import confusion

    predicted = model.classify(dataset.x_test).argmax(axis=1)
    counts = confusion(dataset.y_test, predicted, model.num_classes)
    wrong = counts.sum() - np.trace(counts)
    print(f"Test error: {wrong / counts.sum():.2%} ({wrong} of {counts.sum()} images)")
    save_figure(shown.run, figures.confusion(counts, dataset.class_names), "confusion")
