"""The modes that draw pictures of a trained model."""

import functools
from typing import TYPE_CHECKING

import numpy as np

from adversarial_autoencoder import data
from adversarial_autoencoder.data.outputs import ARRAYS, FOLDER, TEXTS
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.files import (
    check_files,
    class_number,
    reconstruct_files,
    write_samples,
)
from adversarial_autoencoder.modes.measure import fitted_codes
from adversarial_autoencoder.modes.printing import save_figure
from adversarial_autoencoder.modes.select_run import shown_run

# Samples of the prior in its histogram.
PRIOR_SAMPLES = 10_000
# What --mode reconstruct needs to draw a picture.
OF_IMAGES = ("(or on a table, with --input)", lambda config: True)

if TYPE_CHECKING:
    from adversarial_autoencoder.modes.command import Command


def latent_grid(command: "Command", overrides: dict) -> None:
    """Draw images, or the columns of a table, decoded on a regular grid of codes."""
    shown = shown_run(command, overrides, dims := _dims(command))
    model, y = shown.model, class_number(command, shown) or 0
    if command.class_ is not None and model.cluster_heads is not None:
        raise InputError(
            "class must be a value of y that the decoder gets in addition to z. Received: "
            f"{shown.run.name}, whose classes are points of z"
        )
    from adversarial_autoencoder import figures

    draw = figures.latent_columns if shown.is_table else figures.latent_grid
    figure = draw(model, command.grid_size, command.grid_range, dims, y)
    save_figure(shown.run, figure, "latent_grid")
    if shown.is_table:
        varying = [c.name for c in model.observation.schema.columns if not c.constant]
        if others := varying[len(figures.latent_columns_shown(model)) :]:
            print(f"Columns that are not drawn: {', '.join(others)}")


def latent_scatter(command: "Command", overrides: dict) -> None:
    """Draw the codes of the test images, coloured by class, next to samples of the prior."""
    if command.view != "dims" and command.grid_dims != "0,1":
        raise InputError(f"--grid_dims needs --view dims. Received: --view {command.view}")
    shown = shown_run(command, overrides, dims := _dims(command), with_data=True)
    model, dataset = shown.model, shown.dataset
    z, prior_labels = model.represent(dataset.x_test, seed=0), None
    if shown.config.condition_prior_on_labels and getattr(model.prior, "has_components", False):
        shares = data.training_labels(shown.config, dataset)[1] or []
        prior_labels = np.random.default_rng(0).choice(len(shares), len(z), p=shares)
    z_prior = model.draw_representation(len(z), labels=prior_labels)
    from adversarial_autoencoder import figures

    labels, heads, axis_names = dataset.y_test, model.cluster_heads, None
    name = "latent_scatter"
    if command.view != "dims":
        from adversarial_autoencoder.evaluation import projection

        n = projection.MAX_TSNE if command.view == "tsne" else None
        arrays = [z[:n], z_prior[:n], *([] if heads is None else [heads])]
        z, z_prior, *rest = projection.project(command.view, *arrays)
        heads = rest[0] if rest else None
        labels, prior_labels = (None if v is None else v[:n] for v in (labels, prior_labels))
        title = {"pca": "principal component", "tsne": "t-SNE dimension"}[command.view]
        axis_names, dims = (f"{title} 1", f"{title} 2"), (0, 1)
        name = f"latent_scatter_{command.view}"
    figure = figures.latent_scatter(
        z,
        z_prior,
        labels,
        dataset.class_names,
        dims,
        prior_labels,
        heads,
        axis_names=axis_names,
        noun=dataset.noun,
    )
    save_figure(shown.run, figure, name)


def histograms(command: "Command", overrides: dict) -> None:
    """Draw histograms of the codes of the test images over those of the prior."""
    shown = shown_run(command, overrides, with_data=True)
    model, x = shown.model, shown.dataset.x_test
    z, z_prior = model.encode(x, seed=0), model.codes.z.sample_prior(PRIOR_SAMPLES)
    y = y_prior = None
    if model.infers_y:
        y = model.classify(x).argmax(axis=1)
        y_prior = model.codes.y.sample_prior(PRIOR_SAMPLES).argmax(axis=1)
    from adversarial_autoencoder import figures

    figure = figures.histograms(z, z_prior, y, y_prior, noun=shown.dataset.noun)
    save_figure(shown.run, figure, "histograms")


def reconstruct(command: "Command", overrides: dict) -> None:
    """Draw test images and their reconstructions, or reconstruct your own --input to --output."""
    if command.input is not None:
        reconstruct_files(command, overrides)
        return
    for flag, given in (("output", command.output), ("class", command.class_)):
        if given is not None:
            raise InputError(f"--{flag} needs --input. Received: no --input")
    check_files(command)
    shown = shown_run(command, overrides, with_data=True, images_only=True, needs=OF_IMAGES)
    chosen = slice(command.num_images)
    from adversarial_autoencoder import figures

    figure = figures.reconstructions(
        shown.model,
        shown.dataset.x_test[chosen],
        shown.given_labels(chosen),
        corrupt=shown.config.system.restores and bool(shown.config.input_noise),
    )
    save_figure(shown.run, figure, "reconstruct")


def sample(command: "Command", overrides: dict) -> None:
    """Draw images decoded from samples of the prior, or write --num_samples to --output.

    Of a table, write the rows to --output or samples.csv. The codes can also be samples of a
    mixture that is fitted to the codes.
    """
    path = check_files(command, (*TEXTS, *ARRAYS, *FOLDER))
    fitted = command.sampler == "gaussian_mixture"
    shown = shown_run(command, overrides, with_data=fitted)
    if path is not None or shown.is_table:
        n = command.num_samples or 1000
        z = fitted_codes(shown.model, shown.dataset, n) if fitted else None
        write_samples(command, shown, path or shown.run.path / "samples.csv", n, z)
        return
    for flag, given in (("num_samples", command.num_samples), ("class", command.class_)):
        if given is not None:
            raise InputError(f"--{flag} needs --output, for images. Received: no --output")
    z, n = None, command.num_images
    if fitted:
        z = fitted_codes(shown.model, shown.dataset, n * (shown.model.num_classes or n))
    from adversarial_autoencoder import figures

    figure = figures.samples(shown.model, n, n, z=z)
    save_figure(shown.run, figure, "sample_gaussian_mixture" if fitted else "sample")


def interpolate(command: "Command", overrides: dict) -> None:
    """Draw images decoded along straight lines between the codes of pairs of test images."""
    shown = shown_run(command, overrides, with_data=True, images_only=True)
    x = shown.dataset.x_test
    rows = min(command.num_images, len(x) // 2)
    if not rows:
        raise InputError(f"{shown.dataset.name} must have at least 2 test images. Received: 1")
    ends = slice(rows), slice(rows, 2 * rows)
    x_from, x_to = (x[end] for end in ends)
    y_from, y_to = (shown.given_labels(end) for end in ends)
    from adversarial_autoencoder import figures

    figure = figures.interpolations(shown.model, x_from, x_to, command.num_images, y_from, y_to)
    save_figure(shown.run, figure, "interpolate")


def style_grid(command: "Command", overrides: dict) -> None:
    """Draw every style with every class: one z in each row, one y in each column."""

    def fits(config):
        return config.system.y is not None and not config.system.cluster_heads

    shown = shown_run(
        command,
        overrides,
        with_data=True,
        images_only=True,
        needs=("with a code y (such as supervised_aae)", fits),
    )
    from adversarial_autoencoder import figures, priors

    model, dataset, rows = shown.model, shown.dataset, command.num_images
    names = () if shown.config.infers_clusters else dataset.class_names
    if command.style_from == "prior":
        z, x, name = priors.draw(model.prior, rows, model.z_dim), None, "style_grid_prior"
    else:
        x = dataset.x_test[:rows]
        z, name = model.encode(x), "style_grid"
    save_figure(shown.run, figures.style_grid(model, z, names, x), name)


def cluster_grid(command: "Command", overrides: dict) -> None:
    """Draw for each cluster its decoded head and test images assigned to it."""
    shown = shown_run(
        command,
        overrides,
        with_data=True,
        images_only=True,
        needs=(
            "that infers y (such as clustering_aae)",
            lambda config: config.system.y == "inferred",
        ),
    )
    from adversarial_autoencoder import figures

    figure = figures.cluster_grid(shown.model, shown.dataset.x_test, command.num_images)
    save_figure(shown.run, figure, "cluster_grid")


def animate(command: "Command", overrides: dict) -> None:
    """Draw moving pictures: decoded images and codes over the epochs, and an interpolation."""
    shown = shown_run(command, overrides, with_data=True)
    model, dataset, run = shown.model, shown.dataset, shown.run
    from adversarial_autoencoder.figures import animation
    from adversarial_autoencoder.figures.latent import has_latent_grid
    from adversarial_autoencoder.training.callbacks import kept_frames

    moving, kept = {}, {}
    if run.frames_path.exists():
        kept = kept_frames.read(run, shown.epochs)
    elif not shown.is_table:
        print(f"The run {run.name} has no {run.frames_path.name}, so its epochs are not shown.")
    if kept:
        codes, pictures = ({epoch: kept[epoch][i] for epoch in kept} for i in (0, 1))
        chosen = kept_frames.chosen(len(dataset.x_validation))
        if len(codes[max(codes)]) != len(chosen):
            raise InputError(
                f"{run.frames_path} must have the codes of {len(chosen)} validation "
                f"{dataset.noun}s. Received: {len(codes[max(codes)])} codes"
            )
        if pictures[max(pictures)] is not None:
            name = "latent_grid" if has_latent_grid(model) else "sample"
            moving[name] = animation.moving_pictures(pictures)
        if codes[max(codes)].shape[1] == 2:
            labels = dataset.y_validation
            moving["latent_scatter"] = animation.moving_scatter(
                codes,
                model.draw_representation(1000)[:, :2],
                None if labels is None else labels[chosen],
                dataset.class_names,
            )
    if not shown.is_table:
        ends = slice(min(10, len(dataset.x_test)))
        y = shown.given_labels(ends)
        moving["interpolate"] = animation.moving_interpolation(model, dataset.x_test[ends], y)
    if not moving:
        needs = "a run that was trained on images, or with z_dim above 1"
        if model.z_dim > 1:
            needs = f"the codes that a training on a table keeps in {run.frames_path.name}"
        has = "" if kept else " without frames of its epochs"
        raise InputError(f"--mode animate needs {needs}. Received: {run.name}{has}")
    for name, drawn in moving.items():
        save = functools.partial(animation.save_animation, frames=list(drawn))
        for suffix in animation.FORMATS:
            print(f"Wrote {run.write_shown(f'{name}.{suffix}', save)}")


def _dims(command):
    """The two dimensions of --grid_dims."""
    try:
        i, j = (int(part) for part in command.grid_dims.split(","))
    except ValueError:
        i = j = -1
    if i == j or min(i, j) < 0:
        raise InputError(
            "grid_dims must be two different dimensions of z, counting from 0, such as 0,1. "
            f"Received: grid_dims={command.grid_dims}"
        )
    return i, j
