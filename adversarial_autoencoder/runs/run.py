"""The run folder: the files of a training, and those that the modes add.

results/<run>/config.json    everything that is needed to build the model and load its data again
              flags.txt      the same settings as a flag file
              history.csv    one row for each completed epoch
              frames.npz     codes and decoded images of the epochs, for --mode animate
              metrics.json   the results of --mode evaluate
              model.keras    the model and its optimizers after the last completed epoch
              failed.txt     the error, if the training failed
              labelled_images.csv   the labelled training images, if not all images are labelled
              predictions.csv       the results of --mode classify for the user's images
              samples.csv           the rows of --mode sample, of a table
              columns.csv           the distances of --mode evaluate for each column of a table
              columns_gaussian_mixture.csv   those with --sampler gaussian_mixture
              scores.csv            the results of --mode score for each test image or row
              input_scores.csv      those of --mode score --input
              scores.json           the threshold of --mode score, and its measures
              anomaly.npz           the fitted score, for --mode score --input
              README.md             the model card of --mode card
              export/               the files of --mode export
              logs/          TensorBoard
              figures/
"""

import contextlib
import dataclasses
import pathlib
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from adversarial_autoencoder.config import Config, files
from adversarial_autoencoder.errors import InputError, TrainingError, one_line
from adversarial_autoencoder.runs import checkpoint, settings
from adversarial_autoencoder.runs import metrics as metrics_file
from adversarial_autoencoder.runs.csv_files import to_csv
from adversarial_autoencoder.runs.durable import atomic, check_lock, lock, snapshot

FAILED = "failed.txt"


@dataclasses.dataclass(frozen=True)
class Run:
    """A run folder: reads and writes its files.

    Args:
        path: The folder; its name is the run's name.
        model_file: Name of the file with the model and the history. `snapshot` gives another one.

    Example:
        >>> import pathlib, tempfile
        >>> from adversarial_autoencoder import runs
        >>> with tempfile.TemporaryDirectory() as results_dir:
        ...     run = runs.create(results_dir, "demo")
        ...     _ = run.write_metrics({"fid": 12.5})
        ...     run.name, run.is_trained, run.read_metrics()
        ('demo', False, {'fid': 12.5})
    """

    path: pathlib.Path
    model_file: str = checkpoint.MODEL

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.path.name

    @property
    def model_path(self) -> pathlib.Path:
        """Path of model.keras, which exists after the first epoch."""
        return self.path / self.model_file

    @property
    def frames_path(self) -> pathlib.Path:
        """Path of frames.npz, which a training writes."""
        return self.path / "frames.npz"

    @property
    def logs_path(self) -> pathlib.Path:
        """Folder of the TensorBoard logs."""
        return self.path / "logs"

    @property
    def figures_path(self) -> pathlib.Path:
        """Folder of the figures."""
        return self.path / "figures"

    @property
    def is_trained(self) -> bool:
        """Whether at least one epoch is complete."""
        return self.model_path.exists()

    def write_config(self, config: Config, dataset: settings.RecordedDataset) -> None:
        """Writes config.json and flags.txt, and creates the folder of the figures.

        Args:
            config: The settings, resolved for the data set.
            dataset: The `data.Dataset` of the training.

        Raises:
            InputError: If `prior` is a .npy file that cannot be read.
        """
        settings.write(self.path, config, dataset)
        with atomic(self.path / "flags.txt") as path:
            flags = files.to_flags(config, is_table=len(dataset.image_shape) == 1)
            path.write_text(flags, encoding="utf-8")
        self.figures_path.mkdir(exist_ok=True)

    def check_prior(self, path: str | pathlib.Path) -> None:
        """Checks that a file of prior samples has the same content as at the start of the run.

        Args:
            path: The .npy file. It can be in another folder than at the start.

        Raises:
            InputError: If the content has changed, or the file or config.json cannot be read.
        """
        _, _, expected = settings.read(self.path)
        if (received := settings.file_checksum(path)) != expected:
            raise InputError(
                f"The samples of the prior of the run {self.name} must be unchanged, {expected}. "
                f"Received: {path} with {received}"
            )

    def read_config(self) -> tuple[Config, dict[str, typing.Any]]:
        """Reads config.json.

        Returns:
            The settings, and the description of the data set: a dict with the keys "name",
            "checksum", "image_shape", "class_names" and the numbers of images.

        Raises:
            InputError: If config.json is missing, damaged, or has invalid settings.
        """
        config, data, _ = settings.read(self.path)
        return config, data

    def write_labelled(self, indices: Iterable[int], labels: Iterable[int]) -> None:
        """Writes labelled_images.csv.

        Args:
            indices: Indices of the labelled images among the training images, from 0.
            labels: Classes of these images.
        """
        text = to_csv(["training_image", "label"], zip(indices, labels, strict=True))
        with atomic(self.path / "labelled_images.csv") as path:
            path.write_text(text, encoding="utf-8", newline="")

    def write_rows(self, name: str, rows: Iterable[Sequence[str]]) -> pathlib.Path:
        """Writes a table.

        Args:
            name: Name of the file, without ".csv".
            rows: The rows, the header first.

        Returns:
            The path of the file.
        """
        path = self.path / f"{name}.csv"
        header, *others = rows
        with atomic(path) as temporary:
            temporary.write_text(to_csv(header, others), encoding="utf-8", newline="")
        return path

    def write_metrics(self, metrics: Mapping[str, float]) -> pathlib.Path:
        """Writes metrics.json.

        Args:
            metrics: Finite numbers by name.

        Returns:
            The path of the file.

        Raises:
            ValueError: If a number is not finite.
        """
        return metrics_file.write(self.path, metrics)

    def read_metrics(self) -> dict[str, float]:
        """Reads metrics.json.

        Returns:
            Numbers by name. Empty if the file does not exist.

        Raises:
            InputError: If the file cannot be read, or a value is not a finite number.
        """
        return metrics_file.read(self.path)

    def write_figure(self, figure: typing.Any, name: str) -> pathlib.Path:
        """Writes figures/<name>.png.

        Args:
            figure: A `matplotlib.figure.Figure`.
            name: Name of the figure.

        Returns:
            The path of the file.
        """
        return self.write_shown(f"{name}.png", lambda path: figure.savefig(path, dpi=150))

    def write_shown(self, file: str, write: Callable[[pathlib.Path], object]) -> pathlib.Path:
        """Writes a file of figures as a whole, such as a page or a moving picture.

        Args:
            file: Name of the file.
            write: Function that writes it at a given path, which has the same suffix.

        Returns:
            The path of the file.
        """
        self.figures_path.mkdir(exist_ok=True)
        path = self.figures_path / file
        with atomic(path) as temporary:
            write(temporary)
        return path

    def write_frames(self, write: Callable[[pathlib.Path], object]) -> None:
        """Replaces frames.npz.

        Args:
            write: Function that writes it at a given path.

        Raises:
            OSError: If the file cannot be written. The old one is kept.
            TrainingError: If this process has lost the lock of the run.
        """
        check_lock(self.path)
        with atomic(self.frames_path) as path:
            write(path)

    def write_checkpoint(
        self, save: Callable[[pathlib.Path], object], rows: Sequence[Mapping[str, float]]
    ) -> None:
        """Replaces model.keras and history.csv. See `checkpoint.write`.

        Args:
            save: Function that saves the model as a .keras file at a given path.
            rows: The history: one dict for each epoch, all with the same keys. Not empty.

        Raises:
            OSError: If the checkpoint cannot be written or read back. The old one is kept.
        """
        checkpoint.write(self.path, save, rows)

    def read_history(self) -> list[dict[str, float]]:
        """Reads the history from model.keras.

        Returns:
            One dict for each completed epoch, from the names of the columns to numbers. Empty if no
            epoch is complete.

        Raises:
            InputError: If model.keras cannot be read or contains no history.
        """
        return checkpoint.read_history(self.model_path)

    def read_last(self) -> dict[str, float]:
        """Reads the last row of the history from model.keras, which takes less time than all rows.

        Returns:
            The row, as in `read_history`. Empty if no epoch is complete.

        Raises:
            InputError: If model.keras cannot be read or contains no history.
        """
        return checkpoint.read_last(self.model_path)

    def completed_epochs(self) -> int:
        """Reads the number of completed epochs from model.keras.

        Returns:
            The number, 0 if no epoch is complete.

        Raises:
            InputError: If model.keras cannot be read or contains no history.
        """
        return int(self.read_last().get("epoch", 0))

    @contextlib.contextmanager
    def snapshot(self) -> Iterator["Run"]:
        """Keeps model.keras unchanged for several reads, as a context manager.

        Yields:
            The run, whose model and history stay those of one epoch while a training continues.
        """
        with snapshot(self.model_path) as path:
            yield dataclasses.replace(self, model_file=path.name)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Locks the run for this process, as a context manager.

        It also removes what a killed process left behind.

        Raises:
            InputError: If another process trains the run, or its history cannot be read.
        """
        with lock(self.path):
            checkpoint.restore_copy(self.path)
            yield

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Records an error of the training in failed.txt, as a context manager.

        The failed.txt of an earlier attempt is removed at the start. An `InputError` is not
        recorded.
        """
        failed = self.path / FAILED
        failed.unlink(missing_ok=True)
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            # If the disk is full, there can be no space for failed.txt. If the lock is lost,
            # another process can train the run.
            with contextlib.suppress(OSError, TrainingError):
                check_lock(self.path)
                with atomic(failed) as path:
                    path.write_text(f"{one_line(error)}\n", encoding="utf-8")
            raise
