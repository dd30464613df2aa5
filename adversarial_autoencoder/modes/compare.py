"""The modes that show several runs: their state, and their measures side by side."""

import pathlib
from typing import TYPE_CHECKING

from adversarial_autoencoder import runs
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError, print_warning
from adversarial_autoencoder.evaluation.metrics import METRICS
from adversarial_autoencoder.modes.printing import NOT_IN_TABLES, format_number, print_table
from adversarial_autoencoder.runs.durable import atomic
from adversarial_autoencoder.runs.status import status_of

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command


def list_runs(command: "Command", overrides: dict) -> None:
    """Print a table of the runs, the newest first."""
    del overrides
    header = ("name", "model", "data", "status", "epochs", "reconstruction", "prior distance")
    rows, broken = [header], []
    for run in runs.list_runs(command.results_dir):
        try:
            config, recorded = run.read_config()
            status, last = status_of(run, config.epochs or 0)
        except InputError as error:
            if run.path.exists():  # It can be deleted at any time.
                broken.append(str(error))
            continue
        measures = [last.get(f"val_{name}") for name in ("reconstruction_loss", "prior_distance")]
        metrics = ["-" if value is None else f"{value:.4f}" for value in measures]
        epochs = f"{last.get('epoch', 0)}/{config.epochs}"
        rows.append((run.name, config.model, recorded["name"], status, epochs, *metrics))
    if len(rows) == 1 and not broken:
        print(f"There are no runs in {command.results_dir}. Train one with --mode train.")
        return
    print_table(rows)
    for line in broken:
        print(line)


def compare(command: "Command", overrides: dict) -> None:
    """Print the measures of several --runs in one table, and draw comparison.png."""
    del overrides
    names = [name for name in (command.runs or "").split(",") if name]
    if not names:
        raise InputError(f"--runs must name runs, as a,b,c. Received: runs={command.runs!r}")
    compared = [runs.find(command.results_dir, name) for name in dict.fromkeys(names)]
    about, columns, histories, stale = [], {}, {}, {}
    for run in compared:
        config, recorded = run.read_config()
        label = run.name if run.name not in columns else str(run.path)
        columns[label], histories[label] = run.read_metrics(), run.read_history()
        epochs = len(histories[label])
        about.append((label, config.model, recorded["name"], str(epochs)))
        if columns[label] and (measured := columns[label].get("epochs")) != epochs:
            stale[label] = f" (only after epoch {measured}, which is left out)"
            columns[label] = {}
    rows = list(zip(("run", "model", "data", "epochs"), *about, strict=True))
    values = {label: dict(metrics) for label, metrics in columns.items()}
    if not all(columns.values()):
        # Measures on validation images differ from those on test images: they get separate rows.
        for label, history in histories.items():
            values[label] |= {
                name: value
                for name, value in (history[-1] if history else {}).items()
                if name.startswith("val_")
            }
    for name in dict.fromkeys(name for column in values.values() for name in column):
        if name != "epochs" and name not in NOT_IN_TABLES:
            rows.append((name, *(format_number(column.get(name)) for column in values.values())))
    print_table(rows)
    if missing := [label + stale.get(label, "") for label in columns if not columns[label]]:
        print(
            f"Not measured on test images yet: {', '.join(missing)}. To do that: --mode evaluate "
            "--run NAME. Rows with val_ are measures of validation images."
        )
    if len({m["feature_space"] for m in columns.values() if "feature_space" in m}) > 1:
        print_warning(
            "these runs were measured with different feature classifiers: fid, kid, precision and "
            "recall cannot be compared."
        )
    import_tensorflow()
    from adversarial_autoencoder import figures

    merits = {name: metric.better for name, metric in METRICS.items() if metric.better}
    figure = figures.comparison(columns, histories, merits)
    path = pathlib.Path(command.results_dir, "comparison.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        figure.savefig(temporary, dpi=150)
    print(f"Wrote {path}")
