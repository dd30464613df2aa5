"""The mode that prepares a folder of images for streaming."""

from adversarial_autoencoder import data
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError


def prepare(command, overrides):
    """Write a folder of images as files that a training streams."""
    for flag, value in (
        ("dataset", overrides.get("dataset")),
        ("output_dir", command.output_dir),
    ):
        if value is None:
            raise InputError(f"The mode prepare needs --{flag}. Received: none")
    import_tensorflow()
    dataset = data.prepare(overrides["dataset"], command.output_dir)
    print(
        f"Wrote {len(dataset.x_train)} training, {len(dataset.x_validation)} validation and "
        f"{len(dataset.x_test)} test images to {command.output_dir}"
    )
    print(f"Next:    python run.py --mode train --dataset {command.output_dir}")
