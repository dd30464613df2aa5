"""Recipes: the flag files that the package contains."""

import pathlib
from collections.abc import Iterator, Sequence

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.errors import InputError, did_you_mean

FOLDER = pathlib.Path(__file__).parent.parent / "recipes"


def with_recipes(argv: Sequence[str]) -> list[str]:
    """Replaces the names of recipes by the paths of their files.

    Args:
        argv: The arguments of the program, such as `["run.py", "--flagfile=mnist_100_labels"]`.

    Returns:
        The arguments, each flag file as `--flagfile=PATH`.

    Raises:
        InputError: If a flag file is neither a file nor a recipe.

    Example:
        >>> from adversarial_autoencoder.config import recipes
        >>> _, flag = recipes.with_recipes(["run.py", "--flagfile", "mnist_100_labels"])
        >>> print(flag.split("/")[-1])
        mnist_100_labels.flags
    """
    return list(_with_recipes(iter(argv)))


def _with_recipes(arguments: Iterator[str]) -> Iterator[str]:
    for argument in arguments:
        flag, is_assigned, value = argument.partition("=")
        if argument == "--":  # The rest are no flags.
            yield argument
            yield from arguments
        elif flag not in ("--flagfile", "-flagfile"):
            yield argument
        else:
            yield f"--flagfile={_path(value if is_assigned else next(arguments, ''))}"


def _path(value):
    """The path of a file, or of a recipe that is given as NAME or recipes/NAME.flags."""
    path = expand_home(value, "flagfile")
    if not value:
        raise InputError("--flagfile must name a file or a recipe. Received: none")
    if path.exists():
        return path
    names = sorted(recipe.stem for recipe in FOLDER.glob("*.flags"))
    name = value.removeprefix("recipes/").removesuffix(".flags")
    if name not in names:
        raise InputError(
            "flagfile must be a file of flags or the name of a recipe."
            f"{did_you_mean(name, names)} Received: flagfile={value}"
        )
    return FOLDER / f"{name}.flags"
