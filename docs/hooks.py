"""Generates the parts of the site that follow from the code and from the measurements.

`mkdocs.yml` names this file under `hooks`. Two kinds of text are generated in each build, so that
they cannot differ from their source:

- whole pages: the command line (from the settings and the modes), the API reference, and the
  tutorials (from their executed notebooks);
- directives in a page, which are replaced: `{{ code PATH NAME }}` by the source of a function,
  method or class; `{{ system NAME }}` by the row of a system; `{{ measures ... }}`,
  `{{ table ... }}` and `{{ figure ... }}` by measurements, see `measurements.py`.
"""

import ast
import pathlib
import re
import sys
import textwrap

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "adversarial_autoencoder"
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import command_line  # noqa: E402
import measurements  # noqa: E402
import notebooks  # noqa: E402

# Modules that a user of the library does not call.
INTERNAL = ("__init__", "command", "command_line")
DIRECTIVE = re.compile(r"\{\{ (\w+)((?: [^{}\s]+)*) \}\}")


def on_config(config):
    """Appends the API reference to the navigation."""
    config.nav.append({"API reference": ["api/index.md", *(f"api/{room}.md" for room in rooms())]})
    return config


def on_files(files, config):
    """Adds the generated pages."""
    pages = {
        "command-line.md": command_line.page(),
        "api/index.md": api_index(),
        **{f"api/{room}.md": api_page(room) for room in rooms()},
    }
    for path in notebooks.PATHS:
        text, pictures = notebooks.page(path, config.repo_url)
        pages |= {f"tutorials/{path.stem}.md": text, **pictures}
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown, page, config, files):
    """Replaces the directives of a page."""

    def replacement(match):
        name, arguments = match[1], match[2].split()
        try:
            return DIRECTIVES[name](*arguments)
        except (KeyError, TypeError, ValueError) as error:
            raise PluginError(f"{page.file.src_uri}: {match[0]}: {error!r}") from error

    return DIRECTIVE.sub(replacement, markdown)


def on_page_content(html, page, config, files):
    """Marks what a browser must not break into two lines: flags, and short cells of tables.

    In the API reference it also removes the dash before a returned value that has no type hint.
    """

    def unbroken(match):
        return re.sub(r"--\w+", r'<span class="unbroken">\g<0></span>', match[0])

    html = re.sub(r"(?<!<pre>)<code>[^<]*--[^<]*</code>", unbroken, html)
    html = re.sub(r'(<li class="doc-section-item field-body">)\s*–', r"\1", html)
    return re.sub(r"<td>(?=[^<]{1,14}</td>)", '<td class="unbroken">', html)


def code(path, *names):
    """The source of functions, methods (`Class.method`) or classes, without their docstrings.

    Args:
        path: A file below the top folder.
        *names: What to show; none: the whole file.
    """
    text = (ROOT / path).read_text()
    parts = [source_of(text, name) for name in names] or [text.strip()]
    return f'```python title="{path}"\n' + "\n\n".join(parts) + "\n```"


def source_of(text, name):
    """The lines of one definition in a Python file, dedented.

    Args:
        text: The file.
        name: Dotted name of the definition, or the name of a constant.

    Raises:
        KeyError: If the file does not define it.
    """
    nodes, found = ast.parse(text).body, None
    for part in name.split("."):
        found = next((node for node in nodes if part in _names(node)), None)
        if found is None:
            raise KeyError(name)
        nodes = getattr(found, "body", [])
    lines = text.splitlines()
    first = min([found.lineno, *(d.lineno for d in getattr(found, "decorator_list", ()))])
    skipped = set()
    if isinstance(found, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(found):
        docstring = found.body[0]
        skipped = set(range(docstring.lineno, docstring.end_lineno + 1))
        if not lines[docstring.end_lineno].strip():
            skipped.add(docstring.end_lineno + 1)
    shown = [lines[i - 1] for i in range(first, found.end_lineno + 1) if i not in skipped]
    return textwrap.dedent("\n".join(shown))


def _names(node):
    """The names that a statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return set()


def rooms():
    """The packages and modules of the library, in the order of their names."""
    entries = (
        entry
        for entry in PACKAGE.iterdir()
        if (entry / "__init__.py").is_file() or entry.suffix == ".py"
    )
    return sorted(entry.stem for entry in entries if entry.stem not in (*INTERNAL, "modes"))


def modules(room):
    """The modules of a room, as dotted names."""
    folder = PACKAGE / room
    if not folder.is_dir():
        return [f"adversarial_autoencoder.{room}"]
    files = sorted(path for path in folder.rglob("*.py") if path.stem not in INTERNAL)
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files]


def summary(room):
    """The docstring of a room."""
    path = PACKAGE / room / "__init__.py"
    text = (path if path.is_file() else PACKAGE / f"{room}.py").read_text()
    return ast.get_docstring(ast.parse(text)) or ""


def api_index():
    """The start page of the API reference."""
    rows = (f"| [`{room}`]({room}.md) | {_one_line(summary(room))} |" for room in rooms())
    return "\n".join(
        [
            "# API reference",
            "",
            "The package `adversarial_autoencoder` has one module, or one folder of modules, for",
            "each subject. These pages are generated from the docstrings.",
            "",
            "| module | subject |",
            "|---|---|",
            *rows,
            "",
            "The names below can be imported from `adversarial_autoencoder` directly: "
            + ", ".join(f"`{name}`" for name in _public())
            + ".",
        ]
    )


def _one_line(text):
    return " ".join(text.split("\n\n")[0].split()).replace("|", r"\|")


def _public():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    public = next(node for node in tree.body if "_PUBLIC" in _names(node))
    return ast.literal_eval(public.value)


def api_page(room):
    """The reference of one room; mkdocstrings fills it in."""
    parts = [f"# {room}", "", summary(room), ""]
    for module in modules(room):
        short = module.removeprefix("adversarial_autoencoder.")
        parts += [f"## {short}", ""] if short != room else []
        parts += [f"::: {module}", "    options:", "      show_root_heading: false", ""]
        if short == room:
            parts += ["      show_docstring_description: false", ""]
    return "\n".join(parts)


DIRECTIVES = {
    "code": code,
    "system": command_line.system,
    "measures": measurements.measures,
    "table": measurements.table,
    "figure": measurements.figure,
}
