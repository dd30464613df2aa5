"""What a training writes for TensorBoard: read by a real TensorBoard, and from its files."""

import json
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import numpy as np
import pytest
import tensorflow as tf
from helpers import PATIENCE, read_history
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from adversarial_autoencoder.training import callbacks
from adversarial_autoencoder.training.callbacks import projector

pytestmark = pytest.mark.pictures


@pytest.fixture(scope="module")
def tensorboard(demo):
    """The address of a TensorBoard that has read the results folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", demo]
    process = subprocess.Popen(
        [*command, "--host=127.0.0.1", f"--port={port}"], stderr=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}/data/plugin"
    deadline = time.monotonic() + PATIENCE
    try:
        while not all(last_step(address, run) == 4 for run in ("train", "validation")):
            assert process.poll() is None
            if time.monotonic() > deadline:
                raise TimeoutError("TensorBoard does not show the run")
            time.sleep(0.2)
        yield address
    finally:
        process.kill()
        process.wait()


def get(address, **query):
    try:
        with urllib.request.urlopen(f"{address}?{urllib.parse.urlencode(query)}") as answer:
            return json.load(answer)
    except OSError:
        return {}


def last_step(address, name):
    query = {"run": f"demo/logs/{name}", "tag": "metrics/reconstruction_loss"}
    points = get(f"{address}/scalars/scalars", **query)
    return points[-1][1] if points else 0


def test_tensorboard_shows_every_loss_learning_rate_and_distance(tensorboard):
    tags = get(f"{tensorboard}/scalars/tags")
    losses = {
        "metrics/reconstruction_loss",
        "metrics/discriminator_loss",
        "metrics/generator_loss",
        "metrics/discriminator_accuracy_real",
        "metrics/discriminator_accuracy_fake",
    }
    rates = {f"learning_rate/{name}" for name in ("reconstruction", "discriminator", "generator")}
    assert set(tags["demo/logs/train"]) == losses | rates
    assert set(tags["demo/logs/validation"]) == losses | {
        "metrics/prior_distance",
        "metrics/prior_distance_floor",
    }
    points = get(
        f"{tensorboard}/scalars/scalars", run="demo/logs/validation", tag="metrics/prior_distance"
    )
    assert [step for _, step, _ in points] == [1, 2, 3, 4]


def test_tensorboard_shows_histograms_of_codes_and_prior(tensorboard):
    tags = get(f"{tensorboard}/histograms/tags")
    assert {run: sorted(names) for run, names in tags.items()} == {
        f"demo/logs/{source}": ["latent_pooled", "latent_z0", "latent_z1"]
        for source in ("encoder", "prior")
    }
    address = f"{tensorboard}/histograms/histograms"
    histograms = get(address, run="demo/logs/prior", tag="latent_pooled")
    # Between them, as many epochs have histograms as fit into a share of the time.
    assert (histograms[0][1], histograms[-1][1]) == (1, 4)
    _, _, bins = histograms[-1]
    left, right, count = np.array(bins).T
    mean = np.average((left + right) / 2, weights=count)
    std = np.sqrt(np.average(((left + right) / 2 - mean) ** 2, weights=count))
    assert std == pytest.approx(5, rel=0.15)
    _, _, bins = get(address, run="demo/logs/encoder", tag="latent_z0")[-1]
    assert sum(count for _, _, count in bins) == 249


def test_tensorboard_shows_images_and_the_configuration(tensorboard):
    assert set(get(f"{tensorboard}/images/tags")["demo/logs/validation"]) == {
        "images/histograms",
        "images/reconstructions",
        "images/samples",
        "images/latent_grid",
        "images/latent_scatter",
    }
    (text,) = get(f"{tensorboard}/text/text", run="demo/logs/train", tag="configuration")
    assert "<td>z_dim</td>" in text["text"]


def read(address, **query):
    with urllib.request.urlopen(f"{address}?{urllib.parse.urlencode(query)}") as answer:
        return answer.read()


def test_the_projector_shows_codes_with_classes_and_images(tensorboard, dataset):
    address, name = f"{tensorboard}/projector", {"run": "demo/logs/validation"}
    assert get(f"{address}/runs") == ["demo/logs/validation"]
    (embedding,) = get(f"{address}/info", **name)["embeddings"]
    assert embedding["tensorName"] == "codes"
    assert embedding["tensorShape"] == [249, 2]
    codes = np.frombuffer(read(f"{address}/tensor", **name, name="codes"), "float32")
    assert np.isfinite(codes).all()
    assert codes.reshape(249, 2).std(axis=0).min() > 0.1
    classes = read(f"{address}/metadata", **name, name="codes").decode().split()
    assert classes == [dataset.class_names[k] for k in dataset.y_validation]
    assert embedding["sprite"]["singleImageDim"] == [8, 8]
    sprite = tf.io.decode_png(read(f"{address}/sprite_image", **name, name="codes")).numpy()
    assert sprite.shape == (128, 128, 1)
    # The 18th image is the second one of the second row.
    assert np.array_equal(sprite[8:16, 8:16], dataset.x_validation[17])


def test_hparams_shows_a_row_for_each_run(tensorboard):
    query = {
        "startIndex": 0,
        "sliceSize": 9,
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"],
        "colParams": [],
    }
    request = urllib.request.Request(
        f"{tensorboard}/hparams/session_groups",
        json.dumps(query).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        (row,) = json.load(answer)["sessionGroups"]
    assert row["name"] == "demo"
    assert (row["hparams"]["model"], row["hparams"]["z_dim"]) == ("aae", 2)
    assert row["hparams"]["seed"] == 0
    assert "data_dir" not in row["hparams"]
    metrics = {(m["name"]["group"], m["name"]["tag"]): m for m in row["metricValues"]}
    assert metrics["validation", "metrics/prior_distance"]["trainingStep"] == 4
    assert row["sessions"][0]["status"] == "STATUS_SUCCESS"


@pytest.mark.parametrize(
    ("shape", "cell"), [((28, 28, 1), (28, 28)), ((512, 300, 3), (42, 25)), ((2000, 1, 1), (44, 1))]
)
def test_the_sprite_has_a_bounded_size(shape, cell):
    x = np.broadcast_to(np.uint8(51), (500, *shape))
    sprite, size = projector.sprite_of(x)
    assert size == cell
    assert sprite.shape == (23 * cell[0], 23 * cell[1], shape[2])
    assert max(sprite.shape) <= projector.MAX_PIXELS
    assert set(sprite.ravel()) == {51}


def test_class_names_are_one_line_each_and_unlabelled_has_a_name(make_model, digits, tmp_path):
    names = ["a\tb\nc", "<b>"]
    labels = np.array([0, 1, -1])
    projector.write_projector(tmp_path, make_model(z_dim=3), digits[:3], labels, names)
    lines = (tmp_path / "classes.tsv").read_text().splitlines()
    assert lines == ["a\\tb\\nc", "<b>", "unlabelled"]
    assert np.loadtxt(tmp_path / "codes.tsv").shape == (3, 3)


def test_a_projector_that_fails_is_a_warning(make_model, digits, tmp_path):
    warned = []
    sample = callbacks.PriorDistance(digits[:30])
    writer = callbacks.TensorBoard(tmp_path, sample)
    pictures = callbacks.Pictures(writer, warn=warned.append, every=9)
    (tmp_path / "validation" / "codes.tsv").mkdir(parents=True)
    make_model().fit(digits[:100], batch_size=50, verbose=0, callbacks=[sample, writer, pictures])
    (text,) = warned
    assert text.startswith("The projector for TensorBoard is left out: IsADirectoryError")


def test_the_class_code_is_written_too(few):
    events = {}
    for name in ("train", "validation", "encoder", "prior"):
        path = few / "few" / "logs" / name
        events[name] = EventAccumulator(str(path), {"tensors": 0}).Reload()
    tags = {name: set(accumulator.Tags()["tensors"]) for name, accumulator in events.items()}
    assert "metrics/y_use" in tags["validation"]
    assert "latent_y" in tags["encoder"] & tags["prior"]
    for name in ("classification_accuracy", "classification_loss", "discriminator_loss_y"):
        assert f"metrics/{name}" in tags["train"] & tags["validation"]
    steps = ("discriminator_y", "discriminator_z", "generator_y", "generator_z", "classification")
    assert {f"learning_rate/{step}" for step in steps} <= tags["train"]
    pictures = {tag for tag in tags["validation"] if tag.startswith("images/")}
    assert pictures == {
        f"images/{name}"
        for name in (
            "histograms",
            "reconstructions",
            "samples",
            "style_grid",
            "cluster_grid",
            "latent_scatter",
        )
    }
    rows = read_history(few / "few")
    written = events["validation"].Tensors("metrics/y_use")
    assert [event.step for event in written] == [1, 2, 3, 4, 5, 6]
    shown = [float(tf.make_ndarray(event.tensor_proto)) for event in written]
    assert shown == pytest.approx([float(row["val_y_use"]) for row in rows], rel=1e-5)
    assert all(0.1 <= share <= 1 for share in shown)
    # One bin for each class, which counts the validation images.
    last = events["encoder"].Tensors("latent_y")[-1]
    bins = tf.make_ndarray(last.tensor_proto)
    assert bins.shape == (10, 3)
    assert bins[:, 2].sum() == 249
