"""The examples of docs/extending.md, applied to a copy of the package and trained."""

import ast
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = "adversarial_autoencoder"
PAGE = (ROOT / "docs" / "extending.md").read_text()
BLOCK = re.compile(r'```(\w+)(?: title="(.*?)")?\n(.*?)```', re.DOTALL)


def blocks(heading):
    """The code blocks of a section: tuples of language, title and code."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return BLOCK.findall(section)


def apply(title, code, folder):
    """Writes a block where its title says: "FILE, new", "FILE, at the end" or "FILE, in NAME"."""
    name, _, place = title.partition(", ")
    path = folder / name
    if place == "new":
        assert not path.exists()
        path.write_text(code)
        return name
    source = path.read_text()
    if place == "at the end":
        path.write_text(f"{source}\n\n{code}")
        return name
    (node,) = (node for node in ast.parse(source).body if named(node, place.removeprefix("in ")))
    lines = source.splitlines()
    if isinstance(node, ast.ClassDef):
        end = node.end_lineno
    else:
        # The closing bracket of a table can be on the line of its entries.
        lines[node.end_lineno - 1 : node.end_lineno] = [
            lines[node.end_lineno - 1].rstrip()[:-1].rstrip(),
            lines[node.end_lineno - 1].rstrip()[-1],
        ]
        end = node.end_lineno
        if lines[end - 1] and not lines[end - 1].endswith((",", "{", "(")):
            lines[end - 1] += ","
    lines[end:end] = [f"    {line}" for line in code.splitlines()]
    path.write_text("\n".join(lines) + "\n")
    return name


def named(node, name):
    if isinstance(node, ast.ClassDef):
        return node.name == name
    return isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heading", "files"),
    [
        pytest.param("A new adversarial loss", 2, marks=pytest.mark.long),
        pytest.param("A new prior", 2, marks=pytest.mark.long),
        ("A new system", 5),
    ],
)
def test_an_example_trains_and_touches_few_files(heading, files, tmp_path):
    shutil.copytree(ROOT / PACKAGE, tmp_path / PACKAGE)
    shutil.copy(ROOT / "run.py", tmp_path)
    touched, commands = set(), []
    for language, title, code in blocks(heading):
        if language == "console":
            commands.append(code.strip())
        else:
            touched.add(apply(title, code, tmp_path))
    assert len(touched) == files
    (command,) = commands
    arguments = shlex.split(command)[2:]
    small = ["--epochs=2", "--hidden_units=16", "--results_dir=results", "--run_name=new"]
    program = [sys.executable, "run.py", *arguments, *small]
    subprocess.run(program, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    history = (tmp_path / "results" / "new" / "history.csv").read_text().splitlines()
    assert len(history) == 3
    if heading == "A new system":
        assert "val_sliced_wasserstein" in history[0]
    # A saved model is found again, and the help knows the new name.
    show = [sys.executable, "run.py", "--mode=sample", "--results_dir=results"]
    subprocess.run(show, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    text = subprocess.run(
        [sys.executable, "run.py", "--help"], cwd=tmp_path, check=True, capture_output=True
    ).stdout.decode()
    assert {"A new adversarial loss": "smoothed", "A new prior": "logistic"}.get(
        heading, "swae"
    ) in text


def test_the_example_of_a_phase_runs():
    ((_, _, code),) = blocks("Your own phase in the library")
    exec(compile(code, "docs/extending.md", "exec"), {"__name__": "example"})
