"""The run folder: what a training leaves behind, and how it is found again.

results/<run>/config.json    everything needed to rebuild the model and its data
              flags.txt      the same settings as a flag file
              history.csv    one row for each finished epoch
              metrics.json   what --mode evaluate measured
              model.keras    the model and its optimizers after the last finished epoch
              failed.txt     why the training failed, where it did
              labelled_images.csv   which training images count as labelled, where not all do
              logs/          TensorBoard
              figures/
"""

import contextlib
import csv
import dataclasses
import hashlib
import io
import json
import pathlib
import platform
from importlib import metadata

from adversarial_autoencoder.config import files
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.runs import checkpoint
from adversarial_autoencoder.runs.durable import atomic, is_locked, lock

LIBRARIES = ("tensorflow", "keras", "tensorboard", "numpy")
FAILED = "failed.txt"


@dataclasses.dataclass(frozen=True)
class Run:
    """A run folder.

    Args:
        path: The folder; its name is the run's name.
    """

    path: pathlib.Path

    @property
    def name(self):
        return self.path.name

    @property
    def model_path(self):
        return self.path / checkpoint.MODEL

    @property
    def logs_path(self):
        return self.path / "logs"

    @property
    def figures_path(self):
        return self.path / "figures"

    @property
    def is_trained(self):
        """Whether at least one epoch was finished."""
        return self.model_path.exists()

    def write_config(self, config, dataset):
        """Writes config.json and flags.txt.

        Args:
            config: The `Config`, with the data set and the epochs resolved.
            dataset: The `data.Dataset` that it is trained on.
        """
        prior = config.prior
        document = {
            "config": dataclasses.asdict(config),
            "data": {
                "name": dataset.name,
                "checksum": dataset.checksum,
                "image_shape": list(dataset.image_shape),
                "class_names": list(dataset.class_names),
                "training_images": len(dataset.x_train),
                "validation_images": len(dataset.x_validation),
                "test_images": len(dataset.x_test),
            },
            "prior_checksum": file_checksum(prior) if prior.endswith(".npy") else None,
            "versions": {
                "python": platform.python_version(),
                **{library: metadata.version(library) for library in LIBRARIES},
            },
        }
        with atomic(self.path / "config.json") as path:
            path.write_text(json.dumps(document, indent=2) + "\n")
        with atomic(self.path / "flags.txt") as path:
            path.write_text(files.to_flags(config))
        self.figures_path.mkdir(exist_ok=True)

    def check_prior(self, path):
        """Raises InputError if a file of samples is not the one that the run was begun with.

        Args:
            path: The .npy file.
        """
        document = json.loads((self.path / "config.json").read_text())
        recorded = document.get("prior_checksum")  # None in older versions.
        if recorded and recorded != (received := file_checksum(path)):
            raise InputError(
                f"The samples of the prior of the run {self.name} must be unchanged, {recorded}. "
                f"Received: {path} with {received}"
            )

    def read_config(self):
        """Returns the `Config` of the run, and what config.json says of its data, a dict.

        Raises:
            InputError: If config.json is missing or cannot be used.
        """
        try:
            document = json.loads((self.path / "config.json").read_text())
            values, data = dict(document["config"]), dict(document["data"])
            if not all(isinstance(data[key], str) for key in ("name", "checksum")):
                raise TypeError
        except checkpoint.MALFORMED as error:
            raise InputError(
                f"The run {self.name} must have a readable config.json. "
                f"Received: {type(error).__name__} in {self.path}"
            ) from error
        return files.from_dict(values), data

    def read_classes(self):
        """The shape of the images and the names of their classes, as config.json tells them."""
        _, data = self.read_config()
        shape, names = data.get("image_shape"), data.get("class_names")
        if not isinstance(shape, list) or not isinstance(names, list):
            raise InputError(
                f"config.json of the run {self.name} must have a list of image_shape and one of "
                f"class_names. Received: {shape!r} and {names!r}"
            )
        return tuple(shape), names

    def write_labelled(self, indices, labels):
        """Writes labelled_images.csv: which training images count as labelled, and their class.

        The images are counted from 0 as they are trained on, after the data set was split.
        """
        rows = "".join(f"{i},{label}\n" for i, label in zip(indices, labels, strict=True))
        with atomic(self.path / "labelled_images.csv") as path:
            path.write_text(f"training_image,label\n{rows}")

    def write_predictions(self, names, classes, probabilities):
        """Writes predictions.csv: of each image its name, its class and how probable it is."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["image", "class", "probability"])
        writer.writerows(
            (name, k, f"{p:.4f}") for name, k, p in zip(names, classes, probabilities, strict=True)
        )
        path = self.path / "predictions.csv"
        with atomic(path) as temporary:
            temporary.write_text(text.getvalue())
        return path

    def write_metrics(self, metrics):
        """Writes metrics.json: a dict from names to numbers. Returns its path."""
        path = self.path / "metrics.json"
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(metrics, indent=2, allow_nan=False) + "\n")
        return path

    def read_metrics(self):
        """Returns the dict of metrics.json; an empty one where there is no such file.

        Raises:
            InputError: If the file cannot be read.
        """
        try:
            metrics = json.loads((self.path / "metrics.json").read_text())
            return {name: value + 0 for name, value in metrics.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise InputError(
                f"The run {self.name} must have a readable metrics.json. "
                f"Received: {type(error).__name__} in {self.path}"
            ) from error

    def write_figure(self, figure, name):
        """Writes figures/<name>.png, of a matplotlib Figure. Returns its path."""
        self.figures_path.mkdir(exist_ok=True)
        path = self.figures_path / f"{name}.png"
        with atomic(path) as temporary:
            figure.savefig(temporary, dpi=150)
        return path

    def write_checkpoint(self, save, rows):
        """Replaces model.keras and history.csv, as `checkpoint.write`."""
        checkpoint.write(self.path, save, rows)

    def read_history(self):
        """Returns the rows of the history, as `checkpoint.read_history`."""
        return checkpoint.read_history(self.path)

    @contextlib.contextmanager
    def held(self):
        """Holds the run for this process alone, and brings it into order after one that was killed.

        Raises:
            InputError: If another process trains the run, or its history cannot be read.
        """
        with lock(self.path):
            checkpoint.restore_copy(self.path)
            yield

    @contextlib.contextmanager
    def attempt(self):
        """Writes to failed.txt why a training ends, where it is by an error; removes it before."""
        failed = self.path / FAILED
        failed.unlink(missing_ok=True)
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            # A full disk may have no room for it.
            with contextlib.suppress(OSError), atomic(failed) as path:
                path.write_text(f"{error}\n")
            raise

    def status(self, epochs):
        """What became of the run: "training", "finished", "failed" or "stopped".

        Args:
            epochs: The number of epochs that it is to have.
        """
        if is_locked(self.path):
            return "training"
        if (self.path / FAILED).exists():
            return "failed"
        return "finished" if len(self.read_history()) >= epochs else "stopped"


def file_checksum(path):
    """The SHA-256 of a file, "sha256:" and 64 hexadecimal digits; InputError if it has none."""
    try:
        with pathlib.Path(path).open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise InputError(f"prior must be a readable file. Received: {error}") from error
