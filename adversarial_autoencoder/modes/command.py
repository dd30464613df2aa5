"""What the command line asks for, beside the settings of a training."""

import dataclasses

from adversarial_autoencoder.config.setting import Settings, setting
from adversarial_autoencoder.errors import InputError

# The modes, by the name that --mode has; `modes.MODES` holds their functions.
MODES = (
    "train",
    "latent_grid",
    "latent_scatter",
    "reconstruct",
    "sample",
    "interpolate",
    "style_grid",
    "cluster_grid",
    "classify",
    "evaluate",
    "compare",
    "prepare",
    "list",
)
ONE_RUN = tuple(m for m in MODES if m not in ("train", "compare", "prepare", "list"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command(Settings):
    """What to do this time, with which run, and how to show it."""

    mode: str = setting("train", "what to do", group="Command", choices=MODES)
    run: str | None = setting(
        None,
        "name or path of a run; not given: the newest that fits",
        group="Command",
        modes=("train", *ONE_RUN),
    )
    run_name: str | None = setting(
        None,
        "name of the run to train, which goes on if it was begun; not given: model-dataset-z-time",
        group="Command",
        modes=("train",),
    )
    resume: bool = setting(
        False,
        "go on with the training of --run from its last finished epoch",
        group="Command",
        modes=("train",),
    )
    seeds: int | None = setting(
        None,
        "repeat the training with this many seeds, from --seed on, as runs RUN_NAME-seed0, ...",
        group="Command",
        low=1,
        high=1001,
        modes=("train",),
    )
    runs: str | None = setting(
        None,
        "names or paths of the runs to compare, as a,b,c",
        group="Command",
        modes=("compare",),
    )
    sampler: str = setting(
        "prior",
        "the z of generated images is from the prior, or from a mixture that is fitted to the codes"
        " of training images, of up to 100 Gaussians",
        group="Command",
        choices=("prior", "gaussian_mixture"),
        modes=("evaluate", "sample"),
    )
    results_dir: str = setting("results", "folder of the runs", group="Command")
    output_dir: str | None = setting(
        None, "new folder for the prepared data", group="Command", modes=("prepare",)
    )
    debug: bool = setting(False, "show the traceback of an error", group="Command")
    grid_size: int = setting(
        20, "images along each side", group="Figures", low=2, high=101, modes=("latent_grid",)
    )
    grid_range: float | None = setting(
        None,
        "how far the grid reaches on both sides of the prior's mean; not given: 2 of its standard"
        " deviations",
        group="Figures",
        low=0,
        open_low=True,
        modes=("latent_grid",),
    )
    grid_dims: str = setting(
        "0,1",
        "the two dimensions of z that are drawn",
        group="Figures",
        modes=("latent_grid", "latent_scatter"),
    )
    grid_class: int = setting(
        0,
        "value of y that the grid is decoded with, where the model has one",
        group="Figures",
        low=0,
        high=10_001,
        modes=("latent_grid",),
    )
    num_images: int = setting(
        10,
        "images in a row; also rows, of sample (without a y), interpolate and style_grid",
        group="Figures",
        low=1,
        high=51,
        modes=("reconstruct", "sample", "interpolate", "style_grid", "cluster_grid"),
    )
    style_from: str = setting(
        "test",
        "the z of the rows are those of test images, or samples of the prior",
        group="Figures",
        choices=("test", "prior"),
        modes=("style_grid",),
    )
    images: str | None = setting(
        None,
        "your images, a folder or an .npz file, whose classes go to predictions.csv",
        group="Figures",
        modes=("classify",),
    )


def check_mode(mode, names):
    """Raises InputError if a setting was given, by its name, that the mode does not read."""
    for field in dataclasses.fields(Command):
        modes = field.metadata["modes"]
        if field.name in names and modes and mode not in modes:
            raise InputError(
                f"--{field.name} goes with --mode {', '.join(modes)}. Received: --mode {mode}"
            )
