"""Moving pictures: the frames that a training keeps, and the mode that shows them."""

import errno
import shutil
import types
import zipfile

import numpy as np
import pytest
from helpers import QUICK, assert_equal_models
from PIL import Image

from adversarial_autoencoder import runs, training
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.errors import InputError, TrainingError
from adversarial_autoencoder.figures import animation
from adversarial_autoencoder.runs import demos
from adversarial_autoencoder.training.callbacks import kept_frames

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def every_epoch(monkeypatch):
    """The frames have all the time that they need."""
    monkeypatch.setattr(kept_frames, "SHARE", 1)


def names_of(out):
    """The names of the files that a mode says it has written, and that move."""
    for line in out.splitlines():
        path = line.removeprefix("Wrote ")
        with Image.open(path) as image:
            assert image.n_frames > 1
            assert min(image.size) > 200
            image.seek(image.n_frames - 1)
            assert np.asarray(image.convert("L")).std() > 10
        yield path.rpartition("/")[2]


def files(*names):
    return [f"{name}.{suffix}" for name in names for suffix in ("gif", "webp")]


def test_the_mode_draws_grid_scatter_and_interpolation(demo, command_line):
    out, err = command_line("--mode=animate", results=demo)
    assert err == ""
    assert [*names_of(out)] == files("latent_grid", "latent_scatter", "interpolate")


def test_a_model_with_two_codes_shows_samples_of_each_class(few, command_line):
    out, err = command_line("--mode=animate", results=few)
    assert err == ""
    assert [*names_of(out)] == files("sample", "latent_scatter", "interpolate")


def test_the_run_of_the_package_shows_its_epochs(command_line, tmp_path):
    out, err = command_line("--mode=animate", "--run=digits-demo", results=tmp_path)
    assert err == ""
    assert [*names_of(out)] == files("sample", "latent_scatter", "interpolate")
    frames = kept_frames.read(runs.Run(demos.FOLDER / "digits-demo"), 100)
    assert [*frames][0] == 0 and [*frames][-1] == 100


def test_a_run_without_frames_shows_what_it_can(command_line, tmp_path):
    without = shutil.ignore_patterns("frames.npz")
    shutil.copytree(demos.FOLDER / "digits-demo", tmp_path / "digits-demo", ignore=without)
    out, err = command_line("--mode=animate", "--run=digits-demo", results=tmp_path)
    assert err == ""
    first, _, rest = out.partition("\n")
    assert first == "The run digits-demo has no frames.npz, so its epochs are not shown."
    assert [*names_of(rest)] == files("interpolate")


@pytest.mark.parametrize("z_dim", [1, 2])
def test_a_table_shows_its_codes_in_the_plane(command_line, tmp_path, z_dim):
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).normal(size=(200, 3)))
    flags = [f"--dataset={tmp_path}/rows.npy", *QUICK[1:], "--run_name=a", f"--z_dim={z_dim}"]
    command_line(*flags, results=tmp_path)
    status = 0 if z_dim == 2 else 2
    out, err = command_line("--mode=animate", "--run=a", results=tmp_path, status=status)
    if z_dim == 2:
        assert [*names_of(out)] == files("latent_scatter")
    else:
        assert "needs a run that was trained on images, or with z_dim above 1" in err
    (tmp_path / "a" / "frames.npz").unlink()
    out, err = command_line("--mode=animate", "--run=a", results=tmp_path, status=2)
    assert out == ""
    needs = "keeps in frames.npz. Received: a without" if z_dim == 2 else "needs a run that"
    assert needs in err


def config_of(epochs, **settings):
    small = {"dataset": "digits", "hidden_units": 8, "batch_size": 200, "model": "autoencoder"}
    return Config.of(
        learning_rate_schedule="constant", hidden_layers=1, epochs=epochs, **small | settings
    )


def train(run, epochs, dataset, **settings):
    config = config_of(epochs, **settings)
    run.write_config(config, dataset)
    return training.train(config, dataset, run)


def assert_equal_frames(one, other):
    assert [*one] == [*other]
    for epoch, frame in one.items():
        for array, same in zip(frame, other[epoch], strict=True):
            assert np.array_equal(array, same), epoch


def test_a_resumed_training_keeps_the_frames_of_a_whole_one(dataset, tmp_path, every_epoch):
    whole, two = (runs.create(tmp_path, name) for name in ("whole", "two"))
    model = train(whole, 3, dataset, z_dim=3)
    train(two, 1, dataset, z_dim=3)
    # A process was killed after it wrote the frames of epoch 2, and before it wrote the model.
    with np.load(two.frames_path) as arrays:
        later = {name: np.concatenate([a, a[-1:]]) for name, a in arrays.items()}
    later["epochs"][-1] = 2
    later["codes"][-1] = 7
    np.savez(two.frames_path, **later)
    assert [*kept_frames.read(two, two.completed_epochs())] == [0, 1]
    assert_equal_models(train(two, 3, dataset, z_dim=3), model)
    kept = kept_frames.read(two, 3)
    assert [*kept] == [0, 1, 2, 3]
    assert kept[3][0].shape == (249, 2)
    assert_equal_frames(kept, kept_frames.read(whole, 3))


def test_a_resumed_training_makes_frames_where_there_are_none(dataset, tmp_path, every_epoch):
    run = runs.create(tmp_path, "a")
    train(run, 1, dataset)
    run.frames_path.unlink()
    train(run, 2, dataset)
    assert [*kept_frames.read(run, 2)] == [1, 2]


def test_long_trainings_keep_a_bounded_number_of_frames(make_model, digits, monkeypatch, tmp_path):
    """The bytes of a file depend neither on the epochs nor on the number or size of the images."""
    monkeypatch.setattr(kept_frames, "EPOCHS", 4)
    monkeypatch.setattr(kept_frames, "SHARE", 1)
    monkeypatch.setattr(kept_frames, "CODES", 50)
    run, done = runs.create(tmp_path, "a"), 0
    # The second training continues the first one, to more epochs.
    for epochs, expected in ((9, [0, 4, 8, 9]), (18, [0, 8, 9, 16, 18])):
        kept = kept_frames.Frames(run, digits[:99], done)
        kept.set_model(make_model())
        kept.set_params({"epochs": epochs})
        kept.on_train_begin()
        for epoch in range(done, epochs):
            kept.on_epoch_end(epoch)
        kept.write()
        done = epochs
        assert [*kept_frames.read(run, epochs)] == expected
        size = run.frames_path.stat().st_size
        assert size < len(expected) * (50 * 2 * 4 + 89 * 89 + 8) + 1000


def test_the_bound_of_a_file_holds_for_large_images_and_in_colour(monkeypatch):
    """64 frames of 500 codes and of 10 x 10 images."""
    for shape in ((28, 28, 1), (512, 512, 3), (3000, 2, 1), (900, 700, 4)):
        decoded = []

        def decode(z, y, shape=shape, decoded=decoded):
            decoded.append(len(z))
            return np.broadcast_to(np.float32(0.5), (len(z), *shape))

        model = types.SimpleNamespace(
            z_dim=1,
            num_classes=0,
            image_shape=shape,
            decode=decode,
            codes=types.SimpleNamespace(
                z=types.SimpleNamespace(sample_prior=lambda n: np.zeros((n, 1)))
            ),
        )
        drawn = animation.picture(model, kept_frames.SIDE, kept_frames.PIXELS)
        assert sum(decoded) == 100
        assert max(drawn.shape) <= kept_frames.PIXELS + 9 * 3
        frame = drawn.size + kept_frames.CODES * 2 * 4 + 8
        assert kept_frames.MAX_FRAMES * frame < kept_frames.MAX_BYTES
        if shape[-1] == 1:
            assert kept_frames.MAX_FRAMES * frame < 7e6


def test_frames_take_a_hundredth_of_the_time(make_model, digits, tmp_path):
    """By the clock of the budget: a frame of one second, then 99 seconds without."""
    kept = kept_frames.Frames(runs.create(tmp_path, "a"), digits[:20])
    now = [0.0]
    kept.budget.clock = lambda: now[0]
    kept.set_model(make_model())
    kept.set_params({"epochs": 60})
    represent = kept.model.represent

    def slow(*args, **kwargs):
        now[0] += 1
        return represent(*args, **kwargs)

    kept.model.represent = slow
    kept.on_train_begin()
    for epoch in range(60):
        now[0] += 9
        kept.on_epoch_end(epoch)
    assert [*kept.kept] == [0, 1, 12, 23, 34, 45, 56, 60]


def packed(path, name, array):
    """An archive that unpacks to 1000 times its size."""
    np.savez_compressed(path, **{"epochs": np.arange(2), name: array})


DAMAGE = {
    "empty": lambda path, arrays: path.write_bytes(b""),
    "cut": lambda path, arrays: path.write_bytes(path.read_bytes()[:500]),
    "no codes": lambda path, arrays: np.savez(path, epochs=arrays["epochs"]),
    "a text": lambda path, arrays: np.savez(path, **arrays | {"epochs": ["a", "b"]}),
    "too few": lambda path, arrays: np.savez(path, **arrays | {"epochs": [1]}),
    "before the training": lambda path, arrays: np.savez(path, **arrays | {"epochs": [-1, 1]}),
    "twice": lambda path, arrays: np.savez(path, **arrays | {"epochs": [1, 1]}),
    "infinite": lambda path, arrays: np.savez(path, **arrays | {"codes": arrays["codes"] / 0}),
    "wide": lambda path, arrays: np.savez(path, **arrays | {"pictures": np.zeros((2, 0, 3, 1))}),
    "many": lambda path, arrays: np.savez(
        path, epochs=np.arange(10**5), codes=np.zeros((10**5, 1, 2), "float32")
    ),
    "bomb": lambda path, arrays: packed(path, "pictures", np.zeros((2, 6000, 4000, 1), "uint8")),
}


def damage(run, kind):
    """Damages the frames of a run."""
    with np.load(run.frames_path) as file:
        arrays = {name: array[:2] for name, array in file.items()}
    DAMAGE[kind](run.frames_path, arrays)


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.filterwarnings("ignore:(divide|invalid):RuntimeWarning")
def test_damaged_frames_are_refused_in_one_line(demo, tmp_path, kind, capsys):
    shutil.copytree(demo / "demo", tmp_path / "a")
    run = runs.Run(tmp_path / "a")
    damage(run, kind)
    with pytest.raises(InputError, match="frames.npz") as error:
        kept_frames.read(run, 4)
    assert str(error.value).count("\n") == 0
    # A training begins without them.
    assert kept_frames.Frames(run, np.zeros((9, 8, 8, 1)), 4).kept == {}
    assert capsys.readouterr().err == (
        f"Warning: The frames of earlier epochs are left out: {error.value}\n"
    )


def test_damaged_frames_stop_the_mode_and_no_training(demo, command_line, tmp_path):
    shutil.copytree(demo / "demo", tmp_path / "a")
    damage(runs.Run(tmp_path / "a"), "cut")
    out, err = command_line("--mode=animate", results=tmp_path, status=2)
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert "frames.npz" in err
    # The model is intact, so the training continues.
    _, err = command_line("--run_name=a", "--epochs=5", results=tmp_path)
    assert err.startswith("Warning: The frames of earlier epochs are left out: ")
    assert err.count("\n") == 1
    assert "frames.npz" in err
    assert [*kept_frames.read(runs.Run(tmp_path / "a"), 5)] == [4, 5]


def test_frames_of_other_images_are_one_line(demo, command_line, tmp_path):
    """Before any file is written."""
    shutil.copytree(demo / "demo", tmp_path / "a")
    shutil.rmtree(tmp_path / "a" / "figures")
    np.savez(
        tmp_path / "a" / "frames.npz", epochs=np.arange(3), codes=np.zeros((3, 7, 2), "float32")
    )
    out, err = command_line("--mode=animate", results=tmp_path, status=2)
    assert out == ""
    assert "must have the codes of 249 validation images. Received: 7 codes" in err
    assert not (tmp_path / "a" / "figures").exists()


def failing_savez(path, **arrays):
    path.write_bytes(b"half")
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


def test_frames_that_cannot_be_written_cost_no_epoch(dataset, tmp_path, monkeypatch, capsys):
    run = runs.create(tmp_path, "a")
    train(run, 1, dataset)
    before = run.frames_path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(kept_frames.np, "savez", failing_savez)
        train(run, 3, dataset)
    warnings = capsys.readouterr().err
    assert warnings.count("The frames for --mode animate are not saved: ") == 1
    assert warnings.count("\n") == 1
    assert run.completed_epochs() == 3
    assert run.frames_path.read_bytes() == before
    assert not [*run.path.glob(".frames*")]
    # With space again, the next training replaces the file.
    train(run, 4, dataset)
    assert [*kept_frames.read(run, 4)][-1] == 4


def test_frames_are_not_written_without_the_lock(make_model, digits, tmp_path):
    run = runs.create(tmp_path, "a")
    kept = kept_frames.Frames(run, digits[:20])
    kept.set_model(make_model())
    kept.set_params({"epochs": 1})
    kept.on_train_begin()
    with run.held():
        (run.path / ".lock").unlink()
        with pytest.raises(TrainingError, match="must keep its file"):
            kept.write()
    assert not run.frames_path.exists()


def test_frames_of_another_shape_are_dropped(command_line, tmp_path, every_epoch):
    """Another version of the package kept other codes."""
    flags = ["--run_name=a", "--learning_rate_schedule=constant", *QUICK[:3], "--z_dim=2"]
    command_line(*flags, "--epochs=1", results=tmp_path)
    np.savez(
        tmp_path / "a" / "frames.npz", epochs=np.arange(2), codes=np.zeros((2, 3, 2), "float32")
    )
    command_line(*flags, "--epochs=2", results=tmp_path)
    assert [*kept_frames.read(runs.Run(tmp_path / "a"), 2)] == [1, 2]


def test_frames_are_read_without_unpacking_a_bomb(tmp_path):
    run = runs.create(tmp_path, "a")
    packed(run.frames_path, "codes", np.zeros((2, 4 * 10**6, 2), "float32"))
    with pytest.raises(InputError, match="must have at most 33554432 bytes"):
        kept_frames.read(run, 9)
    with zipfile.ZipFile(run.frames_path) as archive:
        assert archive.getinfo("codes.npy").file_size > 6 * 10**7
    assert run.frames_path.stat().st_size < 10**6


def test_frames_and_model_are_written_together(demo):
    assert [*kept_frames.read(runs.Run(demo / "demo"), 4)][-1] == 4


def test_the_codes_have_a_legend_of_their_classes():
    codes = dict.fromkeys((0, 1), np.random.default_rng(0).normal(size=(4, 2)))
    plain = [*animation.moving_scatter(codes, codes[0])]
    labels = np.array([0, 1, -1, 1])
    named = [*animation.moving_scatter(codes, codes[0], labels, ["a$_$b", "_background"])]
    assert named[0].shape == named[1].shape
    # The column of names: two classes, and the image without a label.
    assert named[0].shape[1] > plain[0].shape[1] + 50
    legend = named[0][:, plain[0].shape[1] :]
    assert (legend.min(axis=(1, 2)) < 255).sum() > 3 * 8
