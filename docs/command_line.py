"""The page of the command line, generated from the settings, the modes and the systems."""

import dataclasses
import re

from adversarial_autoencoder.config import Config, recipes
from adversarial_autoencoder.config.setting import flag_name, value_type
from adversarial_autoencoder.errors import first_line
from adversarial_autoencoder.modes import MODES
from adversarial_autoencoder.modes.command import Command
from adversarial_autoencoder.systems import SYSTEMS

# A larger upper bound only keeps nonsense out.
UNLIMITED = 10**9

INTRODUCTION = """# Command line

```
python run.py --mode MODE [--flag value ...]
```

`python run.py --help` prints the modes and flags of this page. A flag is written as `--z_dim 2` or
`--z_dim=2`, a boolean flag as `--batch_norm` or `--nobatch_norm`. An unknown flag, a value out of
its range and a flag that has no effect are errors: the program prints one line that says what was
expected, and ends with status 2.

`--flagfile FILE` reads flags from a file, one on each line. Later flags override earlier ones. The
name of a [recipe](#recipes) stands for its file.

After `pip install .`, the command `aae` is the same program: `aae --mode MODE` in any folder.
"""


def page():
    """The page, in Markdown."""
    parts = [INTRODUCTION, "## Modes", ""]
    for name, mode in MODES.items():
        text = f"{_sentence(first_line(mode.__doc__))}{_flags_of(name)}"
        parts += _entry(f"mode-{name}", f"--mode {name}", "", [text])
    parts += ["## Systems", "", "[Systems](systems.md) explains each one.", ""]
    for name, system_ in SYSTEMS.items():
        text = _sentence(system_.description)
        defaults = _defaults(system_)
        more = [f"Own defaults: {defaults}."] if defaults else []
        parts += _entry(f"model-{name}", f"--model {name}", "", [text, *more])
    parts += ["## Flags", ""]
    for group, fields in (Command.groups() | Config.groups()).items():
        parts += [f"### {group}", ""]
        for field in fields:
            lines = [_sentence(field.metadata["help"]), *_conditions(field)]
            parts += _entry(flag_name(field), _usage(field), _default(field), lines)
    parts += [
        "## Recipes",
        "",
        "A recipe is a flag file of the package. Its name is enough:",
        "",
        "```",
    ]
    parts += ["python run.py --mode train --flagfile mnist_100_labels", "```", ""]
    for path in sorted(recipes.FOLDER.glob("*.flags")):
        lines = [
            line.removeprefix("#").strip()
            for line in path.read_text().splitlines()
            if line.startswith("#")
        ]
        parts += _entry(f"recipe-{path.stem}", f"--flagfile {path.stem}", "", lines)
    return "\n".join(parts) + "\n"


def system(name):
    """What the table of systems says about one system: a list in Markdown."""
    row = SYSTEMS[name]
    where = {"inferred": "z and y; the encoder infers y", "given": "z and y; y is the label"}
    phases = " → ".join(f"`{_phase(phase)}`" for phase in row.phases)
    rows = {
        "Command": f"`python run.py --mode train --model {name}`",
        "Phases": phases,
        "Codes": where.get(row.y, "z"),
        "Labels": row.labels,
        "Own defaults": _defaults(row),
    }
    return "\n".join(f"- **{what}**: {text}" for what, text in rows.items() if text)


def _phase(spec):
    """A phase of a system, such as "regularization of y"."""
    return f"{spec.kind} of {spec.code}" if spec.code else spec.kind


def _defaults(system_):
    flags = (
        f"--{flag}" if value is True else f"--{flag} {value}"
        for flag, value in system_.defaults.items()
    )
    return ", ".join(f"`{flag}`" for flag in flags)


def _flags_of(mode):
    """The flags that only some modes read, of one mode."""
    fields = dataclasses.fields(Command)
    names = [flag_name(f) for f in fields if mode in (f.metadata["modes"] or ())]
    links = ", ".join(f"[`--{name}`](#{name})" for name in names)
    return f" Own flags: {links}." if links else ""


def _usage(field):
    """A flag with its value, such as "--z_dim N"."""
    kind = value_type(field)
    choices = field.metadata["choices"]
    if kind is bool:
        return f"--{flag_name(field)}"
    if field.name in ("mode", "model"):
        return f"--{field.name} {field.name.upper()}"
    value = "|".join(choices) if choices else {int: "N", float: "X", str: "TEXT"}[kind]
    return f"--{flag_name(field)} {value}"


def _default(field):
    if value_type(field) is bool:
        return "on" if field.default else "off"
    return "" if field.default is None else f"{field.default}"


def _conditions(field):
    """What must hold for a flag: its range, and what it needs."""
    metadata = field.metadata
    if (within := metadata["within"]) is not None:
        if within.high is not None and within.high >= UNLIMITED:
            within = dataclasses.replace(within, high=None)
        yield f"Range: {within}."
    if (search := metadata["search"]) is not None:
        scale = ", on a logarithmic scale" if search.log else ""
        yield f"[`--mode tune`](tune.md) searches {search.low:g} to {search.high:g}{scale}."
    needs = [f"--{flag} {'|'.join(values)}" for flag, values in metadata["needs"].items()]
    if needs:
        yield f"Only with {' and '.join(f'`{need}`' for need in needs)}."
    if metadata["phases"]:
        phases = " or ".join(f"`{_phase(phase)}`" for phase in metadata["phases"])
        yield f"Only with a system that has the phase {phases}."
    if metadata["modes"]:
        modes = ", ".join(f"[`{mode}`](#mode-{mode})" for mode in metadata["modes"])
        yield f"Only with the mode {modes}."


def _sentence(text):
    """A help text as a sentence."""
    text = text.strip().removesuffix(".")
    # Not where it begins with a symbol or a name, such as q(z|x) or mnist.
    first = text.split(maxsplit=1)[0]
    text = f"{text[0].upper()}{text[1:]}." if first.isalpha() and len(first) > 1 else f"{text}."
    return re.sub(r"(?<!`)--(\w+)", lambda m: f"[`--{m[1]}`](#{m[1]})", text)


def _entry(anchor, term, default, lines):
    """An entry of a definition list that can be linked to."""
    shown = f' <span class="default">default {default}</span>' if default else ""
    return [f'<span id="{anchor}"></span>`{term}`{shown}', f":   {' '.join(lines)}", ""]
