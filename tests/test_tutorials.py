"""The tutorials run, as scripts and as a notebook; the notebooks are made from the scripts."""

import json
import os
import pathlib
import re
import runpy
import subprocess
import sys

import pytest
from helpers import PATIENCE, ROOT, shortened

FOLDER = ROOT / "docs" / "tutorials"
SCRIPTS = sorted(FOLDER.glob("*.py"))


@pytest.fixture
def notebooks(monkeypatch):
    """The module that makes the notebooks and their pages."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    import notebooks

    return notebooks


def cells_of(script):
    """The kinds and the texts of the cells of a file in the percent format."""
    for part in re.split(r"^# %%", script.read_text(), flags=re.M)[1:]:
        head, _, text = part.partition("\n")
        if is_text := "[markdown]" in head:
            text = re.sub("^# ?", "", text, flags=re.M)
        yield "markdown" if is_text else "code", text.strip()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_notebook_has_the_cells_of_its_script_and_their_outputs(script):
    cells = json.loads(script.with_suffix(".ipynb").read_text())["cells"]
    assert [(c["cell_type"], "".join(c["source"])) for c in cells] == [*cells_of(script)]
    outputs = [output for c in cells for output in c.get("outputs", ())]
    assert {output["output_type"] for output in outputs} <= {"stream", "execute_result"}
    assert any("image/png" in output.get("data", ()) for output in outputs)
    texts = ["".join(output.get("data", {}).get("text/plain", ())) for output in outputs]
    assert not [text for text in texts if re.search(" at 0x[0-9a-f]+>", text)], "an address"
    assert script.with_suffix(".ipynb").stat().st_size < 1e6


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_page_shows_texts_and_pictures_and_links_to_pages_that_exist(notebooks, script):
    text, pictures = notebooks.page(script.with_suffix(".ipynb"), "https://github.com/a/b")
    assert text.startswith(f"# {script.stem[0]}. ")
    first = text.splitlines()[2]
    path = f"docs/tutorials/{script.stem}.ipynb"
    assert f"(https://colab.research.google.com/github/a/b/blob/HEAD/{path})" in first
    assert f"(https://mybinder.org/v2/gh/a/b/HEAD?labpath={path})" in first
    assert "Run in" not in notebooks.page(script.with_suffix(".ipynb"))[0]
    for name, content in pictures.items():
        assert f"]({pathlib.PurePath(name).name})" in text
        assert content.startswith(b"\x89PNG")
    known = {path.with_suffix(".md").name for path in SCRIPTS}
    for link in re.findall(r"\]\(([\w./]+\.md)\)", text):
        assert link in known or (FOLDER / link).exists(), link


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ({"text": ["a\n", "b\n"]}, "a\nb"),
        ({"data": {"text/plain": ["(3,\n", " 4)"]}}, "(3,\n 4)"),
        ({"data": {"text/html": ["<b>a</b>"]}}, None),
    ],
)
def test_a_page_shows_each_output_or_fails(notebooks, tmp_path, output, shown):
    title = {"cell_type": "markdown", "source": ["# A title"]}
    code = {"cell_type": "code", "source": ["f()"], "outputs": [output]}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [title, code]}))
    if shown is None:
        with pytest.raises(ValueError, match=r"cannot show: \['text/html'\]"):
            notebooks.page(path)
    else:
        assert notebooks.page(path)[0].endswith(f"```text\n{shown}\n```\n")


def test_the_site_names_each_tutorial():
    for text in ((ROOT / "mkdocs.yml").read_text(), (FOLDER / "index.md").read_text()):
        assert re.findall(r"(\d_\w+)\.md", text) == [script.stem for script in SCRIPTS]


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_tutorial_runs_as_a_script(script, tmp_path, monkeypatch):
    """The notebooks that are kept have the results of the whole trainings."""
    monkeypatch.chdir(tmp_path)
    short = tmp_path / script.name
    short.write_text(shortened(script.read_text(), 3))
    runpy.run_path(short, run_name="__main__")


@pytest.mark.long
def test_a_tutorial_runs_where_a_notebook_chose_the_backend_of_matplotlib(tmp_path):
    short = tmp_path / SCRIPTS[0].name
    short.write_text(shortened(SCRIPTS[0].read_text(), 3))
    environment = os.environ | {
        "MPLBACKEND": "module://matplotlib_of_a_notebook",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "error::SyntaxWarning",
    }
    command = [sys.executable, short]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_tutorial_runs_as_a_notebook(notebooks, monkeypatch, tmp_path):
    for library in ("ipykernel", "jupytext", "nbclient"):
        pytest.importorskip(library)
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    short = tmp_path / "5_anomalies.py"
    short.write_text(shortened((FOLDER / short.name).read_text(), 3))
    notebook = notebooks.executed(short)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("AUROC" in output.get("text", "") for output in outputs)
    assert any("image/png" in output.get("data", {}) for output in outputs)
