"""The package as users install it: a wheel in an environment of its own, with the command `aae`."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile

import pytest
from helpers import ROOT

import adversarial_autoencoder
from adversarial_autoencoder.config import recipes
from adversarial_autoencoder.modes.printing import program

PARTS = ("adversarial_autoencoder", "pyproject.toml", "requirements.txt", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def aae(tmp_path_factory):
    """Runs the installed command in an empty folder; returns what it prints."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("installed")
    source, environment, work = (folder / name for name in ("source", "environment", "work"))
    source.mkdir()
    work.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    # An archive of the sources, and the wheel from this archive, which must have all files.
    build = [sys.executable, "-m", "build", "--outdir", folder, source]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", wheel], check=True)
    # The other packages are those of the environment of the tests.
    (site_packages,) = environment.glob("lib/python*/site-packages")
    (site_packages / "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def call(*flags, status=0):
        command = [environment / "bin" / "aae", *flags]
        done = subprocess.run(command, cwd=work, env=variables, capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        return done.stdout, done.stderr

    call.work, call.wheel = work, wheel
    return call


@pytest.mark.slow
def test_the_installed_command_tells_its_version_and_its_own_name(aae):
    version = f"adversarial_autoencoder {adversarial_autoencoder.__version__}\n"
    assert aae("--version") == (version, "")
    out, _ = aae("--help")
    assert "usage: aae --mode MODE" in out


@pytest.mark.slow
def test_the_installed_command_lists_the_runs_of_an_empty_folder(aae):
    message = "There are no runs in results. Train one with --mode train.\n"
    assert aae("--mode=list") == (message, "")
    assert list(aae.work.iterdir()) == []


@pytest.mark.slow
def test_the_wheel_has_the_files_and_the_requirements_of_the_package(aae):
    package = ROOT / "adversarial_autoencoder"
    files = (path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")
    with zipfile.ZipFile(aae.wheel) as wheel:
        names = set(wheel.namelist())
        (path,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = wheel.read(path).decode()
    assert {path.relative_to(ROOT).as_posix() for path in files} <= names
    lines = (line.partition("#")[0] for line in (ROOT / "requirements.txt").open())
    for name in (re.match(r"[\w-]+", line)[0] for line in lines if line.strip()):
        assert f"\nRequires-Dist: {name}" in metadata
    assert "\nProvides-Extra: tune\n" in metadata


@pytest.mark.slow
def test_the_installed_command_trains_a_recipe_and_a_prior_of_the_working_directory(aae):
    (aae.work / "my_prior.py").write_text(
        "import tensorflow as tf\n\n\n"
        "def line(n, dim, seed):\n"
        "    return tf.random.stateless_uniform((n, dim), seed)\n"
    )
    small = ["--dataset=digits", "--hidden_units=8", "--epochs=1"]
    out, err = aae("--flagfile=paper_gaussian", *small, "--reconstruction_learning_rate=0.1")
    assert err == ""
    assert "Next:    aae --mode latent_grid" in out or "Next:    aae --mode sample" in out
    _, err = aae("--prior=my_prior:line", "--model=wae_mmd", "--run_name=line", *small)
    assert err == ""
    assert (aae.work / "results" / "line" / "model.keras").exists()


@pytest.mark.slow
def test_the_installed_command_draws_the_run_of_the_package(aae):
    out, err = aae("--mode=latent_grid", "--run=digits-demo")
    assert (out, err) == ("Wrote results/digits-demo/figures/latent_grid.png\n", "")
    aae("--mode=explore", "--run=digits-demo")
    assert (aae.work / "results" / "digits-demo" / "figures" / "explorer.html").exists()


def test_every_recipe_is_in_the_package_data():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    package = ROOT / "adversarial_autoencoder"
    kept = {
        file
        for pattern in settings["package-data"]["adversarial_autoencoder"]
        for file in package.glob(pattern)
    }
    others = {p for p in package.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")}
    assert others == kept


def test_a_recipe_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = recipes.FOLDER / "mnist_100_labels.flags"
    for name in ("mnist_100_labels", "mnist_100_labels.flags", "recipes/mnist_100_labels.flags"):
        for words in ([f"--flagfile={name}"], ["--flagfile", name]):
            assert recipes.with_recipes(["run.py", *words]) == ["run.py", f"--flagfile={path}"]
    (tmp_path / "mnist_100_labels").write_text("--z_dim=7\n")
    own = recipes.with_recipes(["--flagfile=mnist_100_labels"])
    assert own == ["--flagfile=mnist_100_labels"]


def test_an_unknown_recipe_is_refused(refused):
    assert "Did you mean mnist_100_labels?" in refused("--flagfile=mnist_100_label")
    assert "Received: flagfile=other/x.flags" in refused("--flagfile=other/x.flags")


def test_the_program_names_itself_as_it_was_started(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/aae"])
    assert program() == "aae"
    monkeypatch.setattr(sys, "argv", ["run.py"])
    assert program() == "python run.py"
