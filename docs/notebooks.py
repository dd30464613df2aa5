"""The tutorials: executed notebooks from Python files, and pages of the site from the notebooks.

As a script it executes the tutorials, all or the given ones, and writes the notebooks again. It
needs the extra `tutorials`:

    python docs/notebooks.py [docs/tutorials/NAME.py ...]
"""

import base64
import json
import pathlib
import sys
import tempfile
import urllib.parse

FOLDER = pathlib.Path(__file__).parent / "tutorials"
PATHS = sorted(FOLDER.glob("*.ipynb"))
# The launch pages of two services that run notebooks of a public repository.
LAUNCH = {
    "Colab": "https://colab.research.google.com/github/{repository}/blob/HEAD/{file}",
    "Binder": "https://mybinder.org/v2/gh/{repository}/HEAD?labpath={file}",
}


def page(path, repo_url=None):
    """The page of a notebook.

    Args:
        path: The notebook, a file in docs/tutorials.
        repo_url: Address of the repository on GitHub, for the links that launch the notebook; or
            None.

    Returns:
        The page in Markdown; and the pictures, a dict from a path in the site to bytes.
    """
    title, *cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    heading, _, text = "".join(title["source"]).partition("\n")
    parts, pictures = [heading, _links(path, repo_url), text.strip()], {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "text" in output:
                parts.append(f"```text\n{''.join(output['text']).rstrip()}\n```")
            elif "image/png" in data:
                name = f"{path.stem}_{len(pictures) + 1}.png"
                pictures[f"tutorials/{name}"] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![Output of the code above]({name})")
            elif "text/plain" in data:
                parts.append(f"```text\n{''.join(data['text/plain']).rstrip()}\n```")
            else:
                raise ValueError(f"{path} has an output that the page cannot show: {[*data]}")
    return "\n\n".join(parts) + "\n", pictures


def _links(path, repo_url):
    """Links to run the notebook elsewhere, and to the notebook itself."""
    file = f"docs/tutorials/{path.name}"
    links = [f"[Notebook]({path.name})", f"`{file.removesuffix('.ipynb')}.py`"]
    if repo_url and urllib.parse.urlparse(repo_url).netloc == "github.com":
        repository = urllib.parse.urlparse(repo_url).path.strip("/")
        links[:0] = [
            f"[Run in {name}]({address.format(repository=repository, file=file)})"
            for name, address in LAUNCH.items()
        ]
    return " · ".join(links)


def executed(path):
    """Executes a tutorial as a notebook.

    Args:
        path: A Python file in the percent format of Jupytext.

    Returns:
        The notebook, without what is printed on stderr.
    """
    import jupytext
    from nbclient import NotebookClient

    notebook = jupytext.read(path)
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(
            notebook, resources=resources, coalesce_streams=True, record_timing=False
        )
        client.execute()
    for i, cell in enumerate(notebook.cells):
        cell.id = f"cell-{i}"
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    return notebook


def main():
    """Writes the notebooks again."""
    import nbformat

    for path in map(pathlib.Path, sys.argv[1:] or sorted(FOLDER.glob("*.py"))):
        nbformat.write(executed(path), path.with_suffix(".ipynb"))
        print(path.with_suffix(".ipynb"))


if __name__ == "__main__":
    main()
