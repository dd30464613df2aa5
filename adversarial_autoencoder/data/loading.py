"""Loads a data set by its name or path."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable, Iterator

import numpy as np

from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.image_form import ANY_FORM, BY_TYPE, UNCHANGED, ImageForm
from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.data import known, shards, table_files, tables
from adversarial_autoencoder.data.array_files import read_npz
from adversarial_autoencoder.data.arrays.layouts import as_images, reshaped
from adversarial_autoencoder.data.arrays.mat_files import read_mat
from adversarial_autoencoder.data.checks import UNLABELLED
from adversarial_autoencoder.data.dataset import PARTS, Dataset, checksum, make_dataset
from adversarial_autoencoder.data.images.folder import ImageFolder, find_images
from adversarial_autoencoder.data.labels import keep_classes
from adversarial_autoencoder.errors import InputError, did_you_mean, print_warning

# The readers of files of arrays, by suffix.
ARRAY_READERS = {".npz": read_npz, ".mat": read_mat}
# Suffixes of files that are tables.
TABLES = (*table_files.SUFFIXES, ".npy")


def prepare(
    folder: str | pathlib.Path,
    output: str | pathlib.Path,
    warn: Callable[[str], object] = print_warning,
    form: ImageForm = ANY_FORM,
) -> Dataset:
    """Writes the images of a folder to TFRecord files, for data sets larger than memory.

    `load` opens the output folder as a data set. A training then reads the images from the files
    while it needs them.

    Args:
        folder: A folder of images; see `images.folder.ImageFolder`.
        output: The folder to write. It must not exist, must be empty, or must contain only what a
            call that was stopped left there.
        warn: Function that is called with the text of a warning. By default, it prints on stderr.
        form: The form into which the images are brought.

    Returns:
        The `Dataset`. Its training images are `shards.Shards`.

    Raises:
        InputError: If the images cannot be read, if there are too few images, or if the output
            folder is not empty.
    """
    folder, output = expand_home(folder, "dataset"), expand_home(output, "output_dir")
    if not folder.is_dir():
        raise InputError(f"dataset must be a folder of images to prepare. Received: {folder}")
    if output.exists() and not (output.is_dir() and shards.is_unfinished(output)):
        raise InputError(f"output_dir must be a new or an empty folder. Received: {output}")
    with _if_usable(warn) as warn:
        found = _training_folder(folder, warn)
        plan = found.plan(form, warn)
        needed = 4 - len(found.sizes)
        if found.sizes["train"] < needed:
            raise InputError(
                f"{folder} must contain at least {needed} training images. "
                f"Received: {found.sizes['train']}"
            )
    return shards.write(
        output,
        folder.resolve().name,
        lambda indices: found.read_some(indices, plan),
        plan.shape,
        found.labels,
        found.class_names or (),
        found.sizes,
        plan.dtype,
        plan.form,
    )


def load(
    dataset: str | pathlib.Path | None = None,
    data_dir: str | pathlib.Path | None = None,
    warn: Callable[[str], object] = print_warning,
    form: ImageForm = ANY_FORM,
    options: tables.TableOptions | None = None,
) -> Dataset:
    """Loads a data set by its name or path.

    Args:
        dataset: One of these: the name "mnist", "fashion_mnist" or "digits"; the path of an .npz
            or .mat file with x_train and optionally y_train, x_test and y_test, also with other
            usual names; the path of a folder of images, see `images.folder.ImageFolder`; the path
            of a folder that `prepare` wrote; or the path of a table, a file with a suffix in
            `TABLES` or an .npz file whose x_train has two axes.
            The default None loads MNIST. If MNIST is not available, it warns and loads digits.
        data_dir: Folder with the files of MNIST or Fashion-MNIST. The default is the environment
            variable AAE_DATA_DIR. If neither is set, Keras downloads the files and caches them.
        warn: Function that is called with the text of a warning. By default, it prints on stderr.
        form: The form into which the images are brought: size, channels and range of values.
        options: Labels, columns and test rows of a table.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If the data set does not exist, is not available, or cannot be used.

    Example:
        >>> from adversarial_autoencoder.data import load
        >>> digits = load("digits")
        >>> digits.x_train.shape, digits.num_classes
        ((1249, 8, 8, 1), 10)
    """
    options = options or tables.TableOptions()
    is_table = pathlib.Path(dataset or "").suffix.lower() in TABLES
    if options.given and not is_table:
        raise InputError(
            f"{options.given[0]} needs a table, {', '.join(TABLES)}. Received: dataset={dataset}"
        )
    if is_table and (form.size or form.channels or not isinstance(form.value_range, str)):
        raise InputError(
            f"image_size, channels and value_range are for images. Received: the table {dataset}"
        )
    with _if_usable(warn) as warn:
        if dataset is None or dataset in known.NAMES:
            return _in_form(_load_known(dataset, data_dir, warn), form)
        return _load_own(expand_home(dataset, "dataset"), warn, form, options)


def load_of(config: Config, warn: Callable[[str], object] = print_warning) -> Dataset:
    """Loads the data set of a training.

    Args:
        config: Settings of the training.
        warn: Function that is called with the text of a warning. By default, it prints on stderr.

    Returns:
        A `Dataset`.

    Raises:
        InputError: If the data set does not exist, is not available, or cannot be used.
    """
    names = [field.name for field in dataclasses.fields(tables.TableOptions)]
    options = tables.TableOptions(**{name: getattr(config, name) for name in names})
    dataset = load(config.dataset, config.data_dir, warn, config.image_form, options)
    return dataset if config.train_on is None else keep_classes(dataset, config.train_on)


def _load_known(dataset, data_dir, warn):
    """Loads a data set by its name."""
    if dataset is None:
        try:
            return known.load_mnist("mnist", data_dir, warn)
        except known.UnavailableError as error:
            warn(f"digits (8x8 pixels) replaces mnist, which is not available. {error}")
            dataset = "digits"
    return known.load_digits() if dataset == "digits" else known.load_mnist(dataset, data_dir, warn)


def _load_own(path, warn, form, options):
    """Loads a user's file or folder."""
    is_folder, is_file = _kind("dataset", path)
    if is_folder and shards.is_prepared(path):
        return _checked_form(shards.read(path), path, form)
    if is_folder:
        found = _training_folder(path, warn)
        x, form = found.read(form, warn)
        arrays = found.split(x) | {"class_names": found.class_names}
        name = path.resolve().name
    elif is_file and (read := ARRAY_READERS.get(path.suffix.lower())):
        arrays = read(path, warn)
        if arrays["x_train"].ndim == 2 and form.size is None:
            return tables.vectors(path, arrays, warn)
        arrays, form = as_images(arrays, path, form, warn)
        name = path.stem
    elif is_file and path.suffix.lower() in TABLES:
        return tables.load_table(path, options, warn)
    elif not (is_folder or is_file):
        raise InputError(
            f"dataset must be {', '.join(known.NAMES)}, or a file or folder that exists."
            f"{did_you_mean(path, known.NAMES)} Received: {path}"
        )
    else:
        raise InputError(
            f"dataset must be {', '.join(known.NAMES)}, an .npz or .mat file, a folder of images or"
            f" a table, {', '.join(TABLES)}."
            f"{did_you_mean(path, known.NAMES)} Received: {path}"
        )
    made = make_dataset(name, path, **arrays)
    _warn_of_unlabelled(path, arrays, warn)
    return dataclasses.replace(made, form=form)


def _in_form(dataset, form):
    """A data set with a name, in another size or with other channels."""
    if not isinstance(form.value_range, str):
        raise InputError(
            f"value_range must be auto for {dataset.name}. "
            f"Received: value_range={form.settings()['value_range']}"
        )
    form = dataclasses.replace(form, value_range=BY_TYPE)
    if form == UNCHANGED:
        return dataclasses.replace(dataset, form=form)
    x = {f"x_{k}": reshaped(getattr(dataset, f"x_{k}"), form, dataset.name) for k in PARTS}
    return dataclasses.replace(
        dataset, **x, form=form, checksum=checksum(*x.values(), dataset.y_train)
    )


def _checked_form(dataset, path, form):
    """Checks that the form that is asked for is the one with which a data set was prepared."""
    wanted, default, prepared = (f.settings() for f in (form, ANY_FORM, dataset.form))
    for name, value in wanted.items():
        if value not in (default[name], prepared[name]):
            raise InputError(
                f"{path} is prepared with {name}={prepared[name]}; another one needs --mode "
                f"prepare again. Received: {name}={value}"
            )
    return dataset


@contextlib.contextmanager
def _if_usable(warn: Callable[[str], object]) -> Iterator[Callable[[str], object]]:
    """Keeps warnings until the data has proved usable: what is refused is refused in one line."""
    texts: list[str] = []
    yield texts.append
    for text in texts:
        warn(text)


def _training_folder(path: pathlib.Path, warn: Callable[[str], object]) -> ImageFolder:
    """Finds the images of a folder, which must contain training images."""
    found = find_images(path, warn)
    if "train" not in found.sizes:
        raise InputError(
            f"{path} must contain training images, in a folder train. "
            f"Received: {', '.join(found.sizes)} images only"
        )
    return found


def _warn_of_unlabelled(path, arrays, warn):
    """Says how many labels of a file are -1."""
    labels = {name: y for name, y in arrays.items() if name.startswith("y") and y is not None}
    for name, y in labels.items():
        unlabelled = np.count_nonzero(y == UNLABELLED)
        if unlabelled and path.is_file():
            warn(
                f"{unlabelled} of the {len(y)} labels in {name} of {path} are "
                f"{UNLABELLED}, for unlabelled images."
            )


def _kind(name: str, path: pathlib.Path) -> tuple[bool, bool]:
    """Returns whether a path is a folder and whether it is a file."""
    try:
        return path.is_dir(), path.is_file()
    except OSError as error:  # For example, the path is too long.
        raise InputError(f"{name} must be a readable path. Received: {error}") from error
