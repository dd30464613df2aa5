"""Files of the parts of a model for programs that run without this package."""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.devices.quiet_import import no_output
from adversarial_autoencoder.errors import ExportError, InputError, check_choice, first_line
from adversarial_autoencoder.export import run_files
from adversarial_autoencoder.export.parts import expected_outputs, parts_of
from adversarial_autoencoder.export.rows import Rows
from adversarial_autoencoder.model.float32 import compute_types
from adversarial_autoencoder.runs.durable import atomic

# For each format, the packages that write and run it, in addition to TensorFlow.
FORMATS = {
    "savedmodel": (),
    "onnx": ("tf2onnx", "onnx", "onnxruntime"),
    "litert": ("ai_edge_litert",),
    "keras": (),
}
SUFFIXES = {"savedmodel": "", "onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
# Largest difference from the model, as a share of the largest output. The files compute in float32.
TOLERANCE, TOLERANCE_BFLOAT16 = 1e-4, 5e-2
MAX_ITEMS = 100


def export_files(model, folder, format, x, y=None):
    """Writes the parts of a model as files, and compares their outputs with those of the model.

    The files are run in a new process by the library of the format. They replace earlier ones only
    if all of them agree with the model.

    Args:
        model: An `AdversarialAutoencoder`. A model in bfloat16 is exported in float32.
        folder: Folder of the files. It is created if it does not exist.
        format: A key of `FORMATS`. "onnx", "litert" and "keras" write one file for each part of
            `parts.parts_of`; "savedmodel" writes the folder `savedmodel` with an endpoint for each.
        x: Images or rows for the comparison, shape (n, ...); the first `MAX_ITEMS` are used. The
            exported encoder takes images of this type: uint8 in 0..255, or float32 in [0, 1].
        y: Classes of the images, integers of shape (n,), if the model does not infer y.

    Returns:
        A dict from the path of each file to the largest differences from the model, a dict from the
        name of each part in the file to a number. For a table, `columns.json` without a number.

    Raises:
        InputError: If the format is unknown or its packages are missing.
        ExportError: If a file cannot be written or run, or differs from the model.
    """
    check_choice("format", format, FORMATS)
    missing = [name for name in FORMATS[format] if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"The format {format} needs more packages: "
            f'pip install "adversarial-autoencoder[export]". Received: no {missing[0]}'
        )
    x = np.asarray(x[:MAX_ITEMS])
    x = x if x.dtype == np.uint8 else x.astype("float32")
    y = None if y is None else np.asarray(y[:MAX_ITEMS])
    folder = expand_home(folder, "folder")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as temporary:
        made = pathlib.Path(temporary)
        try:
            _write(parts_of(model, x.dtype.name), made, format)
        except Exception as error:  # Each converter raises its own.
            raise ExportError(
                f"The model cannot be exported to {format}: {first_line(error)}"
            ) from error
        differences = _differences(model, made, format, x, y)
        files = _moved(made, folder, format, differences)
    if model.is_table:
        path = folder / "columns.json"
        with atomic(path) as temporary:
            described = Rows(model.observation.schema).describe()
            pathlib.Path(temporary).write_text(json.dumps(described, indent=1) + "\n")
        files[path] = {}
    return files


def _write(parts, folder, format):
    """Writes the parts, without the messages of the converters."""
    for part in parts.values():  # Keras exports only models that were called.
        part({name: tf.zeros([1, *t.shape[1:]], t.dtype) for name, t in part.input.items()})
    with warnings.catch_warnings(), no_output(1, 2):
        warnings.simplefilter("ignore")
        if format == "savedmodel":
            archive = keras.export.ExportArchive()
            for name, part in parts.items():
                archive.track(part)
                signature = {
                    key: tf.TensorSpec(value.shape, value.dtype, key)
                    for key, value in part.input.items()
                }
                archive.add_endpoint(name, _endpoint(part), [signature])
            archive.write_out(str(folder / "savedmodel"), verbose=False)
            return
        for name, part in parts.items():
            path = str(folder / f"{name}{SUFFIXES[format]}")
            if format == "keras":
                part.save(path)
            else:
                part.export(path, format=format, verbose=False)


def _endpoint(part):
    return lambda inputs: part(inputs, training=False)


def _differences(model, folder, format, x, y):
    """Runs the files in a new process, and compares their outputs with those of the model."""
    expected = expected_outputs(model, x, y)
    for name, (inputs, _) in expected.items():
        np.savez(folder / f"{name}.npz", **inputs)
    command = [sys.executable, run_files.__file__, format, str(folder)]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3"} | os.environ
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise ExportError(f"The exported files cannot be run: {reason}")
    in_float32 = compute_types(model.encoder, model.decoder) == {"float32"}
    differences = {}
    for name, (_, output) in expected.items():
        received = np.load(folder / f"{name}.npy")
        scale = max(1.0, float(np.abs(output).max()))
        if name == "decoder" and model.is_table:
            # Numbers of one column are large, those of another small.
            units = Rows(model.observation.schema).units
            received, output, scale = received / units, output / units, 1.0
        difference = float("inf")
        if received.shape == output.shape:
            difference = float(np.abs(received - output).max())
        differences[name] = difference
        if not difference <= scale * (TOLERANCE if in_float32 else TOLERANCE_BFLOAT16):
            raise ExportError(
                f"The exported {name} differs from the model by {difference:.3g}, of outputs up to"
                f" {scale:.3g}. No file is written."
            )
    return differences


def _moved(made, folder, format, differences):
    """Replaces the files of an earlier export."""
    if format == "savedmodel":
        path = folder / "savedmodel"
        shutil.rmtree(path, ignore_errors=True)
        (made / "savedmodel").replace(path)
        return {path: differences}
    files = {}
    for name, difference in differences.items():
        path = folder / f"{name}{SUFFIXES[format]}"
        (made / path.name).replace(path)
        files[path] = {name: difference}
    return files
