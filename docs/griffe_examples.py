"""Shows the examples of docstrings as code.

The package writes examples as Keras does: a line `Example:`, then lines of a Python session that
can have the same indentation. Griffe, the reader behind mkdocstrings, expects `Examples:` and
indented lines.
"""

import inspect
import re

import griffe


class Examples(griffe.Extension):
    """Rewrites the examples in what Griffe reads; the source files stay as they are."""

    def on_object(self, *, obj, **kwargs):
        """Changes the docstring of one object, after Griffe collected it."""
        if obj.docstring:
            obj.docstring.value = with_sections(inspect.cleandoc(obj.docstring.value))


def with_sections(text):
    """A docstring with its examples as sections that Griffe knows.

    An example ends where another section begins.
    """
    lines, result = text.split("\n"), []
    while lines:
        line = lines.pop(0)
        if not re.fullmatch("Examples?:", line):
            result.append(line)
            continue
        session = []
        while lines and not re.fullmatch(r"[A-Z]\w+:", lines[0]):
            session.append(lines.pop(0))
        session = inspect.cleandoc("\n".join(session)).split("\n")
        result += ["Examples:", *(f"    {one}" for one in session), ""]
    return "\n".join(result)
