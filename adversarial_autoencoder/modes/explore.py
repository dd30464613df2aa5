"""The mode that makes a page to explore a trained model in a browser."""

from typing import TYPE_CHECKING

from adversarial_autoencoder.modes.select_run import shown_run

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command


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
