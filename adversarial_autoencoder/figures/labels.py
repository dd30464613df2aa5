"""Labels: names of classes, clusters and runs as text that Matplotlib draws as it is."""

import collections
import unicodedata
from collections.abc import Iterable, Sequence

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

# Characters of the longest label.
MAX_LENGTH = 24
# What stands for a character that no installed font has.
MISSING = "?"

# The family of a font that has a character; empty: the default font has it, None: no font has it.
_families: dict[str, str | None] = {}


def labels(names: Iterable[object], max_length: int = MAX_LENGTH) -> list[str]:
    r"""Convert names to labels.

    A name is text, never markup: a dollar sign does not begin a formula. Long names are shortened
    in the middle. Characters that no installed font has become "?". A label that no longer
    identifies its name begins with the number of the name.

    Args:
        names: The names, converted with `str`.
        max_length: Maximum number of characters of a shortened name, >= 3.

    Returns:
        One label for each name.

    Example:
        >>> from adversarial_autoencoder.figures.labels import labels
        >>> labels(["cat", "a$_$b", "a name that has no end"], max_length=11)
        ['cat', 'a\\$_\\$b', 'a nam…o end']
        >>> labels(["first of many", "first and only"], max_length=3)
        ['0: f…y', '1: f…y']
    """
    texts = [_one_line(str(name)) for name in names]
    _find_families("".join(texts))
    texts = [_shortened(_with_known_characters(text), max_length) for text in texts]
    counts = collections.Counter(texts)
    return [
        (text if text.strip(MISSING) and counts[text] == 1 else f"{i}: {text}").replace("$", r"\$")
        for i, text in enumerate(texts)
    ]


def fallback_families(text: str) -> list[str]:
    """Chooses fonts for the characters that the default font does not have.

    Args:
        text: A text.

    Returns:
        Families of installed fonts. Empty if the default font is enough.
    """
    _find_families(text)
    return sorted({family for character in text if (family := _families[character])})


def label_inches(texts: Sequence[str]) -> float:
    """Estimates the width of the longest label in the default font size.

    Args:
        texts: The labels.

    Returns:
        The width in inches. 0 if there are no labels.
    """
    return max((sum(map(_width, text)) for text in texts), default=0) / 11


def _find_families(characters):
    """Looks for new characters in all fonts. One pass, because opening a font takes time."""
    missing = set(characters) - _families.keys()
    for family, path in _fonts() if missing else ():
        found = _known(path, missing)
        _families.update(dict.fromkeys(found, family))
        missing -= found
        if not missing:
            return
    _families.update(dict.fromkeys(missing))


def _fonts():
    """The family and the path of the default font, then of the others, upright sans-serif first."""
    yield "", findfont(FontProperties())
    for font in sorted(
        fontManager.ttflist,
        key=lambda font: (font.style != "normal", "Sans" not in font.name, font.name),
    ):
        # Matplotlib's own "Last Resort" has all characters, as boxes.
        if not font.name.startswith("Last Resort"):
            yield font.name, font.fname


def _known(path, characters):
    """The characters that a font has."""
    try:
        font = get_font(path)
        # Matplotlib cannot draw bitmap fonts, such as some of colour emoji.
        return {c for c in characters if font.scalable and font.get_char_index(ord(c))}
    except (OSError, RuntimeError):
        return set()


def _one_line(text):
    """A text without line breaks and without format characters, which have no glyph."""
    visible = (c for c in " ".join(text.split()) if unicodedata.category(c) != "Cf")
    return "".join(c if c.isprintable() else MISSING for c in visible)


def _with_known_characters(text):
    return "".join(c if _families[c] is not None else MISSING for c in text)


def _shortened(text, max_length):
    if len(text) <= max_length:
        return text
    end = (max_length - 1) // 2
    return f"{text[: max_length - 1 - end]}…{text[len(text) - end :]}"


def _width(character):
    """Width of a character, in Latin letters."""
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
