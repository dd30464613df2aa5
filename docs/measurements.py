"""Tables and figures of the site, made from the measurements kept in `benchmarks/*.json`."""

import json
import pathlib
import re
import sys

BENCHMARKS = pathlib.Path(__file__).parent.parent / "benchmarks"
SPACE = "\N{NO-BREAK SPACE}"
sys.path.insert(0, str(BENCHMARKS))

import anomaly  # noqa: E402
import datasets  # noqa: E402
import quality  # noqa: E402
import reliability  # noqa: E402
import systems  # noqa: E402
import time_to_quality  # noqa: E402


def table(name, *rows):
    """A table of measurements in Markdown.

    Args:
        name: A name in `TABLES`.
        *rows: The rows, where the table has a choice of them; none: all.
    """
    return "\n".join(TABLES[name](*rows))


def figure(kind, name, field="mean"):
    """One measured figure, for use in a sentence.

    Args:
        kind: "quality", "systems" or "speed", or "speed_" and the name of a work, such as "conv".
        name: Name of the row.
        field: Name of the value in the row; for "quality", "mean" gives mean and deviation.
    """
    kind, _, work = kind.partition("_")
    row = _speed(work)[name] if kind == "speed" else KEPT[kind]()[name]
    if kind == "quality":
        return _measured(name, row) if field == "mean" else _shown(name, row[field])
    return str(row[field])


def _quality():
    return quality.kept()


def _systems():
    return json.loads((BENCHMARKS / "systems.json").read_text())


def _datasets():
    return json.loads(datasets.KEPT.read_text())


def _speed(work=""):
    """The rows of step_speed.json, or of the file of another work, such as step_speed_conv.json."""
    rows = json.loads((BENCHMARKS / f"step_speed{work and f'_{work}'}.json").read_text())
    return {row["name"].replace(" ", "_").replace(",", ""): row for row in rows}


def _shown(name, value):
    """A figure of a row of quality.json, in percent where it is an error."""
    return _percent(value) if "error" in quality.ROWS[name].metric else f"{value:.1f}"


def _percent(value, digits=2):
    return f"{100 * value:.{digits}f}{SPACE}%"


def _measured(name, row):
    """Mean and standard deviation of a row of quality.json."""
    mean = _shown(name, row["mean"])
    if row["std"] is None:
        return mean
    return f"{mean.removesuffix(f'{SPACE}%')}{SPACE}±{SPACE}{_shown(name, row['std'])}"


def _quality_table(*rows):
    results, names = _quality(), rows or tuple(quality.ROWS)
    return _filled_columns(
        {
            "row": [f"`{name}`" for name in names],
            "here": [f"**{_measured(name, results[name])}**" for name in names],
            "paper": [quality.ROWS[name].published.replace(" ", SPACE) for name in names],
            "public code": [quality.ROWS[name].public for name in names],
            "seeds": [results[name]["seeds"] for name in names],
            "minutes per seed": [results[name]["minutes"] for name in names],
        }
    )


def _filled_columns(columns):
    """A table without the columns that are empty in all rows."""
    columns = {title: cells for title, cells in columns.items() if any(cells)}
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for cells in zip(*columns.values(), strict=True):
        yield f"| {' | '.join(map(str, cells))} |"


def _quality_commands(*rows):
    """The command of each row, and the figure of each seed, in a block that can be opened."""
    results = _quality()
    yield '??? note "Commands, and the figure of each seed"'
    yield ""
    yield "    ```"
    for name in rows or quality.ROWS:
        result = results[name]
        figures = ", ".join(_shown(name, value) for value in result["figures"])
        yield f"    # {name}: {result['metric']} {figures}"
        yield from (f"    {line}" for line in _lines(result["command"]))
    yield "    ```"


def _systems_table(*rows):
    names = rows or tuple(systems.ROWS)
    results = [_systems()[name] for name in names]
    return _filled_columns(
        {
            "row": [f"`{name}`" for name in names],
            "epochs": [r["epochs"] for r in results],
            "minutes": [r["minutes"] for r in results],
            "reconstruction": list(map(_loss, names, results)),
            "distance to the prior": [f"{r['prior_distance']:.3f}" for r in results],
            "floor": [f"{r['prior_distance_floor']:.3f}" for r in results],
            "test error": [_percent(r["test_error"]) if "test_error" in r else "" for r in results],
        }
    )


def _loss(name, result):
    """The reconstruction loss of a row of systems.json."""
    return f"{result['reconstruction_loss']:.4f}{' (bce)' if name == 'vae' else ''}"


def _systems_commands(*rows):
    """The command of each row, in one block."""
    results = _systems()
    yield "```"
    for name in rows or systems.ROWS:
        yield f"# {name}"
        yield from _lines(results[name]["command"])
    yield "```"


def measures(name):
    """The row of one system, as a sentence."""
    r = _systems()[name]
    error = f", test error {_percent(r['test_error'])}" if "test_error" in r else ""
    return (
        f"**Measured on MNIST**, {r['epochs']} epochs in {r['minutes']} minutes: reconstruction "
        f"{_loss(name, r)}, distance to the prior {r['prior_distance']:.3f} "
        f"(floor {r['prior_distance_floor']:.3f}){error}."
    )


def _lines(command, width=76):
    """A command in lines that the shell joins; a flag stays with its value."""
    lines = [""]
    for part in re.split(r" (?=--)", command):
        if len(lines[-1]) + len(part) > width:
            lines.append("  ")
        lines[-1] += f"{part} "
    return [f"{line.rstrip()} \\" for line in lines[:-1]] + [lines[-1].rstrip()]


def _speed_table(work=""):
    yield "| step | steps/s | lowest to highest | GFLOP/s | eager PyTorch = 1 | of the bound | MB |"
    yield "|---|---|---|---|---|---|---|"
    for row in _speed(work).values():
        share = "" if row["share_of_bound"] is None else _percent(row["share_of_bound"], 0)
        cells = (
            row["name"],
            f"**{row['steps_per_second']}**",
            f"{row['lowest']} to {row['highest']}",
            row["gflops"],
            row["ratio_to_pytorch_eager"],
            share,
            row["peak_memory_mb"],
        )
        yield f"| {' | '.join(map(str, cells))} |"


def _time_to_quality():
    """The table of time_to_quality.json."""
    return time_to_quality.table(json.loads(time_to_quality.KEPT.read_text()))


def _reliability_table(part):
    """One part of reliability.json."""
    values = json.loads((BENCHMARKS / "reliability.json").read_text())[part]
    values = reliability.kills_table(values) if part == "kills" else values
    yield "| what | result |"
    yield "|---|---|"
    for what, value in values.items():
        if what != "note":
            shown = ("; ".join(value) or "none") if isinstance(value, list) else value
            yield f"| {re.sub('^MiB after', 'MiB after training', what)} | {shown} |"


def _anomaly_table():
    """The table of anomaly.json."""
    return anomaly.table_lines(json.loads((BENCHMARKS / "anomaly.json").read_text()))


def _datasets_table(kind):
    """The images or the tables of datasets.json."""
    return datasets.table(_datasets(), kind)


def _datasets_commands():
    """The command of each row, in a block that can be opened."""
    yield '??? note "Commands"'
    yield ""
    yield "    ```"
    yield from (f"    {line}" for line in datasets.commands(_datasets()))
    yield "    ```"


def _table_reading():
    """The files of table_reading.json."""
    kept = json.loads((BENCHMARKS / "table_reading.json").read_text())
    yield "| file | MB | seconds | seconds of the processor | MiB | MiB of a training |"
    yield "|---|---|---|---|---|---|"
    for suffix, values in kept["files"].items():
        yield f"| .{suffix} | {' | '.join(f'{value:.0f}' for value in values.values())} |"


KEPT = {"quality": _quality, "systems": _systems}
TABLES = {
    "table_reading": _table_reading,
    "anomaly": _anomaly_table,
    "datasets": _datasets_table,
    "datasets_commands": _datasets_commands,
    "quality": _quality_table,
    "quality_commands": _quality_commands,
    "systems": _systems_table,
    "systems_commands": _systems_commands,
    "speed": _speed_table,
    "time_to_quality": _time_to_quality,
    "reliability": _reliability_table,
}
