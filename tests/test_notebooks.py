"""Figures in notebooks, and programs that a notebook starts."""

import importlib.util
import io
import os
import subprocess
import sys

import matplotlib.figure
import numpy as np
import pytest
from helpers import ROOT
from PIL import Image

from adversarial_autoencoder import figures

# What a notebook sets for the programs that it starts, where the package is not installed.
INLINE = "module://matplotlib_inline.backend_inline"


def drawn(make_model, digits):
    """Every figure of the library, by the name of its function."""
    model = make_model()
    z = model.encode(digits[:20])
    yield "latent_grid", figures.latent_grid(model, size=3)
    yield "latent_scatter", figures.latent_scatter(z, z)
    yield "histograms", figures.histograms(z, z)
    yield "samples", figures.samples(model, 2, 2)
    yield "reconstructions", figures.reconstructions(model, digits[:2])
    yield "interpolations", figures.interpolations(model, digits[:1], digits[1:2])
    yield "confusion", figures.confusion(np.eye(2, dtype=int), ["a", "b"])
    yield "comparison", figures.comparison({"a": {"mse": 1}}, {}, {"mse": "lower"})
    yield "anomalies", figures.anomalies(model, digits[:2], np.ones((2, 8, 8)), ["a: 1", "b: 2"])
    yield "roc", figures.roc(np.array([0, 1]), np.array([0, 1]), 0.5)
    yield "trials", figures.trials([0, 1], {"mse": [2.0, 1.0]}, {"dropout": [0.1, 0.2]}, [1])


def test_every_figure_displays_itself(make_model, digits):
    """Jupyter shows what `_repr_png_` returns, also without %matplotlib inline."""
    shown = dict(drawn(make_model, digits))
    for figure in shown.values():
        assert isinstance(figure, matplotlib.figure.Figure)
        with Image.open(io.BytesIO(figure._repr_png_())) as image:
            assert image.format == "PNG"
            assert np.asarray(image.convert("L")).std() > 5
    # The others draw rows of images too.
    others = {"cluster_grid", "style_grid", "Figure", "to_array"}
    of_tables = {"latent_columns", "latent_columns_shown"}
    assert {*shown} | others | of_tables == {*figures.__all__}


def test_a_figure_keeps_its_size_when_it_is_displayed_and_saved(make_model, tmp_path):
    figure = figures.samples(make_model(), 2, 2)
    before = figure.get_size_inches().tolist(), figure.dpi
    first = figure._repr_png_()
    figure.savefig(tmp_path / "figure.png", dpi=150)
    # What %matplotlib inline does.
    figure.savefig(tmp_path / "tight.png", dpi=150, bbox_inches="tight")
    assert (figure.get_size_inches().tolist(), figure.dpi) == before
    assert figure._repr_png_() == first
    with Image.open(tmp_path / "figure.png") as whole, Image.open(tmp_path / "tight.png") as tight:
        assert np.allclose(whole.size, tight.size, atol=40)


def test_the_command_line_draws_without_the_backend_of_a_notebook(demo):
    path = demo / "demo" / "figures" / "sample.png"
    path.unlink(missing_ok=True)
    command = [sys.executable, ROOT / "run.py", "--mode=sample", f"--results_dir={demo}"]
    environment = os.environ | {"MPLBACKEND": INLINE}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Wrote {path}\n", "")
    assert path.exists()


LIBRARY = """
import os
import numpy as np
from adversarial_autoencoder import figures
figures.histograms(np.zeros((9, 2)), np.ones((9, 2))).savefig("figure.png")
assert os.environ["MPLBACKEND"] == "{backend}"
import matplotlib
print(matplotlib.rcParams["backend"])
"""


@pytest.mark.parametrize(
    ("backend", "kept"),
    [
        (INLINE, importlib.util.find_spec("matplotlib_inline") is not None),
        pytest.param("no_such_backend", False, marks=pytest.mark.long),
        ("svg", True),
    ],
)
def test_a_program_that_uses_the_library_draws_too(tmp_path, backend, kept):
    """Another backend than a missing one stays the user's choice."""
    environment = os.environ | {"MPLBACKEND": backend, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LIBRARY.format(backend=backend)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout.strip() == backend) == kept
    assert (tmp_path / "figure.png").exists()
