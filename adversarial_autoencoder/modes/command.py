"""What the command line asks for, in addition to the settings of a training."""

import dataclasses

from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.image_form import ANY_FORM
from adversarial_autoencoder.config.setting import Settings, above, at_least, flag_name, setting
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes import MODES

# The modes that work on one trained run.
ONE_RUN = tuple(m for m in MODES if m not in ("train", "tune", "compare", "prepare", "list"))
# The settings of a training that a mode reads, if it does not read all.
READS = {"prepare": ("dataset", *ANY_FORM.settings()), "compare": (), "list": ()}


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class CommandSettings(Settings):
    """What to do, and with which run."""

    GROUP = "Command"

    mode: str = setting("train", "what to do", choices=MODES)
    run: str | None = setting(
        None,
        "name or path of a run; not given: the newest that fits",
        modes=("train", *ONE_RUN),
        is_path=True,
    )
    run_name: str | None = setting(
        None,
        "name of the run to train, or of the study of --mode tune; an existing one is resumed. Not"
        " given: model-dataset-z-time",
        modes=("train", "tune"),
    )
    resume: bool = setting(
        False, "resume the training of --run after its last completed epoch", modes=("train",)
    )
    seeds: int | None = setting(
        None,
        "train with this many seeds, starting at --seed, as runs RUN_NAME-seed0, ...",
        within=at_least(1, 1001),
        modes=("train",),
    )
    trials: int | None = setting(
        None,
        "trials of the study, with those before it was resumed; not given: 20, or without limit if"
        " --minutes is given",
        within=at_least(1, 10_001),
        modes=("tune",),
    )
    minutes: float | None = setting(
        None,
        "start no trial after this time, except for the first",
        within=above(0),
        modes=("tune",),
    )
    runs: str | None = setting(
        None, "names or paths of the runs to compare, as a,b,c", modes=("compare",)
    )
    sampler: str = setting(
        "prior",
        "z of generated images: from the prior, or from a mixture of up to 100 Gaussians fitted to"
        " the codes of training images",
        choices=("prior", "gaussian_mixture"),
        modes=("evaluate", "sample"),
    )
    format: str = setting(
        "savedmodel",
        "format of the exported model; onnx and litert need the extra export",
        choices=("savedmodel", "onnx", "litert", "keras"),
        modes=("export",),
    )
    license: str | None = setting(
        None,
        "licence of the trained model, an identifier of the Hugging Face hub such as mit",
        modes=("card",),
    )
    results_dir: str = setting("results", "folder of the runs", is_path=True)
    output_dir: str | None = setting(
        None, "new folder for the prepared data", modes=("prepare",), is_path=True
    )
    debug: bool = setting(False, "show the traceback of an error")


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class FigureSettings(Settings):
    """What the figures show."""

    GROUP = "Figures"

    grid_size: int = setting(
        20, "images along each side", within=at_least(2, 101), modes=("latent_grid",)
    )
    grid_range: float | None = setting(
        None,
        "distance from the prior's mean to the edge of the grid; not given: 2 of its standard"
        " deviations",
        within=above(0),
        modes=("latent_grid",),
    )
    grid_dims: str = setting(
        "0,1", "the two dimensions of z to draw", modes=("latent_grid", "latent_scatter")
    )
    view: str = setting(
        "dims",
        "plane of the scatter plot: two dimensions of z, the principal components of the codes, or"
        " t-SNE",
        choices=("dims", "pca", "tsne"),
        modes=("latent_scatter",),
    )
    num_images: int = setting(
        10,
        "images in a row; sample (without a y), interpolate and style_grid draw as many rows",
        within=at_least(1, 51),
        modes=("reconstruct", "sample", "interpolate", "style_grid", "cluster_grid"),
    )
    style_from: str = setting(
        "test",
        "z of the rows: from test images, or from samples of the prior",
        choices=("test", "prior"),
        modes=("style_grid",),
    )


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class FileSettings(Settings):
    """Files of the user that a trained model reads and writes."""

    GROUP = "Files"

    input: str | None = setting(
        None,
        "your images or rows: a folder of images, or a file .csv, .parquet, .npz, .npy or .mat",
        modes=("encode", "reconstruct", "classify", "score"),
        is_path=True,
    )
    output: str | None = setting(
        None,
        "new file for the results, .csv, .parquet, .npz or .npy; without a suffix, a new folder of"
        " PNG images",
        modes=("encode", "reconstruct", "classify", "score", "sample"),
        is_path=True,
    )
    overwrite: bool = setting(
        False,
        "replace an existing --output",
        modes=("encode", "reconstruct", "classify", "score", "sample"),
    )
    score: str = setting(
        "both",
        "what makes an item anomalous: a bad reconstruction, a code that normal items do not have,"
        " or both",
        choices=("both", "reconstruction", "latent"),
        modes=("score",),
    )
    contamination: float = setting(
        0.01,
        "expected fraction of normal items whose score is above the threshold",
        within=above(0, at_most=0.5),
        modes=("score",),
    )
    num_samples: int | None = setting(
        None,
        "images or rows to generate for --output, or rows of samples.csv; not given: 1000",
        within=at_least(1, 10**9),
        modes=("sample",),
    )
    class_: str | None = setting(
        None,
        "value of y, if the decoder gets one: the name of a class, or a number from 0. Not given:"
        " values drawn from p(y); latent_grid draws 0",
        modes=("latent_grid", "reconstruct", "sample"),
    )


# A dataclass takes the fields of its bases from the last base to the first.
@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class Command(FigureSettings, FileSettings, CommandSettings):
    """What to do, with which run, and how to show it.

    Args:
        **given: The settings that differ from their defaults.

    Raises:
        InputError: If a setting is out of its range.
        TypeError: If there is no such setting.
    """


def check_mode(mode: str, given: dict) -> None:
    """Checks that the mode reads every setting that was given.

    Args:
        mode: The mode.
        given: The given settings of `Command` and of `Config`, by name.

    Raises:
        InputError: If the mode does not read one of them.
    """
    for field in dataclasses.fields(Command):
        modes = field.metadata["modes"]
        if field.name in given and modes and mode not in modes:
            raise InputError(
                f"--{flag_name(field)} needs --mode {', '.join(modes)}. Received: --mode {mode}"
            )
    for field in dataclasses.fields(Config):
        if field.name in given and field.name not in READS.get(mode, (field.name,)):
            read = ", ".join(f"--{name}" for name in READS[mode]) or "none"
            raise InputError(
                f"--mode {mode} reads {read} of the settings of a training. "
                f"Received: {field.name}={given[field.name]}"
            )
