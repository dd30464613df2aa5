"""Runs exported files, without this package. It is a script, and starts in a new process.

    python run_files.py FORMAT FOLDER

FOLDER has the exported files, and for each part NAME its inputs: NAME.npz, an array for each input.
The output of the part becomes NAME.npy.
"""

import pathlib
import sys

import numpy as np


def savedmodel(folder, name, inputs):
    """Runs an endpoint of a SavedModel."""
    import tensorflow as tf

    function = tf.saved_model.load(folder / "savedmodel").signatures[name]
    (output,) = function(**{key: tf.constant(value) for key, value in inputs.items()}).values()
    return output.numpy()


def keras(folder, name, inputs):
    """Runs a .keras file."""
    import keras

    model = keras.saving.load_model(folder / f"{name}.keras", compile=False)
    return model.predict(inputs, verbose=0)


def onnx(folder, name, inputs):
    """Runs an ONNX file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        folder / f"{name}.onnx", providers=["CPUExecutionProvider"]
    )
    return session.run(None, inputs)[0]


def litert(folder, name, inputs):
    """Runs a LiteRT file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(folder / f"{name}.tflite"))
    (output,) = interpreter.get_signature_runner("serving_default")(**inputs).values()
    return output


RUN = {"savedmodel": savedmodel, "keras": keras, "onnx": onnx, "litert": litert}


def main():
    """Runs all parts."""
    folder = pathlib.Path(sys.argv[2])
    for path in folder.glob("*.npz"):
        with np.load(path) as arrays:
            inputs = dict(arrays)
        np.save(path.with_suffix(".npy"), RUN[sys.argv[1]](folder, path.stem, inputs))


if __name__ == "__main__":
    main()
