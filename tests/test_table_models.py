"""Models of tables: the DataFrames and arrays that they take and give."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, load_model, networks, phases
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.model.batch import make_batch
from adversarial_autoencoder.observations import Columns, Pixels
from adversarial_autoencoder.tables import Schema

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def schema(people):
    """The schema of `people`."""
    return Columns.of(people).schema


@pytest.fixture(scope="module")
def trained(schema, people, table_model):
    """A model that was trained on `people`."""
    model = table_model(schema)
    model.fit(people, epochs=2, batch_size=40, verbose=0)
    return model


def test_a_table_of_categories_alone(tmp_path, table_model):
    frame = pd.DataFrame({"a": list("xyzx") * 20, "b": [True, False] * 40})
    model = table_model(Columns.of(frame).schema)
    model.fit(frame, batch_size=20, verbose=0)
    assert set(model.generate(20)["a"]) <= set("xyz")
    model.export(tmp_path / "exported")
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    assert loaded.serve(np.array([[0, 1]], "float32")).shape == (1, 2)


def test_a_model_takes_and_gives_dataframes(trained, people):
    assert trained.encode(people).shape == (len(people), 2)
    for frame in (trained.predict(people, verbose=0), trained.generate(50)):
        assert list(frame.columns) == list(people.columns)
        assert frame["age"].dtype == people["age"].dtype
        assert frame["weight"].dtype == "float32"
        assert frame["owner"].dtype == bool
        assert list(frame["size"].cat.categories) == ["s", "m", "l"]
        assert set(frame["job"].dropna()) <= {"none", "farmer", "doctor"}
        assert frame["age"].between(people["age"].min(), people["age"].max()).all()
        assert (frame["zero"] == 0).all()
    # A column more, and another order, change nothing.
    other = people[people.columns[::-1]].assign(extra=1)
    np.testing.assert_array_equal(trained.encode(other), trained.encode(people))


def test_a_saved_model_keeps_its_columns_and_holds_no_pickle(trained, tmp_path):
    trained.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras")
    pd.testing.assert_frame_equal(loaded.generate(30, seed=4), trained.generate(30, seed=4))
    assert loaded.observation.schema == trained.observation.schema


def test_a_dataframe_that_does_not_fit_is_refused(trained, people):
    with pytest.raises(InputError, match="no column job"):
        trained.encode(people.drop(columns="job"))
    with pytest.raises(InputError, match="Column age must hold numbers"):
        trained.encode(people.assign(age="old"))
    with pytest.raises(InputError, match="values of one type"):
        Columns.of(people.assign(age=[1, "x"] * (len(people) // 2)))
    with pytest.raises(InputError, match="must hold numbers, texts or booleans"):
        Columns.of(people.assign(day=pd.Timestamp("2020-01-01")))


def test_an_array_that_does_not_fit_is_refused(trained, people):
    x = trained.observation.to_array(people)
    with pytest.raises(InputError, match="must have the shape"):
        trained.encode(x[:, :3])
    wrong = x.copy()
    wrong[0, 2] = 7
    with pytest.raises(InputError, match="indices of its 3 categories"):
        trained.encode(wrong)
    wrong = x.copy()
    wrong[0, 0] = np.inf
    with pytest.raises(InputError, match="finite"):
        trained.encode(wrong)


def test_networks_must_have_the_width_of_the_schema(schema):
    shape = (schema.width + 1,)
    with pytest.raises(ValueError, match="the width of the schema"):
        AdversarialAutoencoder(
            networks.encoder(shape, 2, hidden_units=4),
            networks.decoder(shape, 2, hidden_units=4),
            observation=Columns(schema),
        )


def test_images_are_the_default():
    model = AdversarialAutoencoder(
        networks.encoder((4, 4), 2, hidden_units=4),
        networks.decoder((4, 4), 2, hidden_units=4),
        reconstruction_loss="bce",
    )
    assert isinstance(model.observation, Pixels)
    assert model.observation.loss_name == "bce"


def noisy(n):
    """Numbers of which a model with few units and epochs explains little."""
    return np.random.default_rng(1).normal(size=(n, 6)).astype("float32")


def test_generated_numbers_vary_as_much_as_real_ones(table_model, tmp_path):
    x = noisy(600)
    model = table_model(Schema.of_array(x))
    model.fit(x[:400], validation_data=x[400:], batch_size=50, epochs=3, verbose=0)
    assert (model.observation.spread > 0.5).all()
    z = np.zeros((2000, 2), "float32")
    assert model.decode(z).std(axis=0).max() < 1e-5  # The mean.
    drawn = model.generate(2000, z=z)
    np.testing.assert_allclose(drawn.std(axis=0), model.observation.spread, rtol=0.1)
    assert (model.generate(2000).std(axis=0) > 0.8 * x.std(axis=0)).all()
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "m.keras").generate(9), model.generate(9))


@pytest.mark.parametrize("form", ["array", "frame", "dataset", "split", "py_dataset", "generator"])
def test_the_spread_is_measured_for_each_form_of_the_data(form, table_model):
    x = noisy(200)
    model = table_model(Schema.of_array(x))
    options, rows = {"batch_size": 50, "verbose": 0}, x
    if form == "frame":
        names = [f"column_{i + 1}" for i in range(6)]
        rows = pd.DataFrame(x, columns=names)
    elif form == "dataset":
        options["validation_data"] = tf.data.Dataset.from_tensor_slices(x).batch(50)
    elif form == "split":
        options["validation_split"] = 0.25
    elif form == "py_dataset":

        class Parts(keras.utils.PyDataset):
            def __len__(self):
                return 4

            def __getitem__(self, i):
                return (x[50 * i : 50 * i + 50],)

        rows, options = Parts(), {"verbose": 0}
    elif form == "generator":
        rows = ((x[:50],) for _ in range(4))
        options = {"verbose": 0, "steps_per_epoch": 2}
    model.fit(rows, **options)
    spread = model.observation.spread.copy()
    if form == "generator":  # It can be read only once.
        assert not spread.any()
    model.measure_spread(x[150:] if form == "split" else x)
    if form != "generator":
        np.testing.assert_allclose(spread, model.observation.spread, rtol=1e-4)
    assert (spread > 0.2).all() or form == "generator"


def test_data_that_can_be_read_once_trains_and_is_not_measured(table_model):
    x = noisy(200)
    elements = iter([x[i : i + 20] for i in range(0, 200, 20)])
    spec = tf.TensorSpec((None, 6), "float32")
    rows = tf.data.Dataset.from_generator(lambda: elements, output_signature=spec)
    model = table_model(Schema.of_array(x))
    model.fit(rows, verbose=0)
    assert model.optimizer.iterations.numpy() > 5
    assert not model.observation.spread.any()


def test_the_spread_is_that_of_restored_weights(table_model):
    x = noisy(200)
    model = table_model(Schema.of_array(x))
    stop = keras.callbacks.EarlyStopping("loss", mode="max", restore_best_weights=True)
    model.fit(x, batch_size=20, epochs=6, verbose=0, callbacks=[stop])
    spread = model.observation.spread.copy()
    model.measure_spread(x)
    np.testing.assert_array_equal(spread, model.observation.spread)


def test_a_list_of_callbacks_measures_once(table_model):
    x, seen = noisy(100), []
    model = table_model(Schema.of_array(x))
    see = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.observation.spread.copy())
    )
    callbacks = keras.callbacks.CallbackList([see], add_history=True, model=model)
    for _ in range(2):
        model.fit(x, batch_size=20, verbose=0, callbacks=callbacks)
    assert len(callbacks.callbacks) == 3
    assert seen[0].all()  # It is measured before the other callbacks.
    np.testing.assert_array_equal(seen[1], model.observation.spread)


def test_the_spread_is_measured_in_parts(table_model, monkeypatch):
    x = noisy(250)
    model = table_model(Schema.of_array(x))
    model.measure_spread(x)
    expected = model.observation.spread.copy()
    monkeypatch.setattr("adversarial_autoencoder.model.batch.MAX_NUMBERS", 600)
    model.measure_spread(x)
    np.testing.assert_allclose(model.observation.spread, expected, rtol=1e-4)
    monkeypatch.setattr("adversarial_autoencoder.model.spread.MAX_ROWS", 100)
    model.measure_spread(x)
    first = model.observation.spread.copy()
    model.measure_spread(x[:100])
    np.testing.assert_array_equal(model.observation.spread, first)


@pytest.mark.parametrize("spread", [[-1, 0, 0], [np.nan, 0, 0], [np.inf, 0, 0], [0, 0], 1])
def test_a_spread_that_is_no_standard_deviation_is_refused(spread):
    with pytest.raises(ValueError, match="spread must"):
        Columns(Schema.of_array(noisy(20)[:, :3]), spread=spread)


def test_the_spread_of_a_model_with_given_classes_uses_them(table_model):
    x, y = noisy(200), np.arange(200) % 3
    schema = Schema.of_array(x)
    model = AdversarialAutoencoder(
        networks.encoder((6,), 2, hidden_units=8),
        networks.decoder((6,), 2, num_classes=3, hidden_units=8),
        networks.discriminator(2, hidden_units=8),
        observation=Columns(schema),
    )
    model.compile("adam")
    model.fit(x, y, batch_size=50, verbose=0)
    assert (model.observation.spread > 0.2).all()
    callback = keras.callbacks.LambdaCallback()
    model.fit(x, y, batch_size=50, verbose=0, callbacks=callback)
    with pytest.raises(ValueError, match="needs a y"):
        model.measure_spread(x)


def test_the_default_weight_of_the_discrepancy_follows_the_size_of_the_loss(table_model):
    x = noisy(50)
    penalties = []
    for weight in (None, 2.5, 0.25):
        phase = phases.MaximumMeanDiscrepancy(weight)
        model = table_model(Schema.of_array(x), phases=[phase])
        batch = make_batch(x, tf.constant([0, 0], "int64"), model.observation.prepare)
        loss, metrics = phase.loss_and_metrics(model, batch, training=False)
        penalties.append(float(loss - metrics["reconstruction_loss"]))
    assert penalties[0] == pytest.approx(penalties[1])
    assert penalties[0] == pytest.approx(10 * penalties[2], rel=1e-3)
    assert Pixels().mmd_weight == 0.25


def test_the_default_step_of_vat_has_as_many_deviations_as_for_images():
    x = noisy(50)
    losses = []
    for epsilon in (None, 1.5 / 28 / 0.31 * np.sqrt(6), 1.5 / 28 * np.sqrt(6)):
        keras.utils.set_random_seed(3)
        phase = phases.Consistency(vat_epsilon=epsilon)
        model = AdversarialAutoencoder(
            networks.encoder((6,), 2, num_classes=3, hidden_units=8),
            networks.decoder((6,), 2, num_classes=3, hidden_units=8),
            observation=Columns(Schema.of_array(x)),
            phases=[phases.Reconstruction(), phase],
        )
        batch = make_batch(x, tf.constant([0, 0], "int64"), model.observation.prepare)
        losses.append(float(phase.evaluate(model, batch)["vat_loss"]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0] > 2 * losses[2]
