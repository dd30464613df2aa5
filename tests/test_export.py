"""Exported files give what the model gives; the model card; the run of the package."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import config_of

from adversarial_autoencoder import AdversarialAutoencoder, networks, runs, training
from adversarial_autoencoder.errors import ExportError, InputError
from adversarial_autoencoder.export import files
from adversarial_autoencoder.export.parts import expected_outputs, parts_of
from adversarial_autoencoder.systems import SYSTEMS

FORMATS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            any(files.importlib.util.find_spec(package) is None for package in packages),
            reason=f"needs {', '.join(packages)}",
        ),
    )
    for name, packages in files.FORMATS.items()
]


def assert_parts_agree(model, x, y=None, tolerance=1e-5):
    parts = parts_of(model, x.dtype.name)
    expected = expected_outputs(model, x, y)
    assert parts.keys() == expected.keys()
    for name, (inputs, output) in expected.items():
        # Keras loads a part without this package.
        assert all(layer.__module__.startswith("keras.") for layer in parts[name]._flatten_layers())
        received = parts[name].predict(inputs, verbose=0)
        np.testing.assert_allclose(received, output, rtol=0, atol=tolerance)
        assert np.std(output) > 0


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_parts_of_a_system_agree_with_its_model(system, digits, classes):
    labels = {"num_labels": 100} if system == "semi_supervised_aae" else {}
    config = config_of(system, **labels)
    shares = [0.1] * 10 if config.uses_labels else None
    model = training.build(config, (8, 8, 1), shares)
    y = classes[:30] if config.system.y == "given" else None
    assert_parts_agree(model, digits[:30], y)


@pytest.mark.parametrize(
    "settings",
    [
        {"network": "conv", "hidden_units": 64, "batch_norm": True},
        {"noise_dim": 3, "posterior": "universal"},
        {"dropout": 0.4, "input_noise": 0.5, "corruption": "masking"},
    ],
    ids=str,
)
def test_the_parts_of_a_network_agree_with_its_model(settings, digits):
    model = training.build(config_of("aae", **settings), (8, 8, 1), None)
    assert_parts_agree(model, digits[:30])
    assert_parts_agree(model, (digits[:30] / 255).astype("float32"))


def test_a_bfloat16_model_has_float32_parts(digits):
    model = training.build(config_of("aae", precision="mixed_bfloat16"), (8, 8, 1), None)
    assert_parts_agree(model, digits[:30], tolerance=0.05)
    for part in parts_of(model).values():
        dtypes = {v.dtype for v in part.variables if v.name != "seed_generator_state"}
        assert dtypes == {"float32"}


@pytest.mark.parametrize("system", ["aae", "supervised_aae"])
def test_a_bfloat16_model_is_exported_in_float32(system, digits, classes, tmp_path):
    """Other programs do not run bfloat16: ONNX Runtime refuses such a file."""
    ort = pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    config = config_of(system, precision="mixed_bfloat16", dropout=0.2, batch_norm=True)
    shares = [0.1] * 10 if config.uses_labels else None
    model = training.build(config, (8, 8, 1), shares)
    model.compile("adam")
    model.fit(digits[:200], classes[:200] if shares else None, batch_size=50, verbose=0)
    before = [variable.numpy() for variable in model.variables]
    inputs = [(digits[:30] / 255).astype("float32")]
    inputs += [classes[:30].astype("int32")] if shares else []
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = ort.InferenceSession(tmp_path / "model.onnx")
    names = [given.name for given in session.get_inputs()]
    (received,) = session.run(None, dict(zip(names, inputs, strict=True)))
    model.export(tmp_path / "saved", verbose=False)
    saved = tf.saved_model.load(tmp_path / "saved")
    np.testing.assert_allclose(saved.serve(*inputs), received, rtol=0, atol=1e-5)
    expected = model(*inputs).numpy()
    np.testing.assert_allclose(received, expected, rtol=0, atol=0.05)
    assert np.std(expected) > 0
    # The model itself is as before.
    assert all(np.array_equal(a, b) for a, b in zip(before, model.variables, strict=True))
    assert "bfloat16" in {layer.compute_dtype for layer in model.encoder.layers}


@pytest.fixture(scope="module")
def model():
    """A model with both codes that was never called."""
    keras.utils.set_random_seed(0)
    small = {"hidden_units": 8}
    return AdversarialAutoencoder(
        networks.encoder((6, 5, 3), 3, num_classes=4, **small),
        networks.decoder((6, 5, 3), 3, num_classes=4, head_margin=1.0, **small),
        {
            "z": networks.discriminator(3, **small),
            "y": networks.discriminator(4, name="discriminator_y", **small),
        },
    )


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).integers(0, 256, (30, 6, 5, 3), "uint8")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.slow
def test_the_files_of_a_format_run_without_this_package(format, model, x, tmp_path, capfd):
    exported = files.export_files(model, tmp_path / "export", format, x)
    assert capfd.readouterr() == ("", "")
    parts = {name: value for path in exported.values() for name, value in path.items()}
    assert parts.keys() == {"encoder", "decoder", "classifier", "scorer"}
    assert max(parts.values()) < 1e-5
    assert set((tmp_path / "export").iterdir()) == set(exported)


def test_a_saved_model_takes_any_number_of_images(model, x, tmp_path):
    folder = tmp_path / "export"
    (path,) = files.export_files(model, folder, "savedmodel", x)
    loaded = tf.saved_model.load(path)
    for n in (1, 7):
        (z,) = loaded.signatures["encoder"](x=tf.constant(x[:n])).values()
        np.testing.assert_allclose(z, model.encode(x[:n]), atol=1e-5)
    files.export_files(model, folder, "savedmodel", x)  # It replaces the first one.
    assert list(folder.iterdir()) == [path]


def test_a_file_that_differs_is_not_written(model, x, tmp_path, monkeypatch):
    def wrong(*args):
        expected = expected_outputs(*args)
        inputs, images = expected["decoder"]
        return expected | {"decoder": (inputs, images + 0.01)}

    monkeypatch.setattr(files, "expected_outputs", wrong)
    with pytest.raises(ExportError, match="decoder differs from the model by 0.01"):
        files.export_files(model, tmp_path, "keras", x)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_of_the_command_has_status_1_and_no_file(
    demo, tmp_path, command_line, monkeypatch
):
    shutil.copytree(demo / "demo", tmp_path / "demo")

    def fail(*args):
        raise RuntimeError("the converter\nfails")

    monkeypatch.setattr(files, "parts_of", fail)
    _, err = command_line("--mode=export", results=tmp_path, status=1)
    assert err == "Error: The model cannot be exported to savedmodel: the converter\n"
    assert list((tmp_path / "demo" / "export").iterdir()) == []


def test_a_missing_package_is_named_with_its_remedy(model, x, tmp_path, monkeypatch):
    monkeypatch.setitem(files.FORMATS, "onnx", ("no_such_package",))
    with pytest.raises(InputError, match=r"adversarial-autoencoder\[export\].*no no_such_package"):
        files.export_files(model, tmp_path / "new", "onnx", x)
    assert not (tmp_path / "new").exists()
    with pytest.raises(InputError, match="format must be one of"):
        files.export_files(model, tmp_path / "new", "tflite", x)


def test_the_run_of_the_package_is_drawn_without_training(command_line, tmp_path):
    results = tmp_path / "results"
    out, err = command_line("--mode=latent_grid", "--run=digits-demo", results=results)
    path = results / "digits-demo" / "figures" / "latent_grid.png"
    assert (out, err) == (f"Wrote {path}\n", "")
    assert path.exists()
    out, _ = command_line("--mode=list", results=results)
    assert "finished" in out
    _, err = command_line("--mode=style_grid", results=results)
    assert err == ""


def test_a_refused_flag_copies_no_run(refused):
    assert "z_dim=2" in refused("--mode=sample", "--run=digits-demo", "--z_dim=3")


def test_the_run_of_the_package_is_small_and_names_no_path(digits, classes):
    (folder,) = runs.demos.FOLDER.iterdir()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000
    config, _ = runs.Run(folder).read_config()
    assert config.data_dir is None
    assert config.dataset == "digits"
    model = training.load(runs.Run(folder))
    assert (model.classify(digits).argmax(axis=1) != classes).mean() < 0.1


def test_a_model_card_has_the_format_of_the_hub(few, tmp_path, command_line):
    shutil.copytree(few / "few", tmp_path / "few")
    metrics = {"epochs": 6, "error": 0.125, "feature_space": 12}
    runs.Run(tmp_path / "few").write_metrics(metrics)
    (tmp_path / "few" / "figures" / "sample.png").touch()
    out, err = command_line("--mode=card", "--license=mit", results=tmp_path)
    path = tmp_path / "few" / "README.md"
    assert (out, err) == (f"Wrote {path}\n", "")
    text = path.read_text()
    front, body = text.removeprefix("---\n").split("\n---\n", 1)
    assert front.splitlines()[:2] == ['library_name: "keras"', 'license: "mit"']
    assert "# few\n" in body
    assert "--num_labels=202" in body
    assert "| error | 0.125 | classification: fraction of misclassified items |" in body
    assert "feature\\_space" not in body
    assert "![sample](figures/sample.png)" in body
    out, _ = command_line("--mode=card", results=tmp_path)
    assert "names no licence" in out


def test_names_in_a_card_are_text(few):
    from adversarial_autoencoder.modes.card import card_text

    run = runs.Run(few / "few")
    config, recorded = run.read_config()
    recorded |= {"class_names": ["a|b", "<script>", "[x](http://y)"]}
    text = card_text(run, config, recorded)
    assert r"a\|b, &lt;script&gt;, \[x\](http://y)" in text
