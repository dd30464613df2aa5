"""The mode that prepares a folder of images for streaming."""

from typing import TYPE_CHECKING

from adversarial_autoencoder import data
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.devices.quiet_import import import_tensorflow
from adversarial_autoencoder.errors import InputError, counted
from adversarial_autoencoder.modes.printing import program

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command


def prepare(command: "Command", overrides: dict) -> None:
    """Write a folder of images as files that a training streams."""
    folder, output = overrides.get("dataset"), command.output_dir
    if folder is None or output is None:
        missing = "dataset" if folder is None else "output_dir"
        raise InputError(f"The mode prepare needs --{missing}. Received: none")
    form = Config.of(**overrides).image_form
    import_tensorflow()
    if form.size:
        print(form.resizing(), flush=True)
    dataset = data.prepare(folder, output, form=form)
    shape = "x".join(map(str, dataset.image_shape))
    print(
        f"Wrote {len(dataset.x_train)} training, {len(dataset.x_validation)} validation and "
        f"{counted(len(dataset.x_test), 'test image')} of {shape} to "
        f"{command.output_dir}"
    )
    print(f"Next:    {program()} --mode train --dataset {command.output_dir}")
