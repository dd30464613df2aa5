"""Fixtures of several test files: real data, small models, trained runs and the command line."""

import contextlib
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import warnings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several workers share the cores: without this, each starts as many threads as there are cores.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl.testing import flagsaver
from sklearn.datasets import load_digits

from adversarial_autoencoder import AdversarialAutoencoder, data, networks, observations
from adversarial_autoencoder.export import explorer

pytest.register_assert_rewrite("helpers")

from helpers import DRAW, SMALL, draw_last, pictures, tree  # noqa: E402

# A second device for the tests of replicas; the others use the first one.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


def without_autotuning(iterate):
    """An iterator whose end waits for nothing.

    TensorFlow tunes each data set in a thread that sleeps for up to a minute. The end of an
    iterator waits for it, if it wakes the thread a moment too early: often, on a busy core.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return lambda dataset: iterate(dataset.with_options(options))


tf.data.Dataset.__iter__ = without_autotuning(tf.data.Dataset.__iter__)


# What TensorFlow says if data sets are compiled and the functions of the fixture `eager` are not.
EAGER_DATA = "Even though the `tf.config.experimental_run_functions_eagerly` option is set"


@pytest.fixture(scope="session")
def program():
    """The command line as a module, with its flags defined: the program without a process."""
    from adversarial_autoencoder import command_line

    command_line.define_flags()
    return command_line


@pytest.fixture(scope="session")
def command_line(program):
    """Runs the command line in this process, and returns what it prints on stdout and stderr.

    `command_line(*flags, results=folder, status=0)` also checks the exit status, which can be one
    of a tuple.
    """

    def call(*flags, results, status=0):
        out, err = io.StringIO(), io.StringIO()
        before = signal.getsignal(signal.SIGTERM)
        with (
            flagsaver.flagsaver(),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            warnings.catch_warnings(record=True) as warned,
        ):
            # The filters of an ordinary Python process. pytest has its own.
            warnings.resetwarnings()
            for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning):
                warnings.simplefilter("ignore", kind)
            warnings.simplefilter("ignore", ResourceWarning)
            warnings.filterwarnings("ignore", EAGER_DATA)
            program.FLAGS.unparse_flags()
            try:
                program.parse_flags(["run.py", f"--results_dir={results}", *flags])
                program.main([])
                received = 0
            except SystemExit as end:
                received = end.code
            finally:
                signal.signal(signal.SIGTERM, before)
        shown = [
            warnings.formatwarning(w.message, w.category, w.filename, w.lineno) for w in warned
        ]
        err = err.getvalue() + "".join(shown)
        assert received in (status if isinstance(status, tuple) else (status,)), err
        return out.getvalue(), err

    return call


@pytest.fixture
def refused(command_line, tmp_path):
    """Runs the command line with flags that it must refuse; returns its line on stderr.

    It must print nothing else, and write nothing. "TMP" in a flag stands for `tmp_path`.
    """

    def refuse(*flags):
        before = tree(tmp_path)
        flags = [flag.replace("TMP", str(tmp_path)) for flag in flags]
        out, err = command_line(*flags, results=tmp_path / "results", status=2)
        assert out == ""
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        assert len(err) < 2000
        assert tree(tmp_path) == before
        return err

    return refuse


@pytest.fixture(scope="session")
def digits():
    """1797 real handwritten digits, uint8, shape (1797, 8, 8, 1)."""
    return (load_digits().images * (255 / 16)).round().astype("uint8")[..., None]


@pytest.fixture(scope="session")
def classes():
    """The classes of the digits."""
    return load_digits().target


@pytest.fixture(scope="session")
def dataset():
    """The digits, split into training, validation and test images."""
    return data.load("digits")


@pytest.fixture(scope="session")
def people():
    """A DataFrame with a column of each type, and with missing values."""
    pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    rng, n = np.random.default_rng(0), 240
    frame = pd.DataFrame(
        {
            "age": rng.integers(18, 90, n),
            "income": np.exp(3 * rng.normal(size=n)),
            "job": rng.choice(["none", "farmer", "doctor"], n, p=[0.5, 0.3, 0.2]),
            "owner": rng.random(n) < 0.4,
            "size": pd.Categorical(rng.choice(["s", "m", "l"], n), ["s", "m", "l"]),
            "zero": np.zeros(n),
            "weight": rng.normal(70, 9, n).astype("float32"),
            "kids": pd.array(rng.integers(0, 4, n), "Int64"),
        }
    )
    frame.loc[::9, "weight"] = np.nan
    frame.loc[::7, "kids"] = pd.NA
    frame.loc[::11, "job"] = None
    return frame


@pytest.fixture(scope="session")
def table_model():
    """Builds small models for tables: `table_model(schema, **model_arguments)`."""

    def make(schema, **kwargs):
        keras.utils.set_random_seed(3)
        shape = (schema.width,)
        model = AdversarialAutoencoder(
            networks.encoder(shape, 2, hidden_units=16),
            networks.decoder(shape, 2, hidden_units=16),
            networks.discriminator(2, hidden_units=16),
            observation=observations.Columns(schema),
            **kwargs,
        )
        model.compile("adam")
        return model

    return make


@pytest.fixture
def make_model():
    """Builds small models for the digits: `make_model(z_dim=2, dropout=0.0, **model_arguments)`."""

    def make(z_dim=2, dropout=0.0, **kwargs):
        keras.utils.set_random_seed(7)
        hidden = {"hidden_units": 24, "hidden_layers": 2, "dropout": dropout}
        model = AdversarialAutoencoder(
            networks.encoder((8, 8, 1), z_dim, input_noise=0.0, **hidden),
            networks.decoder((8, 8, 1), z_dim, **hidden),
            networks.discriminator(z_dim, input_noise=0.0, **hidden),
            **kwargs,
        )
        model.compile(keras.optimizers.Adam(1e-3))
        return model

    return make


@pytest.fixture
def supervised():
    """A supervised AAE: the encoder infers z, and y is the label."""
    keras.utils.set_random_seed(7)
    hidden = {"hidden_units": 24, "hidden_layers": 2}
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 3, **hidden),
        networks.decoder((8, 8, 1), 3, num_classes=10, **hidden),
        networks.discriminator(3, **hidden),
    )
    model.compile(keras.optimizers.Adam(2e-3))
    return model


@pytest.fixture(scope="module", autouse=True)
def no_pictures(request):
    """Trainings draw no pictures for TensorBoard, which is half of their time.

    Modules with the mark "pictures" are excepted.
    """
    with pictures(**(DRAW if request.node.get_closest_marker("pictures") else {})):
        yield


@pytest.fixture
def eager():
    """Trainings of the test compile nothing: of few steps, tracing takes most of their time."""
    tf.config.run_functions_eagerly(True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", EAGER_DATA)
        yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def mnist_dir():
    """The folder AAE_DATA_DIR, if it holds MNIST; otherwise the test is skipped."""
    folder = os.environ.get("AAE_DATA_DIR")
    if not folder or not pathlib.Path(folder, "mnist.npz").is_file():
        pytest.skip("needs mnist.npz in the folder AAE_DATA_DIR")
    return pathlib.Path(folder)


@pytest.fixture(scope="session")
def demo(command_line, tmp_path_factory):
    """A results folder with one finished run of an adversarial autoencoder, `demo`.

    Tests can add figures to it, and must leave the rest unchanged. output.txt is its stdout.
    """
    results = tmp_path_factory.mktemp("demo")
    flags = ["--mode=train", "--z_dim=2", "--epochs=4", "--run_name=demo", *SMALL]
    with pictures(**DRAW | {"on_epoch_end": draw_last}):
        out, err = command_line(*flags, results=results)
    assert err == ""
    (results / "output.txt").write_text(out)
    return results


@pytest.fixture(scope="session")
def few(command_line, tmp_path_factory):
    """A results folder with one finished run of a semi-supervised system, `few`.

    Tests can add figures and predictions to it, and must leave the rest unchanged. output.txt is
    its stdout.
    """
    results = tmp_path_factory.mktemp("few")
    rates = [f"--{step}_learning_rate=0.01" for step in ("reconstruction", "classification")]
    size = ["--z_dim=4", "--hidden_units=32", "--batch_size=50", "--epochs=6"]
    flags = ["--model=semi_supervised_aae", "--num_labels=202", "--dataset=digits", *size, *rates]
    with pictures(**DRAW | {"on_epoch_end": draw_last}):
        out, err = command_line(*flags, "--run_name=few", results=results)
    assert err == ""
    (results / "output.txt").write_text(out)
    return results


@pytest.fixture(scope="session")
def run_in_node():
    """Runs the decoder of a page in Node, for several codes; returns the images."""
    if not (node := shutil.which("node")):
        pytest.skip("needs Node")
    code = "const fs = require('fs');" + (explorer.ASSETS / "decoder.js").read_text()
    code += (
        "const {decoder, codes} = JSON.parse(fs.readFileSync(0));"
        "const decode = makeDecoder(decoder);"
        "console.log(JSON.stringify(codes.map((code) => [...decode(code)])));"
    )

    def run(decoder, codes):
        done = subprocess.run(
            [node, "-e", code],
            input=json.dumps({"decoder": decoder, "codes": codes}),
            capture_output=True,
            text=True,
            check=True,
        )
        return np.array(json.loads(done.stdout))

    return run


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not (program := shutil.which("chromium")):
        pytest.skip("needs Chromium")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page; fails if it has an error or asks for another file."""
    problems, contexts = [], []

    def open_page(text, width=1200, height=900, **options):
        path = tmp_path / "explorer.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: m.type == "error" and problems.append(m.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda r: r.url == path.as_uri() or problems.append(r.url))
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready=true]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []
