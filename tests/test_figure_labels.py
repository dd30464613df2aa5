"""Names in figures and in TensorBoard's text are text, never markup; every class has a colour."""

import html
import importlib
import re
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from tensorboard.plugin_util import markdown_to_safe_html

from adversarial_autoencoder import figures
from adversarial_autoencoder.figures import colours
from adversarial_autoencoder.figures.labels import labels
from adversarial_autoencoder.training.callbacks.tensorboard import markdown_table

pytestmark = pytest.mark.pictures

# The examples of users, and their neighbours.
NAMES = [
    "a$_$b",
    "$2$",
    "_background",
    "x" * 120,
    "100 % \\$ & {b}^2",
    "日本語",
    "日本人",
    "caf\udce9",  # A file name that is not UTF-8.
    "two\nlines",
    "",
]
SHOWN = [
    "a$_$b",
    "$2$",
    "_background",
    "x" * 12 + "…" + "x" * 11,
    "100 % \\$ & {b}^2",
    "日本語",
    "日本人",
    "caf?",
    "two lines",
    "9: ",
]


@pytest.fixture(autouse=True)
def no_warnings():
    """Drawing is silent: no missing characters, no layout that fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Newer libraries deprecate what Matplotlib uses.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@pytest.fixture
def only_default_font(monkeypatch):
    """A machine with no other fonts than Matplotlib's own default."""
    # `figures.labels` is a module; the function of the same name hides it.
    module = importlib.import_module("adversarial_autoencoder.figures.labels")
    monkeypatch.setattr(module, "fontManager", type("NoFonts", (), {"ttflist": []}))
    monkeypatch.setattr(module, "_families", {})


def drawn(texts):
    """The labels as Matplotlib draws them; fails if one is read as a formula."""
    shown = []
    for text in texts:
        line, is_formula = text._preprocess_math(text.get_text())
        assert is_formula is False, line
        shown.append(line)
    return shown


def every_place(names):
    """The texts of the names in every figure that shows names, drawn once."""
    k = len(names)
    z = np.random.default_rng(0).normal(0, 1, (60, 2))
    confusion = figures.confusion(np.eye(k, dtype=int), names)
    scatters = [
        figures.latent_scatter(z, z, np.arange(60) % k, names, columns=columns)
        for columns in (1, 2)
    ]
    history = [{"epoch": 1, "val_prior_distance": 0.1}]
    comparison = figures.comparison(
        {name: {"mse": 0.1} for name in names}, dict.fromkeys(names, history), {"mse": "lower"}
    )
    for figure in (confusion, *scatters, comparison):
        assert figures.to_array(figure).std() > 5
    axes = confusion.axes[0]
    return [
        axes.get_xticklabels(),
        axes.get_yticklabels(),
        *(figure.legends[0].get_texts() for figure in (*scatters, comparison)),
    ]


def test_names_are_drawn_as_they_are_in_every_figure():
    *places, runs = every_place(NAMES)
    for texts in places:
        shown = drawn(texts)
        # Where a font has these characters, they are drawn; elsewhere, they become "?".
        assert shown[5:7] in (SHOWN[5:7], ["5: ???", "6: ???"])
        assert shown[:5] + shown[7:] == SHOWN[:5] + SHOWN[7:]
    # Names of runs are longer.
    assert drawn(runs)[3] == "x" * 20 + "…" + "x" * 19


def test_names_of_characters_that_no_font_has_are_told_apart(only_default_font):
    for texts in every_place(NAMES)[:-1]:
        assert drawn(texts)[5:7] == ["5: ???", "6: ???"]


def test_a_character_that_the_default_font_lacks_is_drawn_in_another_font():
    """Matplotlib brings the font STIX, which has script letters."""
    names = ["\U0001d4d0", "\U0001d4d1"]
    (texts, *_) = every_place(names)
    assert drawn(texts) == names
    assert all(len(text.get_fontfamily()) > 1 for text in texts)


def test_tex_is_off_for_names_even_if_the_user_has_switched_it_on():
    with matplotlib.rc_context({"text.usetex": True}):
        figure = figures.confusion(np.eye(2, dtype=int), ["a_b", "50 %"])
    assert figures.to_array(figure).std() > 5


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["first" * 9, "second" * 9], ["firstfirstfi…tfirstfirst", "secondsecond…econdsecond"]),
        (["same" + "a" * 30 + "same"] * 2, None),
        (["x" * 40 + "1" + "y" * 40, "x" * 40 + "2" + "y" * 40], None),
        ([3, 4], ["3", "4"]),
        (["a\u200bb", "\tc "], ["ab", "c"]),
    ],
)
def test_labels_are_short_and_different(names, expected):
    shown = labels(names)
    assert len(set(shown)) == len(names)
    assert max(map(len, shown)) <= 27
    if expected is None:
        assert [label[:3] for label in shown] == ["0: ", "1: "]
    else:
        assert shown == expected


def test_long_names_leave_the_axes_their_size():
    z = np.zeros((20, 2))
    sizes = [
        figures.latent_scatter(z, z, np.arange(20) % 2, names).axes[0].get_window_extent().bounds
        for names in (["0", "1"], ["x" * 120, "y" * 120])
    ]
    assert sizes[0][2:] == pytest.approx(sizes[1][2:], rel=0.1)


@pytest.mark.usefixtures("eager")
def test_folders_with_such_names_are_trained_and_drawn(command_line, tmp_path):
    """The first picture for TensorBoard must not end the training after an epoch."""
    rng = np.random.default_rng(0)
    for name in ("a$_$b", "$2$", "_background"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(20):
            pixels = rng.integers(0, 256, (6, 6), "uint8")
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{i}.png")
    size = ["--hidden_units=8", "--batch_size=10", "--epochs=1", "--z_dim=2"]
    model = ["--model=semi_supervised_aae", "--num_labels=30"]
    results = tmp_path / "results"
    _, err = command_line(f"--dataset={tmp_path / 'images'}", *size, *model, results=results)
    assert err == ""
    for mode in ("latent_scatter", "style_grid", "classify"):
        _, err = command_line(f"--mode={mode}", results=results)
        assert err == ""


@pytest.mark.parametrize(
    "value",
    [
        "a$_$b|c",
        "/data/__init__/*my* `set`",
        "<b>bold</b> & [link](http://x.y)",
        "back\\slash \\| _x_ ~~y~~ #1",
        "z_dim",
        1e-05,
    ],
)
def test_the_text_of_tensorboard_is_no_markup(value):
    page = markdown_to_safe_html(markdown_table(("setting", "value"), {"dataset": value}))
    cells = re.findall("<td>(.*?)</td>", page)
    assert [html.unescape(cell) for cell in cells] == ["dataset", str(value)]


def test_text_that_is_not_utf8_is_written_for_tensorboard():
    table = markdown_table(("setting", "value"), {"dataset": "caf\udce9\n/x"})
    assert table.encode().endswith(b"| dataset | caf&#63; /x |")


# Simulations of colour blindness, for linear RGB (Machado et al. 2009, severity 1).
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def oklab(linear):
    """The colour space OKLab (Ottosson 2020), in which distances are differences to the eye."""
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(np.clip(linear, 0, 1) @ np.transpose(to_lms)) @ np.transpose(to_lab)


@pytest.mark.parametrize("vision", VISION)
def test_no_two_classes_look_alike_and_none_is_grey(vision):
    seen = np.array([to_rgb(colour) for colour in (*colours.CLASSES, colours.PRIOR, "white")])
    linear = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)
    lab = oklab(linear @ np.transpose(VISION[vision]))
    distance = np.linalg.norm(lab[:, None] - lab, axis=-1) + np.eye(len(lab))
    assert distance[:-1, :-1].min() > 0.1
    assert distance[-1].min() > 0.08


@pytest.mark.parametrize("num_classes", [1, 7, 10, 11, 40, 400])
def test_each_class_has_its_own_colour(num_classes):
    rgba = colours.class_colours(num_classes)
    assert rgba.shape == (num_classes, 4)
    assert len(np.unique(rgba, axis=0)) >= min(num_classes, 256)
