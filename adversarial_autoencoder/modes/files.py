"""The modes that read a user's images or rows, or write results, as files."""

import pathlib
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial_autoencoder import data
from adversarial_autoencoder.data.inputs import Source, check_path
from adversarial_autoencoder.data.inputs.source import INDEX, slices
from adversarial_autoencoder.data.outputs import ARRAYS, FOLDER, TEXTS, check_output, open_output
from adversarial_autoencoder.data.outputs.texts import changed_by_csv
from adversarial_autoencoder.data.value_range import unscaled
from adversarial_autoencoder.devices.progress import Progress
from adversarial_autoencoder.errors import InputError, counted, did_you_mean, print_warning
from adversarial_autoencoder.modes.select_run import Shown, shown_run
from adversarial_autoencoder.tables.arrow import is_installed, stored_types
from adversarial_autoencoder.tables.values import row_values

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command

# What a run must be to classify: a description, and a function of its `Config`.
CLASSIFIES = (
    "that classifies (such as semi_supervised_aae)",
    lambda config: config.system.y == "inferred" and not config.infers_clusters,
)
# Images or rows at once, unless they are large.
BATCH = 1000
# Name of the array of images or rows in an .npz file, and of the column of predicted classes.
ARRAY, CLASS = "x", "class"


def check_files(
    command: "Command", suffixes: Collection[str] = (*TEXTS, *ARRAYS)
) -> pathlib.Path | None:
    """Checks --input and --output before anything is loaded.

    Args:
        command: The `Command`.
        suffixes: The formats of the output.

    Returns:
        The path of the output, or None if it is not given.

    Raises:
        InputError: If one of them cannot be used.
    """
    if command.overwrite and command.output is None:
        raise InputError("--overwrite needs --output. Received: no --output")
    if command.input is not None:
        check_path(command.input)
    if command.output is None:
        return None
    return check_output(command.output, suffixes, command.overwrite, command.input)


def replaces(command: "Command") -> bool:
    """Whether an output that exists is replaced, as the default in the folder of the run is."""
    return command.overwrite or command.output is None


def batch_size_of(shown: Shown) -> int:
    """The number of images or rows of a run that are computed at once."""
    from adversarial_autoencoder.model.batch import images_at_once

    return images_at_once(BATCH, shown.model.image_shape)


def opened(command: "Command", shown: Shown) -> Source:
    """Opens --input for a run.

    Args:
        command: The `Command`.
        shown: The run.

    Returns:
        A `Source`, whose batches the model takes.

    Raises:
        InputError: If the input does not fit.
    """
    config, model = shown.config, shown.model
    dropped = [name.strip() for name in (config.drop_columns or "").split(",")]
    return data.open_input(
        command.input or "",
        shape=model.image_shape,
        schema=model.observation.schema if shown.is_table else None,
        form=config.image_form,
        unused=[*dropped, *([config.label_column] if config.label_column else [])],
        batch_size=batch_size_of(shown),
    )


def batches(
    source: Source, shown: Shown, verb: str
) -> Iterator[tuple[Mapping[str, Any], np.ndarray]]:
    """Reads a source and shows the progress.

    Args:
        source: The `Source`.
        shown: The run.
        verb: What is done with it, such as "Encoded".

    Yields:
        The column of the names, and the images or rows.
    """
    with Progress(verb, shown.noun) as progress:
        for names, x in source:
            yield {source.key: names}, x
            progress.add(len(x), source.share)


def encode(command: "Command", overrides: dict) -> None:
    """Write the codes of your own images or rows, --input, to --output."""
    for name in ("input", "output"):
        if getattr(command, name) is None:
            raise InputError(f"The mode encode needs --{name}. Received: none")
    path = check_files(command)
    assert path is not None
    shown = shown_run(command, overrides)
    z, y = shown.model.codes.z, shown.model.codes.y
    source = opened(command, shown)
    with open_output(path, main=z.name, overwrite=command.overwrite) as output:
        for names, x in batches(source, shown, "Encoded"):
            codes = _inferred(shown, x)
            columns = {**names, z.name: codes[z.name]}
            if shown.model.infers_y:
                columns[y.name] = codes[y.name]
                columns |= _classes(shown, codes[y.name])
            output.write(columns)
    print(f"Wrote {path}")
    if path.suffix.lower() == ".npy":
        print(f"It has the codes {z.name} alone. Other formats also have the names and the rest.")


def classify_files(command: "Command", overrides: dict) -> None:
    """Writes the classes of the user's images or rows.

    Args:
        command: The `Command`.
        overrides: The given settings, which the run must have.
    """
    path = check_files(command, (*TEXTS, ".npz"))
    shown = shown_run(command, overrides, needs=CLASSIFIES)
    _check_class_names(shown)
    path = path or shown.run.path / "predictions.csv"
    source = opened(command, shown)
    with open_output(path, overwrite=replaces(command)) as output:
        for names, x in batches(source, shown, "Classified"):
            y = _inferred(shown, x)[shown.model.codes.y.name]
            output.write({**names, **_classes(shown, y), "probability": y.max(axis=1)})
    print(f"Wrote {path}")


def reconstruct_files(command: "Command", overrides: dict) -> None:
    """Writes the reconstructions of the user's images or rows.

    Args:
        command: The `Command`.
        overrides: The given settings, which the run must have.
    """
    if command.output is None:
        raise InputError("--input needs --output. Received: no --output")
    path = check_files(command, (*TEXTS, *ARRAYS, *FOLDER))
    assert path is not None
    shown = shown_run(command, overrides)
    _check_format(path, shown)
    model, k = shown.model, class_number(command, shown)
    if k is None and shown.config.system.y == "given":
        raise InputError(
            f"The decoder of {shown.run.name} needs a class: --class names the one of all "
            f"{shown.noun}s. Received: no --class"
        )
    source = opened(command, shown)
    with open_output(path, ARRAY, _types(path, shown), command.overwrite) as output:
        for names, x in batches(source, shown, "Reconstructed"):
            codes = _inferred(shown, x)
            y = codes.get(model.codes.y.name) if model.codes.y else None
            y = y if k is None else np.full(len(x), k)
            decoded = model.decode_array(codes[model.codes.z.name], y)
            kept = {} if shown.is_table or source.key == INDEX else names
            output.write({**kept, **_columns(path, shown, decoded)})
    print(f"Wrote {path}")


def write_samples(
    command: "Command", shown: Shown, path: pathlib.Path, n: int, z: np.ndarray | None
) -> None:
    """Writes images or rows that a model generates.

    Args:
        command: The `Command`.
        shown: The run.
        path: The output.
        n: Their number, >= 1.
        z: Codes to decode, shape (n, z_dim); None for samples of the prior.
    """
    _check_format(path, shown)
    model, k = shown.model, class_number(command, shown)
    names: Any = () if shown.config.infers_clusters else shown.class_names
    with (
        open_output(path, ARRAY, _types(path, shown), replaces(command)) as output,
        Progress("Generated", shown.noun) as progress,
    ):
        for i, part in enumerate(slices(n, batch_size_of(shown))):
            size, y = part.stop - part.start, None
            if model.num_classes:
                drawn = model.codes.y.sample_prior(size, 2 * i + 1).argmax(axis=1)
                y = drawn if k is None else np.full(size, k)
            x = model.generate_array(size, y, 2 * i, None if z is None else z[part])
            columns = _columns(path, shown, x)
            if y is not None and len(names) == model.num_classes:
                columns |= _labels(path, shown, y, names)
            output.write(columns)
            progress.add(size, part.stop / n)
    print(f"Wrote {path}")


def class_number(command: "Command", shown: Shown) -> int | None:
    """The value of y that --class names.

    Args:
        command: The `Command`.
        shown: The run.

    Returns:
        A number from 0, or None if it is not given.

    Raises:
        InputError: If the model has no y, or no such value of it.
    """
    given, k = command.class_, shown.model.num_classes
    if given is None:
        return None
    if not k:
        raise InputError(
            "--class needs a run whose decoder gets a y (such as supervised_aae). "
            f"Received: {shown.run.name}, {shown.config.model}"
        )
    names = [] if shown.config.infers_clusters else [*map(str, shown.class_names)]
    if given in names:
        return names.index(given)
    is_number = given.isdecimal()
    if is_number and int(given[:10]) < k and len(given) < 10:
        return int(given)
    raise InputError(
        f"class must be a number from 0 to {k - 1}"
        f"{', or one of ' if names else ''}{', '.join(names[:20])}."
        f"{'' if is_number else did_you_mean(given, names)} Received: class={given}"
    )


def _inferred(shown, x):
    """The codes of a batch, a dict from the name of each inferred code to an array."""
    model = shown.model
    return model.codes.infer_arrays(x, None, model.observation.prepare, len(x))


def _classes(shown, y):
    """The column of the most probable classes, or clusters, which have no names."""
    best = y.argmax(axis=1)
    if shown.config.infers_clusters:
        return {"cluster": best}
    names = _check_class_names(shown)
    return {CLASS: [names[i] for i in best]}


def _check_class_names(shown):
    names = shown.class_names
    if len(names) != shown.model.num_classes:
        raise InputError(
            f"config.json of the run {shown.run.name} must name the {shown.model.num_classes} "
            f"classes of its model. Received: {counted(len(names), 'name')}"
        )
    return names


def _check_format(path, shown):
    """Checks that an output can hold images, or the rows of a table."""
    suffix, what = path.suffix.lower(), "images"
    formats: tuple[str, ...] = (*ARRAYS, *FOLDER)
    if shown.is_table:
        has_categories = shown.model.observation.schema.indices(numeric=False)
        what = "rows with categories" if has_categories else "rows"
        formats = TEXTS if has_categories else (*TEXTS, *ARRAYS)
    if suffix not in formats:
        known = ", ".join(formats[:-1] if "" in formats else formats)
        known += ", or a folder without a suffix" if "" in formats else ""
        raise InputError(f"output must have a format of {what}: {known}. Received: {path}")
    if shown.is_table and suffix == ".csv":
        for column in shown.model.observation.schema.columns:
            if lost := changed_by_csv(column.categories):
                print_warning(
                    f"A CSV file does not give back the category {lost[0]!r} of column "
                    f"{column.name}. A Parquet file does: --output FILE.parquet."
                )
    if suffix == "" and not _fits_png(shown):
        low, high = shown.config.image_form.value_range
        print_warning(
            f"PNG files hold whole numbers from 0 to 255. For --input, the values "
            f"{low:g} to {high:g} of the training need an array: --output FILE.npz."
        )


def _fits_png(shown):
    """Whether a run reads the images in PNG files as the model made them."""
    value_range, recorded = shown.config.image_form.value_range, shown.recorded.get("dtype")
    return isinstance(value_range, str) or _in_png(
        unscaled(np.zeros((1, *shown.model.image_shape)), value_range, recorded or "uint8")
    )


def _in_png(images):
    """Whether a PNG file has such numbers: it has no others, and no colours of 16 bits."""
    return images.dtype == np.uint8 or (images.dtype == np.uint16 and images.shape[-1] == 1)


def _types(path, shown):
    """The Arrow types of the columns of a table."""
    is_parquet = path.suffix.lower() == ".parquet"
    return stored_types(shown.model.observation.schema) if is_parquet and is_installed() else {}


def _columns(path, shown, x):
    """Rows or images as columns, in the form that the training data had."""
    if shown.is_table:
        as_array = path.suffix.lower() in ARRAYS
        return {ARRAY: x} if as_array else row_values(x, shown.model.observation.schema)
    recorded = shown.recorded.get("dtype", "uint8")
    images = unscaled(x, shown.config.image_form.value_range, recorded)
    return {ARRAY: x if path.suffix == "" and not _in_png(images) else images}


def _labels(path, shown, y, names):
    """The column of the classes of generated images or rows."""
    if path.suffix.lower() in ARRAYS:
        return {shown.model.codes.y.name: y}
    label = CLASS
    if shown.is_table:
        label = shown.config.label_column or "label"
        while label in shown.model.observation.schema.names:
            label += "_"
    return {label: [names[i] for i in y]}
