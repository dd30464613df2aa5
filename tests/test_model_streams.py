"""Each element of a data set is checked, not only the first one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, networks, phases
from adversarial_autoencoder.model.streams import checked_dataset
from adversarial_autoencoder.tables import Schema
from adversarial_autoencoder.tables.column import Column

SIZE = 50


class Batches(keras.utils.PyDataset):
    """Minibatches of arrays, which counts the epochs."""

    def __init__(self, *arrays, **kwargs):
        super().__init__(**kwargs)
        self.arrays = arrays
        self.epochs = 0

    def __len__(self):
        return len(self.arrays[0]) // SIZE

    def __getitem__(self, i):
        parts = tuple(array[SIZE * i : SIZE * (i + 1)] for array in self.arrays)
        return parts if len(parts) > 1 else parts[0]

    def on_epoch_end(self):
        self.epochs += 1


def generator(*arrays):
    yield from (tuple(a[i : i + SIZE] for a in arrays) for i in range(0, len(arrays[0]), SIZE))


def tf_data(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(SIZE)


FORMS = {"tf.data": tf_data, "PyDataset": Batches, "generator": generator}


@pytest.fixture
def images(digits):
    return digits[:150] / np.float32(255)


def fails(method, *args, match, **kwargs):
    """Checks that a method raises a ValueError of one line."""
    with pytest.raises(ValueError, match=match) as error:
        method(*args, verbose=0, **kwargs)
    assert "\n" not in str(error.value)
    assert not isinstance(error.value, tf.errors.OpError)


@pytest.mark.parametrize(
    ("form", "value", "match"),
    [
        ("tf.data", 7.0, r"Images must be .* floats in \[0, 1\]. Received: float32 from 0 to 7"),
        ("tf.data", np.nan, "Images must be"),
        ("PyDataset", -0.5, "Received: float32 from -0.5"),
        ("generator", np.inf, "inf"),
    ],
)
def test_later_images_out_of_range_are_refused(make_model, images, form, value, match):
    images[120, 3, 3] = value
    fails(make_model().fit, FORMS[form](images), match=match)


@pytest.mark.parametrize(
    ("form", "value", "match"),
    [
        ("tf.data", np.inf, "^An infinite number is no value of a table. Received: 0 to inf$"),
        ("tf.data", 7.0, "^Column column_1 must hold .* its 3 categories, or NaN. Rec.*: 0 to 7$"),
        ("tf.data", 0.5, "^Column column_1 must hold the indices of its 3 categories, or NaN"),
        ("PyDataset", 7.0, "^Column column_1 must hold the indices of its 3 categories, or NaN"),
        ("generator", np.inf, "^The numbers of column column_2 must be"),
    ],
)
def test_later_rows_that_do_not_fit_are_refused(table_model, form, value, match):
    x = np.arange(300, dtype="float32").reshape(150, 2)
    x[:, 0] %= 3
    schema = Schema(
        (
            Column("column_1", "categorical", categories=("a", "b", "c")),
            *Schema.of_array(x).columns[1:],
        )
    )
    model = table_model(schema)
    x[120, 1 if value == np.inf else 0] = value
    fails(model.fit, FORMS[form](x), match=match)


def test_later_bytes_that_are_no_category_are_refused(table_model):
    columns = (Column(name, "categorical", categories=("a", "b", "c")) for name in ("x", "{}"))
    schema = Schema(tuple(columns))
    x = np.zeros((150, 2), "uint8")
    x[120, 1] = 3
    fails(table_model(schema).fit, tf_data(x), match="^Column {} must .* Received: 0 to 3$")


def test_later_validation_images_are_checked(make_model, images):
    bad = images.copy()
    bad[120] = 200
    model = make_model()
    fails(model.fit, images, validation_data=tf_data(bad), match="Received: float32 from 0")
    fails(model.evaluate, Batches(bad), match="Received: float32 from 0")
    fails(model.predict, tf_data(bad), match="Received: float32 from 0")


def test_later_integers_out_of_range_are_refused(make_model, digits):
    bad = digits[:150].astype("int32")
    bad[120, 0] = 256
    fails(make_model().fit, tf_data(bad), match="Received: int32 from 0 to 256")


@pytest.fixture
def classifier():
    small = {"num_classes": 10, "hidden_units": 8}
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, **small),
        networks.decoder((8, 8, 1), 2, **small),
        phases=[phases.Reconstruction(), phases.Classification()],
    )
    model.compile()
    return model


@pytest.mark.parametrize("form", FORMS)
def test_later_labels_outside_the_classes_are_refused(classifier, digits, form):
    labels = np.arange(150) % 10
    classifier.fit(FORMS[form](digits[:150], np.where(labels > 4, -1, labels)), verbose=0)
    labels[120] = 77
    fails(classifier.fit, FORMS[form](digits[:150], labels), match="Labels must be below 10. .*77")


@pytest.mark.parametrize("form", ["tf.data", "generator"])
def test_later_images_without_a_needed_label_are_refused(supervised, digits, form):
    labels = np.arange(150) % 10
    labels[120] = -1
    fails(supervised.fit, FORMS[form](digits[:150], labels), match="Every image must have a label")


def test_dicts_with_further_labelled_images_are_checked(classifier, digits):
    parts = {"x": digits[:150], "y": np.arange(150) % 10}
    parts |= {"x_labelled": digits[:150] / np.float32(255), "y_labelled": np.arange(150) % 10}
    classifier.fit(tf.data.Dataset.from_tensor_slices(parts).batch(SIZE), verbose=0)
    parts["y_labelled"][120] = 10
    stream = tf.data.Dataset.from_tensor_slices(parts).batch(SIZE)
    fails(classifier.fit, stream, match="Labels must be below 10")


def test_the_elements_are_unchanged(images, digits):
    labels = np.arange(150) % 10
    for arrays in ((images,), (images, labels), (digits[:150], labels)):
        stream = tf_data(*arrays)
        for a, b in zip(stream, checked_dataset(stream, 10, True, print), strict=True):
            b = b if isinstance(b, tuple) else (b,)
            assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_a_py_dataset_keeps_its_settings(make_model, images):
    batches = Batches(images, workers=2)
    history = make_model().fit(batches, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2
    assert batches.epochs >= 2


def test_other_errors_stay(make_model, images):
    def broken(x):
        with tf.control_dependencies([tf.debugging.Assert(False, ["another error"])]):
            return tf.identity(x)

    stream = tf.data.Dataset.from_tensor_slices(images).batch(SIZE).map(broken)
    with pytest.raises(tf.errors.InvalidArgumentError, match="another error"):
        make_model().fit(stream, verbose=0)
