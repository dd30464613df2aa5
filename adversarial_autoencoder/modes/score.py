"""The mode that scores how anomalous items are."""

import dataclasses
import json
import math
import pathlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial_autoencoder import data
from adversarial_autoencoder.data.inputs.source import INDEX, Source, slices
from adversarial_autoencoder.data.outputs import TEXTS, open_output
from adversarial_autoencoder.errors import InputError, Mismatch, counted, print_warning
from adversarial_autoencoder.modes.files import (
    batch_size_of,
    batches,
    check_files,
    opened,
    replaces,
)
from adversarial_autoencoder.modes.printing import print_table, save_figure
from adversarial_autoencoder.modes.select_run import Shown, check_data, shown_run
from adversarial_autoencoder.runs.durable import atomic

if TYPE_CHECKING:
    from adversarial_autoencoder.evaluation.anomaly import Scorer
    from adversarial_autoencoder.modes.command import Command

# Files in the folder of a run: the fitted score, and what it measured.
FITTED, SUMMARY = "anomaly.npz", "scores.json"
# Items in the figure and in the printed table, and columns of an item in the table.
WORST, COLUMNS = 10, 3
# The largest number of items that a warning asks for.
MAX_NEEDED = 10**15
SCORES = (
    "whose decoder needs no labels (such as aae)",
    lambda config: config.system.y != "given",
)


def score(command: "Command", overrides: dict) -> None:
    """Score how anomalous test items or your own --input are, and flag the worst."""
    path = check_files(command, (*TEXTS, ".npz"))
    shown = shown_run(command, overrides, needs=SCORES)
    prefix = "" if command.input is None else "input_"  # Results of the test items are kept.
    path = path or shown.run.path / f"{prefix}scores.csv"
    scorer, dataset = _fitted(command, shown)
    _check_contamination(shown, scorer)
    source = opened(command, shown) if dataset is None else _test_items(shown, dataset)
    worst, scores = _Worst(), []
    with open_output(path, overwrite=replaces(command)) as output:
        for names, x in batches(source, shown, "Scored"):
            of_part = scorer.score(x)
            flags = of_part > scorer.threshold
            columns = {**names, "score": of_part, "p_value": scorer.p_values(of_part)}
            columns["flag"] = flags.astype("int64")
            if shown.is_table:
                where = scorer.where(x).T
                names_of = shown.model.observation.schema.names
                columns |= {f"error_{n}": v for n, v in zip(names_of, where, strict=True)}
            output.write(columns)
            worst.add(next(iter(names.values())), x, of_part)
            scores.append(of_part)
    print(f"Wrote {path}")
    found = np.concatenate(scores)
    flagged = int((found > scorer.threshold).sum())
    exceeding = (scorer.normal_scores > scorer.threshold).mean()
    print(
        f"{flagged} of {counted(len(found), shown.noun)} ({flagged / len(found):.1%}) are above "
        f"the threshold {scorer.threshold:.4g}, which {exceeding:.1%} of the validation "
        f"{shown.noun}s exceed."
    )
    _show_worst(shown, scorer, worst, f"{prefix}anomalies")
    if dataset is not None:
        _write_summary(shown, scorer, dataset, found)


def _fitted(command, shown) -> tuple["Scorer", data.Dataset | None]:
    """The score of a run, and its data if that was read: a run keeps the score for --input."""
    from adversarial_autoencoder.evaluation import anomaly

    path = shown.run.path / FITTED
    asked = {"kind": command.score, "contamination": command.contamination}
    if command.input is not None and path.exists():
        try:
            return dataclasses.replace(anomaly.load(path, shown.model), **asked), None
        except Mismatch:
            pass
        except InputError as error:
            print_warning(f"The score is fitted again. {error}")
    dataset = data.load_of(shown.config)
    check_data(shown.run, dataset, shown.recorded)
    print(f"Fitting the score to the normal {shown.noun}s of {dataset.name}.", flush=True)
    scorer = anomaly.fit(shown.model, dataset.x_validation, x_train=dataset.x_train, **asked)
    with atomic(path) as temporary:
        scorer.save(temporary)
    return scorer, dataset if command.input is None else None


def _check_contamination(shown, scorer):
    """Warns of a contamination that is smaller than the smallest p-value, 1 / (n + 1)."""
    n = len(scorer.normal_scores)
    needed = math.ceil(min(round(1 / scorer.contamination - 1, 6), MAX_NEEDED))
    if n < needed:
        print_warning(
            f"{counted(n, f'validation {shown.noun}')} cannot show what "
            f"{scorer.contamination:.3g} of the normal {shown.noun}s exceed: that needs at least "
            f"{needed}. Train with more normal {shown.noun}s, or use --contamination "
            f"{math.ceil(1000 / (n + 1)) / 1000:g} or more."
        )


def _test_items(shown: Shown, dataset: data.Dataset) -> Source:
    """The test items of a data set as a source."""
    n = len(dataset.x_test)

    def parts() -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        for part in slices(n, batch_size_of(shown)):
            yield np.arange(part.start, part.stop), dataset.x_test[part], part.stop / n

    return Source(INDEX, parts())


class _Worst:
    """The items with the largest scores of all parts."""

    def __init__(self):
        self.names, self.x, self.scores = [], None, np.empty(0)

    def add(self, names, x, scores):
        """Adds a part."""
        self.names = [*self.names, *names]
        self.x = x if self.x is None else np.concatenate([self.x, x])
        self.scores = np.concatenate([self.scores, scores])
        best = np.argsort(-self.scores, kind="stable")[:WORST]
        self.names, self.x = [self.names[i] for i in best], self.x[best]
        self.scores = self.scores[best]


def _show_worst(shown, scorer, worst, figure):
    """Draws the worst images with their errors, or prints the worst rows and their columns."""
    where, p_values = scorer.where(worst.x), scorer.p_values(worst.scores)
    if not shown.is_table:
        from adversarial_autoencoder import figures

        pairs = zip(worst.names, worst.scores, strict=True)
        labels = [f"{name}: {score:.1f}" for name, score in pairs]
        save_figure(shown.run, figures.anomalies(shown.model, worst.x, where, labels), figure)
        return
    lines = [(shown.noun, "score", "p-value", "columns with the largest errors")]
    names = shown.model.observation.schema.names
    for name, value, p, errors in zip(worst.names, worst.scores, p_values, where, strict=True):
        best = np.argsort(-errors, kind="stable")[:COLUMNS]
        reasons = ", ".join(f"{names[i]} ({errors[i]:.1f})" for i in best)
        lines.append((str(name), f"{value:.4g}", f"{p:.4f}", reasons))
    print(f"The {counted(len(lines) - 1, shown.noun)} with the largest scores:")
    print_table(lines)


def _write_summary(shown, scorer, dataset, scores):
    """Writes scores.json; with labels, it also measures the scores."""
    summary: dict[str, Any] = {
        "score": scorer.kind,
        "contamination": scorer.contamination,
        "threshold": scorer.threshold,
        "num_normal": len(scorer.normal_scores),
    }
    if shown.config.train_on is not None and dataset.y_test is not None:
        summary |= _measured(shown, dataset, scores)
    path: pathlib.Path = shown.run.path / SUMMARY
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n")
    print(f"Wrote {path}")


def _measured(shown, dataset, scores) -> Mapping[str, float]:
    """Measures the scores of the test items; classes that were not trained on are anomalous."""
    from adversarial_autoencoder import figures
    from adversarial_autoencoder.evaluation import anomaly

    labelled = dataset.y_test >= 0
    anomalous = ~np.isin(dataset.y_test, data.classes_of(shown.config.train_on, dataset))[labelled]
    scores = scores[labelled]
    if anomalous.all() or not anomalous.any():
        print(f"Not measured: the test {shown.noun}s must be both normal and anomalous.")
        return {}
    measures = anomaly.measure(anomalous, scores)
    print(
        f"AUROC {measures['auroc']:.4f}, average precision {measures['average_precision']:.4f} "
        f"({counted(int(anomalous.sum()), f'anomalous test {shown.noun}')} of {len(anomalous)})"
    )
    curve = anomaly.roc_curve(anomalous, scores)
    save_figure(shown.run, figures.roc(*curve, measures["auroc"]), "roc")
    return measures
