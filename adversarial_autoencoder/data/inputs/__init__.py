"""Reads the images or rows of a user's file or folder in batches, for a trained model.

The batches have the form of the training, and memory does not grow with their number:

    source = open_input("new.parquet", schema=schema)              # a model of a table
    source = open_input("photos", shape=(28, 28, 1), form=form)    # a model of images
    for names, x in source:
        model.encode(x)

`names` are the paths of the image files relative to the folder, or numbers: `source.key` says
which.
"""

from adversarial_autoencoder.data.inputs.open_input import check_path, open_input
from adversarial_autoencoder.data.inputs.source import Source

__all__ = ["Source", "check_path", "open_input"]
