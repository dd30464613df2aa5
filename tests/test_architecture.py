"""Imports go down only, and each outside library has its place."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = "adversarial_autoencoder"
LAYERS = [
    {"errors", "quiet", "variants"},
    {"cluster", "config_rules", "durable", "settings"},
    {"checkpoint", "command", "config"},
    {"config_files"},
    {"distribution"},
    {"losses", "networks", "optimizers", "posteriors", "priors"},
    {"batch", "finite_steps", "network_checks", "phases"},
    {"autoencoder"},
    {"model"},
    {"data", "evaluation", "figures", "runs"},
    {"callbacks", "hardware", "safeguards"},
    {"building"},
    {"training"},
    {"selection"},
    {"measurement", "repetition"},
    {"modes"},
]
LAYER = {name: i for i, names in enumerate(LAYERS) for name in names}
FILES = sorted(p for p in (ROOT / PACKAGE).rglob("*.py") if p != ROOT / PACKAGE / "__init__.py")


def part_of(path):
    """The module or folder of the package that a file belongs to."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """The dotted names that a file imports, at its top or within functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT / PACKAGE)))
def test_imports_go_down(path):
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == PACKAGE and len(parts) > 1 and parts[1] != part_of(path):
            assert LAYER[parts[1]] < LAYER[part_of(path)], name


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("matplotlib", {"figures"}),
        ("absl", set()),
        ("PIL", {"data"}),
        ("scipy", {"evaluation"}),
        ("sklearn", {"data", "evaluation"}),
    ],
)
def test_a_library_is_imported_in_its_place_only(library, allowed):
    users = {part_of(p) for p in FILES if any(n.split(".")[0] == library for n in imports(p))}
    assert users <= allowed


@pytest.mark.parametrize(
    "name",
    [
        *("command", "config", "config_files", "config_rules", "durable", "errors", "runs"),
        *("settings", "variants"),
    ],
)
def test_settings_and_runs_do_without_tensorflow(name):
    roots = {n.split(".")[0] for n in imports(ROOT / PACKAGE / f"{name}.py")}
    assert not roots & {"tensorflow", "keras", "numpy"}
