"""The modes that make files for elsewhere: a model for other programs, and a page for a browser."""

from typing import TYPE_CHECKING

from adversarial_autoencoder.errors import counted
from adversarial_autoencoder.modes.select_run import shown_run

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command


def export(command: "Command", overrides: dict) -> None:
    """Export encoder, decoder, classifier and scorer, and check that the files agree with Keras."""
    shown = shown_run(command, overrides, with_data=True)
    from adversarial_autoencoder.export.files import MAX_ITEMS, export_files

    chosen = slice(MAX_ITEMS)
    x = shown.dataset.x_test[chosen]
    print(f"Exporting to {command.format}, and running the files in a new process.", flush=True)
    files = export_files(
        shown.model, shown.run.path / "export", command.format, x, shown.given_labels(chosen)
    )
    for path, differences in files.items():
        print(f"Wrote {path}")
        for name, difference in differences.items():
            items = counted(len(x), shown.dataset.noun)
            print(f"      {name}: differs from the model by at most {difference:.1e}, {items}")


def explore(command: "Command", overrides: dict) -> None:
    """Write a page that decodes in the browser: drag in the latent plane and see images or rows."""
    shown = shown_run(command, overrides, with_data=True)
    config, dataset = shown.config, shown.dataset
    from adversarial_autoencoder.export.explorer import explorer_page

    page = explorer_page(
        shown.model,
        dataset.x_validation,
        dataset.y_validation,
        dataset.class_names,
        () if config.infers_clusters else dataset.class_names,
        title=f"{shown.run.name}: {config.model} on {dataset.name}",
    )
    path = shown.run.write_shown(
        "explorer.html", lambda path: path.write_text(page, encoding="utf-8")
    )
    print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB). Open it in a browser.")
