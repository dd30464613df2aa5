"""The pages of the documentation are true: their code runs, and their commands parse."""

import re
import shlex

import pytest
from absl.testing import flagsaver
from helpers import ROOT, shortened

from adversarial_autoencoder import command_line
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.modes.command import Command, check_mode

# The page on extending has a test of its own, test_extending.py.
PAGES = [
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").glob("*.md") if path.stem != "extending"),
]
CODE = re.compile(r"^```python\n(.*?)^```", re.S | re.M)
# In a block of code, with lines that end in a backslash joined, or between two backticks.
COMMAND = re.compile(r"(?:^\s*|`)(?:\. \S+ && )?python run\.py (--mode[^`\n]*)", re.M)
PLACEHOLDERS = {"MODE": "train", "NAME": "name", "P": "float32", "S": "1", "N": "10"}

pytestmark = pytest.mark.usefixtures("program")


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES[1:] if CODE.search(page.read_text())],
    ids=lambda page: page.stem,
)
@pytest.mark.slow
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    for library in ("pandas", "pyarrow") if "pandas" in page.read_text() else ():
        pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for block in CODE.findall(page.read_text()):
        exec(compile(shortened(block, 1), str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_parse(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = re.sub(r" ?\\\n\s*", " ", page.read_text())
    for command in COMMAND.findall(text):
        if "[" in command:
            continue
        words = [PLACEHOLDERS.get(word, word) for word in shlex.split(command)]
        with flagsaver.flagsaver():
            command_line.FLAGS.unparse_flags()
            command_line.parse_flags(["run.py", *words])
            given = command_line.given(Command)
            check_mode(Command(**given).mode, given | command_line.given(Config))
            Config.of(**command_line.given(Config))


def test_the_pages_of_explore_in_the_site_are_those_that_are_kept():
    """They are made by the commands of the page, and their model decodes offline."""
    text = (ROOT / "docs" / "explore.md").read_text()
    embedded = re.findall(r'<iframe [^>]*src="explorers/(\w+)\.html"', text)
    kept = {path.stem: path for path in (ROOT / "docs" / "explorers").iterdir()}
    assert sorted(embedded) == sorted(kept)
    for name, path in kept.items():
        assert f"--run_name {name} " in text
        page = path.read_text()
        assert f"<title>{name}: " in page
        assert "default-src 'none'" in page
        assert path.stat().st_size < 3e6
