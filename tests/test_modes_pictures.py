"""The modes that draw pictures, on a run with one code and on a run with two codes."""

import numpy as np
import pytest
from PIL import Image

from adversarial_autoencoder import modes
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.command import Command


@pytest.mark.parametrize(
    ("mode", "flags"),
    [
        ("latent_grid", ["--grid_size=6", "--grid_dims=1,0"]),
        ("latent_scatter", []),
        ("histograms", []),
        ("reconstruct", ["--num_images=5"]),
        ("sample", ["--num_images=5"]),
        ("interpolate", ["--num_images=5"]),
    ],
)
def test_a_mode_draws_its_figure_and_prints_its_path(demo, command_line, mode, flags):
    path = demo / "demo" / "figures" / f"{mode}.png"
    path.unlink(missing_ok=True)
    out, err = command_line(f"--mode={mode}", *flags, results=demo)
    assert (out, err) == (f"Wrote {path}\n", "")
    with Image.open(path) as image:
        assert min(image.size) > 200
        assert np.asarray(image.convert("L")).std() > 10


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        ("style_grid", {"num_images": 4}),
        ("style_grid", {"style_from": "prior"}),
        ("cluster_grid", {}),
        ("histograms", {}),
        ("latent_scatter", {"grid_dims": "1,3"}),
        ("latent_scatter", {"view": "pca"}),
        ("latent_scatter", {"view": "tsne"}),
        ("latent_grid", {"grid_dims": "3,1", "grid_size": 3, "class": 9}),
        ("interpolate", {"num_images": 3}),
        ("reconstruct", {"num_images": 3}),
        ("sample", {"num_images": 3}),
    ],
)
def test_every_mode_draws_a_run_with_two_codes(few, command_line, mode, settings):
    # The images of two styles are two figures, and so are two views.
    kind = settings.get("style_from") or settings.get("view")
    name = f"{mode}_{kind}" if kind else mode
    path = few / "few" / "figures" / f"{name}.png"
    path.unlink(missing_ok=True)
    flags = [f"--{name}={value}" for name, value in settings.items()]
    out, err = command_line(f"--mode={mode}", *flags, results=few)
    assert (out, err) == (f"Wrote {path}\n", "")
    with Image.open(path) as image:
        assert np.asarray(image.convert("L")).std() > 10


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--mode=classify"], "trained run that classifies"),
        (
            ["--mode=classify", "--run=demo"],
            "trained run that classifies (such as semi_supervised_aae). Received: demo, aae",
        ),
        (
            ["--mode=style_grid", "--run=demo"],
            "run trained on images with a code y (such as supervised_aae). Received: demo",
        ),
        (
            ["--mode=cluster_grid", "--run=demo"],
            "run trained on images that infers y (such as clustering_aae). Received: demo, aae",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_run_without_the_code_of_the_mode_is_refused(demo, command_line, flags, message):
    out, err = command_line(*flags, results=demo, status=2)
    assert out == ""
    assert err.count("\n") == 1
    assert message in err


def test_a_value_of_y_that_does_not_exist_is_refused(demo, few):
    for folder, y, message in (
        (demo, 1, "needs a run whose decoder gets a y .* Received: demo, aae"),
        (few, 10, "a number from 0 to 9, .* Received: class=10"),
    ):
        command = Command(mode="latent_grid", results_dir=str(folder), class_=str(y))
        with pytest.raises(InputError, match=message):
            modes.latent_grid(command, {})


def test_two_dimensions_of_a_projected_plane_are_refused(few, command_line):
    flags = ["--mode=latent_scatter", "--view=pca", "--grid_dims=1,2"]
    _, err = command_line(*flags, results=few, status=2)
    assert err == "Error: --grid_dims needs --view dims. Received: --view pca\n"
