"""The modes that measure: one run on its test images, and several beside each other."""

import math
import pathlib
import sys

import adversarial_autoencoder as aae
from adversarial_autoencoder import runs
from adversarial_autoencoder.durable import atomic
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.quiet import import_tensorflow
from adversarial_autoencoder.selection import shown_run

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
    print_table((name, _number(v), report.METRICS[name].text) for name, v in metrics.items())
    if dataset.y_test is None:
        print("Without test labels nothing about classes is measured.")
    print(f"Wrote {run.write_metrics(metrics)}")
    if "error" in metrics:
        predicted = model.classify(dataset.x_test).argmax(axis=1)
        counts = classification.confusion(dataset.y_test, predicted, model.num_classes)
        figure = aae.figures.confusion(counts, dataset.class_names)
        print(f"Wrote {run.write_figure(figure, 'confusion')}")


def compare(command, given):
    """Prints one table of the measures of several runs, and draws them."""
    del given
    names = [name for name in (command.runs or "").split(",") if name]
    if not names:
        raise InputError(f"--runs must name runs, as a,b,c. Received: runs={command.runs!r}")
    compared = [runs.find(command.results_dir, name) for name in dict.fromkeys(names)]
    about, columns, histories = [], {}, {}
    for run in compared:
        config, recorded = run.read_config()
        label = run.name if run.name not in columns else str(run.path)
        columns[label], histories[label] = run.read_metrics(), run.read_history()
        about.append((label, config.model, recorded["name"], str(len(histories[label]))))
    rows = list(zip(("run", "model", "data", "epochs"), *about, strict=True))
    values = {label: dict(metrics) for label, metrics in columns.items()}
    if not all(columns.values()):
        # What was measured on validation images, which is not the same, has rows of its own.
        for label, history in histories.items():
            values[label] |= {
                name: value
                for name, value in (history[-1] if history else {}).items()
                if name.startswith("val_")
            }
    names = dict.fromkeys(name for column in values.values() for name in column)
    for name in names:
        if name != "epochs":
            rows.append((name, *(_number(column.get(name)) for column in values.values())))
    print_table(rows)
    if missing := [label for label, metrics in columns.items() if not metrics]:
        print(
            f"Not evaluated yet, of the validation images alone (val_): {', '.join(missing)}. "
            "--mode evaluate --run NAME measures a run."
        )
    if len({m["feature_space"] for m in columns.values() if "feature_space" in m}) > 1:
        print(
            "Warning: the features of these runs are of different classifiers: fid, kid, precision"
            " and recall cannot be compared.",
            file=sys.stderr,
        )
    import_tensorflow()
    from adversarial_autoencoder.evaluation import report

    merits = {name: metric.better for name, metric in report.METRICS.items() if metric.better}
    figure = aae.figures.comparison(columns, histories, merits)
    path = pathlib.Path(command.results_dir, "comparison.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=150)
    print(f"Wrote {path}")


def fitted_codes(model, dataset, n):
    """Samples of a Gaussian mixture fitted to the codes of training images, (n, z_dim)."""
    from adversarial_autoencoder.evaluation import ex_post, report

    _check_enough(dataset, "train")
    print(FITTING, flush=True)
    return ex_post.sample(ex_post.fit(report.mixture_codes(model, dataset)), n)


def _check_enough(dataset, *parts):
    """Refuses a data set that has too few images of a part to measure anything by them."""
    from adversarial_autoencoder.evaluation import report

    for part in parts:
        if (n := len(getattr(dataset, f"x_{part}"))) < report.MIN_IMAGES:
            raise InputError(
                f"{dataset.name} must have at least {report.MIN_IMAGES} "
                f"{PARTS[part]} images. Received: {n}"
            )


def print_table(rows):
    """Prints rows of strings in columns."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def _number(value):
    if value is None:
        return "-"
    return f"{value}" if isinstance(value, int) else f"{value:.4g}"


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
