"""A page that decodes in the browser: one HTML file that needs no server and no other file."""

import base64
import hashlib
import html
import importlib.resources
import json
import re
import zlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.export.decoder_steps import decoder_steps
from adversarial_autoencoder.export.rows import Rows
from adversarial_autoencoder.figures.colours import class_colours
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.observations.pixels import to_unit_interval
from adversarial_autoencoder.systems import Y, Z

MAX_POINTS = 2000
# Columns of a table.
MAX_COLUMNS = 100
# Numbers in an array of codes, and bytes of compressed images: 0.5 and 0.8 MB of the page.
MAX_NUMBERS = 100_000
MAX_IMAGE_BYTES = 600_000
ASSETS = importlib.resources.files("adversarial_autoencoder.export") / "assets"


def explorer_page(
    model: AdversarialAutoencoder,
    x: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] = (),
    y_names: Sequence[str] = (),
    title: str = "Latent space",
) -> str:
    """Makes a page that shows the latent space of a model, and decodes where the reader points.

    The page contains the decoder with float16 weights, the codes of images or rows, their colours,
    and samples of the prior. It loads nothing from elsewhere. When it is opened, it decodes one
    code and compares the result with that of Keras.

    Args:
        model: A trained model. The layers of its decoder must be those of
            `export.decoder_steps.LAYERS`.
        x: Images, shape (n, height, width) or (n, height, width, channels) with 1, 3 or 4 channels;
            or rows of a table, shape (n, columns). The page shows at most `MAX_POINTS` of them.
        labels: Classes of the images, integers of shape (n,), -1 for an unlabelled image; or None.
            Required if the model does not infer its y.
        class_names: Names of the classes. Required if `labels` is given.
        y_names: Names of the values of y. Default: their numbers.
        title: Title of the page.

    Returns:
        The HTML of the page.

    Raises:
        InputError: If the page cannot run the decoder or show the images.

    Example:
        >>> import numpy as np
        >>> from adversarial_autoencoder import AdversarialAutoencoder, networks
        >>> from adversarial_autoencoder.export.explorer import explorer_page
        >>> model = AdversarialAutoencoder(
        ...     networks.encoder((8, 8, 1), z_dim=2, hidden_units=16),
        ...     networks.decoder((8, 8, 1), z_dim=2, hidden_units=16),
        ...     networks.discriminator(2, hidden_units=16),
        ... )
        >>> page = explorer_page(model, np.zeros((5, 8, 8, 1), "uint8"))
        >>> page.startswith("<!DOCTYPE html>")
        True
    """
    shape, is_table = tuple(model.image_shape), model.is_table
    is_image = len(shape) in (2, 3) and None not in shape and (*shape, 1)[2] in (1, 3, 4)
    if not (is_table or is_image):
        raise InputError(
            "The page shows images of shape (height, width), or (height, width, channels) with 1, 3"
            f" or 4 channels. Received: images of shape {shape}"
        )
    largest = max(model.z_dim, model.num_classes, shape[0] if is_table else 1)
    chosen = np.arange(len(x))[:: max(1, -(-len(x) // max(MAX_NUMBERS // largest, 1)))]
    chosen = chosen[:: -(-len(chosen) // MAX_POINTS)]
    x, labels = x[chosen], None if labels is None else np.asarray(labels)[chosen]
    uses_y = model.num_classes > 0 and model.cluster_heads is None
    y = None
    if uses_y and model.infers_y:
        y = model.classify(x)
    elif uses_y:
        y = np.eye(model.num_classes, dtype="float32")[labels]
    if len(y_names) != model.num_classes:
        y_names = [str(k) for k in range(model.num_classes)]
    z = model.represent(x)
    schema = model.observation.schema if is_table else None
    content = {
        "title": title,
        "noun": model.observation.noun,
        "decoder": _decoder(model.decoder, schema),
        "zDim": model.z_dim,
        "points": _base64(z, "<f4"),
        "labels": None if labels is None else [int(label) for label in labels],
        "classes": [
            {"name": str(name), "colour": _hex(colour)}
            for name, colour in zip(class_names, class_colours(len(class_names)), strict=True)
        ],
        "prior": _base64(
            model.draw_representation(min(10_000, max(MAX_NUMBERS // model.z_dim, 1))), "<f4"
        ),
        # The decoder adds the head of y to z. The plane already shows this sum.
        "numY": model.num_classes,
        "yValues": {"names": list(y_names), "weights": _base64(y, "<f2")} if uses_y else None,
        "heads": None if model.cluster_heads is None else _base64(model.cluster_heads, "<f4"),
        "probe": _probe(model, z, y),
    }
    content |= _images(x, shape) if schema is None else _rows(x, schema)
    return _page(title, content)


def _images(x, shape):
    """What the page has of images only."""
    images, num_images = _compressed_images(x)
    return {"shape": [*shape, 1][:3], "images": images, "numImages": num_images}


def _rows(x, schema):
    """What the page has of a table only: the first columns, and the rows."""
    described = []
    for column, more in zip(schema.columns, Rows(schema).describe()["columns"], strict=True):
        names = ("centre", "unit", "heavy") if column.numeric else ()
        described.append(more | {name: getattr(column, name) for name in names})
        if not column.numeric:
            more = ["missing" if value is None else str(value) for value in column.values]
            described[-1]["categories"] = more
    rows = _base64(x, "<f4")
    return {"columns": described[:MAX_COLUMNS], "rows": rows, "rowWidth": len(schema.columns)}


def _page(title, content):
    """Fills in the template. The page may run only its own script, and load nothing."""
    style = _asset("explorer.css")
    script = "".join(_asset(name) for name in ("decoder.js", "rows.js", "explorer.js", "plane.js"))
    policy = f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}"
    # In a script element, only "<" could end the text.
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    parts = {"POLICY": policy, "TITLE": html.escape(title), "STYLE": style}
    parts |= {"CONTENT": text, "SCRIPT": script, "NOUN": content["noun"]}
    return re.sub("{{ ([A-Z]+) }}", lambda match: parts[match[1]], _asset("explorer.html"))


def _asset(name):
    return (ASSETS / name).read_text()


def _hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _hex(colour):
    return f"#{np.rint(colour[:3] * 255).astype('uint8').tobytes().hex()}"


def _base64(array, dtype):
    return base64.b64encode(np.asarray(array, dtype).tobytes()).decode()


def _decoder(decoder, schema):
    """The steps of a decoder, and all weights in one text."""
    described, arrays, end = [], [], 0
    for step in decoder_steps(decoder, schema):
        places = {}
        for name, weight in step.weights.items():
            arrays.append(weight.astype("<f2").ravel())
            places[name] = [end, end := end + weight.size]
        described.append(
            {
                "kind": step.kind,
                "sizes": step.sizes,
                "weights": places,
                "inputs": list(step.inputs),
            }
        )
    return {"steps": described, "weights": _base64(np.concatenate(arrays), "<f2")}


def _compressed_images(x):
    """The first images, as many as fit, as bytes; and their number."""
    pixels = np.rint(np.asarray(to_unit_interval(x)) * 255).astype("uint8")
    kept = len(pixels)
    while len(packed := zlib.compress(pixels[:kept].tobytes(), 9)) > MAX_IMAGE_BYTES and kept > 1:
        # Later images can compress worse.
        kept = max(1, int(0.95 * kept * MAX_IMAGE_BYTES / len(packed)))
    return base64.b64encode(packed).decode(), kept


def _probe(model, z, y):
    """A code, and its image by Keras, with which the page checks itself."""
    codes = {Z: z[:1]}
    weights = np.zeros((1, model.num_classes), "float32") if y is None else y[:1]
    if model.num_classes:
        codes[Y] = weights
    probe: dict = {"codes": {name: code[0].tolist() for name, code in codes.items()}}
    if model.is_table:
        tensors = {name: tf.convert_to_tensor(code) for name, code in codes.items()}
        outputs = model.decode_logits(tensors, training=False)
        image = model.observation.distribution(outputs).numpy()[0].astype("float64")
        size = Rows(model.observation.schema).units.astype("float64")
        low = np.zeros(len(size))
        numeric = [column.low for column in model.observation.schema.columns if column.numeric]
        low[: len(numeric)] = numeric
        image = (image - low) / size
        probe |= {"low": low.tolist(), "size": size.tolist()}
    else:
        image = model.decode(z[:1], weights if model.num_classes else None)
    return probe | {"image": _base64(image, "<f2")}
