"""The mode that exports a trained model for programs that run without this package."""

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
