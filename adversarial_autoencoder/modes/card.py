"""The mode that writes a model card, in the format of the Hugging Face hub."""

import html
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from adversarial_autoencoder import data, runs
from adversarial_autoencoder.config import Config, files
from adversarial_autoencoder.evaluation.metrics import METRICS
from adversarial_autoencoder.modes.printing import NOT_IN_TABLES, format_number
from adversarial_autoencoder.modes.select_run import trained_run
from adversarial_autoencoder.runs.durable import atomic

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command

HISTORY = {
    "val_reconstruction_loss": "reconstruction loss",
    "val_prior_distance": "distance of the codes from the prior",
    "val_classification_accuracy": "classification accuracy",
}


def card(command: "Command", overrides: dict) -> None:
    """Write a model card, README.md in the run: data, settings, measures, figures and licence."""
    run, config, recorded = trained_run(command, overrides)
    run = runs.copied(run, command.results_dir)
    path = run.path / "README.md"
    with atomic(path) as temporary:
        temporary.write_text(card_text(run, config, recorded, command.license), encoding="utf-8")
    print(f"Wrote {path}")
    if command.license is None:
        print("The card names no licence. Choose one with --license before you publish the model.")


def card_text(run: runs.Run, config: Config, recorded: dict, licence: str | None = None) -> str:
    """The text of a model card.

    Args:
        run: The trained run.
        config: Its settings.
        recorded: What config.json says of its data.
        licence: Licence of the model, an identifier of the hub; or None.

    Returns:
        Markdown with the metadata of the Hugging Face hub.
    """
    metrics, history = run.read_metrics(), run.read_history()
    if metrics.get("epochs") != len(history):
        metrics = {}  # They are those of another model.
    measured = [
        (name, value, METRICS[name].text)
        for name, value in metrics.items()
        if name in METRICS and name not in NOT_IN_TABLES
    ]
    noun = runs.noun_of(recorded)
    flags = files.to_flags(config, is_table=noun == "row")
    parts = [
        *_front_matter(config, recorded, licence),
        f"# {_text(run.name)}",
        f"{config.system.description}, trained with "
        "adversarial_autoencoder (arXiv:1511.05644) in TensorFlow and Keras.",
        "## Use",
        "```python\nfrom adversarial_autoencoder import load_model\n\n"
        f'model = load_model("model.keras")\n{noun}s = model.generate(16)\n```',
        "## Data",
        *_table(("", ""), _data_rows(recorded)),
        "## Settings",
        f"```\n{flags}```",
        f"## Measures on validation {noun}s, after {len(history)} epochs",
        *_table(
            ("measure", "value"),
            [
                (what, format_number(history[-1][k]))
                for k, what in HISTORY.items()
                if k in history[-1]
            ],
        ),
        f"## Measures on test {noun}s",
    ]
    if measured:
        rows = [(name, format_number(value), text) for name, value, text in measured]
        parts += _table(("measure", "value", "meaning"), rows)
    else:
        parts.append("None yet: `--mode evaluate` computes them.")
    if figures := sorted(run.figures_path.glob("*.png")):
        parts.append("## Figures")
        parts += [f"![{path.stem}](figures/{path.name})" for path in figures]
    parts += [
        "## Limits",
        f"The model knows {noun}s like those of its training only. Its codes and classes of other "
        f"{noun}s mean nothing.",
        "## Licence",
        licence or "Not stated.",
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(config: Config, recorded: Mapping, licence: str | None) -> list[str]:
    # A JSON text is a YAML text.
    values: dict[str, object] = {"library_name": "keras"}
    if licence:
        values["license"] = licence
    values["tags"] = ["adversarial-autoencoder", config.model.replace("_", "-"), "tensorflow"]
    if recorded["name"] in data.NAMES:
        values["datasets"] = [recorded["name"]]
    lines = "\n".join(f"{name}: {json.dumps(value)}" for name, value in values.items())
    return [f"---\n{lines}\n---"]


def _data_rows(recorded: Mapping) -> list[tuple[str, str]]:
    shape, names = recorded.get("image_shape", ()), recorded.get("class_names", ())
    noun = runs.noun_of(recorded)
    rows = [("name", str(recorded["name"])), ("checksum", str(recorded["checksum"]))]
    size = "columns" if noun == "row" else "shape of an image"
    rows += [(size, "x".join(map(str, shape)))]
    rows += [
        (f"{part} {noun}s", str(recorded[f"{part}_images"]))
        for part in ("training", "validation", "test")
        if f"{part}_images" in recorded
    ]
    shown = ", ".join(map(str, names[:20])) + (", ..." if len(names) > 20 else "")
    return [*rows, ("classes", shown)] if names else rows


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(map(_text, row)) + " |" for row in (header, *rows)]
    return ["\n".join([lines[0], "|" + "---|" * len(header), *lines[1:]])]


def _text(value: str) -> str:
    """Escapes a text for Markdown, also in a cell of a table."""
    escaped = html.escape(value, quote=False).replace("\\", "\\\\")
    for character in "|`*_[]#":
        escaped = escaped.replace(character, f"\\{character}")
    return " ".join(escaped.split())
