"""The mode that writes a data set for streaming."""

from adversarial_autoencoder import data
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError


def prepare(command, given):
    """Writes a folder of images as files from which a training streams them."""
    for flag, value in (("dataset", given.get("dataset")), ("output_dir", command.output_dir)):
        if value is None:
            raise InputError(f"The mode prepare needs --{flag}. Received: none")
    import_tensorflow()
    dataset = data.prepare(given["dataset"], command.output_dir)
    print(f"{len(dataset.x_train)} images for training, {len(dataset.x_validation)} for validation")
    print(f"and {len(dataset.x_test)} for test: {command.output_dir}")
    print(f"Next:    python run.py --mode train --dataset {command.output_dir}")
