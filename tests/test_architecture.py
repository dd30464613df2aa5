"""Imports go down only and are visible; each outside library has its place; files stay small."""

import ast
import graphlib
import pathlib

import pytest

from adversarial_autoencoder.systems import STEP_KINDS

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = "adversarial_autoencoder"
# From the lowest to the highest. A room is a folder or a module of the package.
LAYERS = [
    {"errors"},
    {"systems"},
    {"config"},
    {"devices", "runs", "tables"},
    {"losses", "optimizers", "posteriors", "priors"},
    {"networks", "observations"},
    {"phases"},
    {"model"},
    {"data", "figures"},
    {"evaluation"},
    {"export", "training"},
    {"estimators"},
    {"modes"},
    {"command_line"},
    {"__main__"},
]
LAYER = {name: i for i, names in enumerate(LAYERS) for name in names}
FILES = sorted(p for p in (ROOT / PACKAGE).rglob("*.py") if p != ROOT / PACKAGE / "__init__.py")
FOLDERS = sorted({path.parent for path in FILES})


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in FILES}


def room_of(path):
    """The module or folder of the package that a file belongs to."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """The dotted names that a file imports, at the top or in functions."""
    tree = ast.parse(path.read_text())
    # An import for type hints only does not run.
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_imported(path):
    """The modules of the package that a file imports, at the top or in functions."""
    for name in imports(path):
        while name.startswith(PACKAGE) and name not in MODULES and "." in name:
            name = name.rpartition(".")[0]
        if name in MODULES:
            yield name


def by_path(path):
    return str(path.relative_to(ROOT / PACKAGE))


@pytest.mark.parametrize("path", FILES, ids=by_path)
def test_imports_go_down(path):
    for name in modules_imported(path):
        room = name.split(".")[1]
        if room != room_of(path):
            assert LAYER[room] < LAYER[room_of(path)], name


def test_no_modules_import_each_other():
    graph = {
        module_of(path): set(modules_imported(path)) - {module_of(path.parent / "__init__.py")}
        for path in FILES
        if path.name != "__init__.py"
    }
    tuple(graphlib.TopologicalSorter(graph).static_order())  # It raises CycleError.


@pytest.mark.parametrize("path", FILES, ids=by_path)
def test_imports_are_visible(path):
    """No module imports another through the package, or by a name that it computes."""
    source = path.read_text()
    assert f"import {PACKAGE}\n" not in source
    assert f"import {PACKAGE} as" not in source
    # A user's own module is imported by the name that a flag gives, and the modules of an extra
    # by a name that comes with the error if they are missing.
    if by_path(path) not in ("training/users_function.py", "tables/extra.py"):
        assert "importlib.import_module" not in source
        assert "__import__" not in source


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("matplotlib", {"figures"}),
        ("optuna", {"modes"}),
        ("absl", {"command_line"}),
        ("PIL", {"data", "figures"}),
        ("scipy", {"evaluation"}),
        ("sklearn", {"data", "estimators", "evaluation"}),
    ],
)
def test_a_library_is_imported_in_its_place_only(library, allowed):
    users = {room_of(p) for p in FILES if any(n.split(".")[0] == library for n in imports(p))}
    assert users <= allowed


@pytest.mark.parametrize("room", ["config", "errors", "runs", "systems"])
def test_settings_and_runs_do_not_import_tensorflow(room):
    for path in FILES:
        if room_of(path) == room:
            assert not {n.split(".")[0] for n in imports(path)} & {"tensorflow", "keras", "numpy"}


# Only these modules name a code: the definition of codes, the method, the networks, whose inputs
# and outputs have the names, and the data, where "y" means the labels as in Keras.
NAMES_CODES = (
    "model/codes.py",
    "model/batch.py",
    "model/inputs.py",
    "model/spread.py",
    "model/streams.py",
    "systems.py",
    "networks/",
    "phases/",
    "data/",
)


@pytest.mark.parametrize("path", FILES, ids=by_path)
def test_only_the_method_decides_by_the_name_of_a_code(path):
    if not by_path(path).startswith(NAMES_CODES):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant):
                assert node.value not in ("z", "y", "_z", "_y"), f"line {node.lineno}"


def test_nothing_parses_the_name_of_a_step():
    """Steps have a kind and a code. Only their whole names are used, in logs and errors."""
    for path in FILES:
        source = path.read_text()
        for kind in STEP_KINDS:
            assert f'startswith("{kind}' not in source, by_path(path)
            assert f'== "{kind}_' not in source, by_path(path)
        assert 'removesuffix("_' not in source, by_path(path)


def test_files_and_folders_stay_small():
    lines = {by_path(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: n for name, n in lines.items() if n > 350} == {}
    for folder in FOLDERS:
        assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= 14
