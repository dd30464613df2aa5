"""The command line: `aae`, which is also `python run.py`."""

import dataclasses
import os
import re
import signal
import sys
import textwrap
import traceback
import warnings

try:
    from absl import app, flags

    from adversarial_autoencoder import __version__
    from adversarial_autoencoder.config import Config
    from adversarial_autoencoder.config.paths import expand_home
    from adversarial_autoencoder.config.recipes import with_recipes
    from adversarial_autoencoder.config.setting import flag_name, value_type
    from adversarial_autoencoder.config.small_files import read_small
    from adversarial_autoencoder.devices.quiet_import import hide_optional_libraries
    from adversarial_autoencoder.devices.streams import prepare_streams
    from adversarial_autoencoder.errors import (
        ExportError,
        InputError,
        TrainingError,
        did_you_mean,
        first_line,
        one_line,
    )
    from adversarial_autoencoder.modes import MODES
    from adversarial_autoencoder.modes.command import Command, check_mode
    from adversarial_autoencoder.modes.printing import program
    from adversarial_autoencoder.systems import SYSTEMS
except ModuleNotFoundError as error:
    sys.exit(f"Error: {error}. To install it: pip install -r requirements.txt")
except ImportError as error:  # On Windows.
    sys.exit(f"Error: {error}")

# TensorFlow's C++ start-up messages hide what matters; set it to 0 to see them.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A notebook names its own backend for the programs that it starts, and it may not be installed.
os.environ["MPLBACKEND"] = "agg"

DESCRIPTION = "Trains adversarial autoencoders and shows what they have learned."
FLAGS = flags.FLAGS
FIELDS = dataclasses.fields(Command) + dataclasses.fields(Config)
DEFINE = {
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
    bool: flags.DEFINE_bool,
}
KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def define_flags():
    """Defines one flag for each setting."""
    for field in FIELDS:
        DEFINE[value_type(field)](flag_name(field), field.default, field.metadata["help"])


def given(kind):
    """The flags given on the command line or in a flag file that are fields of a dataclass."""
    known = {field.name: FLAGS[flag_name(field)] for field in dataclasses.fields(kind)}
    return kind.expanded({name: flag.value for name, flag in known.items() if flag.present})


def parse_flags(argv):
    """Parses the flags; errors are one line with status 2."""
    if {"-h", "--help"} & set(argv):
        print(help_text())
        sys.exit(0)
    if "--version" in argv:
        print(f"adversarial_autoencoder {__version__}")
        sys.exit(0)
    try:
        argv = with_recipes(argv)
        check_flag_files(argv[1:])
        rest = FLAGS(argv)[1:]
    except InputError as error:
        fail(error, 2)
    except flags.UnrecognizedFlagError as error:
        fail(f"Unknown flag --{error.flagname}.{did_you_mean_flag(error.flagname)}", 2)
    except flags.IllegalFlagValueError as error:
        fail(wrong_value(str(error)), 2)
    except (flags.Error, OSError, ValueError, RecursionError) as error:
        # absl puts a word of its own before the errors of flag files.
        fail(" ".join(str(error).split()).removeprefix("ERROR:: "), 2)
    if rest:
        fail(f"Settings must be flags, such as --z_dim 2. Received: {rest[0]}", 2)
    return argv[:1]


def check_flag_files(arguments):
    """Checks that flag files, and those that they name, are regular and small: absl reads any.

    Raises:
        OSError: If one cannot be read, or is not a regular file.
        ValueError: If one is too large, is not text, or is in the home folder of nobody.
    """
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = argument.strip().partition("=")
        if name in ("--flagfile", "-flagfile"):
            named = value if equals else following
            if not named:
                raise ValueError("--flagfile must name a file. Received: none")
            path = expand_home(named, "flagfile")
            check_flag_files(read_small(path).decode().splitlines())


def did_you_mean_flag(name):
    """Suggests flags for an unknown one: those with the same words or initials, or a similar one.

    For example, `lr` is short for the learning rates, and `data` for `dataset` or `data_dir`.
    """
    name = name.replace("-", "_")
    names = [flag_name(field) for field in FIELDS]

    def is_short_for(flag):
        initials = "".join(word[0] for word in flag.split("_"))
        is_word = f"_{name}_" in f"_{flag}_"
        return is_word or (len(name) > 1 and (flag.startswith(name) or name in initials))

    if 0 < len(meant := list(filter(is_short_for, names))) <= 6:
        *others, last = meant
        return f" Did you mean {', '.join(others)}{' or ' if others else ''}{last}?"
    boolean = [f"no{field.name}" for field in FIELDS if value_type(field) is bool]
    return did_you_mean(name, [*names, *boolean, "flagfile", "help", "version"])


def wrong_value(text):
    """The error of a flag whose value has the wrong type, from the error of absl."""
    parts = re.fullmatch(r"flag --(\w+)=(.*?): .*", text, re.DOTALL)
    kinds = {flag_name(field): KINDS[value_type(field)] for field in FIELDS}
    if parts is None or parts[1] not in kinds:
        return " ".join(text.split())
    name, value = parts[1], " ".join(parts[2].split())
    return f"{name} must be {kinds[name]}. Received: {name}={value}"


def main(argv):
    """Runs the mode."""
    del argv
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The range of a data set is checked when it is loaded; a part of it can be narrower.
    warnings.filterwarnings("ignore", "The images are integers in", UserWarning)
    hide_optional_libraries()
    try:
        command, overrides = Command(**given(Command)), given(Config)
        check_mode(command.mode, given(Command) | overrides)
        MODES[command.mode](command, overrides)
    except KeyboardInterrupt:
        sys.exit(130)
    except InputError as error:
        fail(error, 2)
    except (ExportError, TrainingError) as error:
        fail(error, 1)
    except OSError as error:  # Such as a full disk, or a folder that may not be written to.
        where = f": {error.filename}" if error.filename else ""
        fail(f"{error.strerror or error}{where}", 1)
    except Exception as error:
        fail(f"{type(error).__name__}: {first_line(error)} (--debug shows where)", 1)


def fail(error, status):
    """Prints an error as one line and exits."""
    if FLAGS.is_parsed() and FLAGS.debug:
        traceback.print_exc()
    print(f"Error: {one_line(error)}", file=sys.stderr)
    sys.exit(status)


def help_text():
    """The text of --help."""
    parts = [
        DESCRIPTION,
        "",
        f"usage: {program()} --mode MODE [--flag value ...]",
        "",
        "Modes",
        *(entry(name, first_line(mode.__doc__ or "-")) for name, mode in MODES.items()),
        "",
        "Systems",
        *(system_entry(name, system) for name, system in SYSTEMS.items()),
    ]
    for group, fields in (Command.groups() | Config.groups()).items():
        parts += ["", group, *map(flag_entry, fields)]
        if group == "Command":
            parts.append(
                entry("--flagfile FILE", "read flags from a file, a flag a line, or from a recipe")
            )
            parts.append(entry("--version", "print the version"))
    return "\n".join(parts)


def system_entry(name, system):
    """The help of one system."""
    defaults = ", ".join(f"{flag} {value}" for flag, value in system.defaults.items())
    return entry(f"--model {name}", system.description + (f" [{defaults}]" if defaults else ""))


def flag_entry(field):
    """The help of one flag."""
    kind, choices = value_type(field), field.metadata["choices"]
    value = "|".join(choices) if choices else {int: "N", float: "X", str: "TEXT", bool: ""}[kind]
    value = {"mode": "MODE", "model": "MODEL"}.get(field.name, value)
    default = f" [{field.default}]"
    if kind is bool:
        default = " [on]" if field.default else " [off]"
    elif field.default is None:
        default = ""
    return entry(f"--{flag_name(field)} {value}", field.metadata["help"] + default)


def entry(left, right):
    """A line of help: a name on the left, its text on the right."""
    indent = " " * 32
    lines = textwrap.wrap(right, width=100, initial_indent=indent, subsequent_indent=indent)
    start = f"  {left}".ljust(31) + " "
    if len(start) == len(indent):
        lines[0] = start + lines[0].lstrip()
    else:
        lines.insert(0, start.rstrip())
    return "\n".join(lines)


def run():
    """Runs the program and exits with its status: the commands `aae` and `python run.py`."""
    prepare_streams()
    # Python adds the folder of a script. Your own function for --prior is in the working directory.
    # The empty path names it; it can have been deleted.
    sys.path.append("")
    define_flags()
    app.run(main, flags_parser=parse_flags)
