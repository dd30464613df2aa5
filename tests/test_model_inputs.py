"""Images and labels in any form that Keras takes are checked before the training."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, networks, phases

pytestmark = pytest.mark.usefixtures("eager")

SMALL = {"hidden_units": 8}


class Batches(keras.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return len(self.x) // 50

    def __getitem__(self, i):
        return self.x[50 * i : 50 * (i + 1)]


def generator(x):
    yield from ((x[i : i + 50],) for i in range(0, len(x), 50))


FORMS = {
    "array": lambda x: x,
    "tensor": tf.convert_to_tensor,
    "tf.data": lambda x: tf.data.Dataset.from_tensor_slices(x).batch(50),
    "PyDataset": Batches,
    "generator": generator,
}


@pytest.fixture
def images(digits):
    return digits[:100]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("convert", "message"),
    [
        (
            lambda x: x.astype("float32"),
            r"float32 from 0.0 to 255.0: give x / 255",
        ),
        (lambda x: x / 127.5 - 1, r"from -1.0 to 1.0: give \(x \+ 1\) / 2"),
        (lambda x: x.astype("uint16") * 257, "uint16 from 0 to 65535"),
        (lambda x: x[..., 0], r"shape \(n, 8, 8, 1\). .*add the channel axis with x\[..., None\]"),
        (lambda x: np.tile(x, 3), r"shape \(n, 8, 8, 1\)"),
    ],
    ids=["0..255", "-1..1", "uint16", "no channels", "colour"],
)
def test_images_out_of_range_are_refused_in_every_form(make_model, images, form, convert, message):
    with pytest.raises(ValueError, match=message):
        make_model().fit(FORMS[form](convert(images)), batch_size=50, verbose=0)


@pytest.mark.parametrize("form", FORMS)
def test_good_images_train_in_every_form(make_model, images, form):
    """A generator loses no minibatch to the check."""
    seen = []

    class Count(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    make_model().fit(FORMS[form](images), batch_size=50, verbose=0, callbacks=[Count()])
    assert seen == [0, 1]


@pytest.mark.parametrize("method", ["encode", "predict", "__call__", "evaluate"])
@pytest.mark.parametrize("form", ["array", "tensor"])
def test_use_checks_the_range_too(make_model, images, method, form):
    model = make_model()
    with pytest.raises(ValueError, match="give x / 255"):
        getattr(model, method)(FORMS[form](images.astype("float32")))
    with pytest.raises(ValueError, match="add the channel axis"):
        getattr(model, method)(FORMS[form](images[..., 0]))


def test_validation_data_is_checked(make_model, images):
    for data in (images.astype("float32"), (images.astype("float32"), None)):
        with pytest.raises(ValueError, match="give x / 255"):
            make_model().fit(images, validation_data=data, verbose=0)
    with pytest.raises(ValueError, match="validation_data must be x or"):
        make_model().fit(images, validation_data=(images, None, np.ones(100)), verbose=0)
    logs = make_model().fit(images, images, validation_data=(images, images), verbose=0).history
    assert "val_loss" in logs


@pytest.mark.parametrize("high", [1, 16, 63])
def test_integers_of_a_narrow_range_are_warned_about(make_model, images, high):
    with pytest.warns(UserWarning, match=f"in 0..{high}, .* give x / {high}.0"):
        make_model().fit((images % (high + 1)).clip(0, high), verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_model().encode(images)
        make_model().encode(np.zeros_like(images))


@pytest.mark.parametrize("argument", ["sample_weight", "class_weight"])
def test_weights_are_refused_by_name(make_model, images, argument):
    weights = {"sample_weight": np.ones(100), "class_weight": {0: 1.0}}[argument]
    with pytest.raises(ValueError, match=f"{argument} is not supported"):
        make_model().fit(images, verbose=0, **{argument: weights})
    if argument == "sample_weight":
        with pytest.raises(ValueError, match="sample_weight is not supported"):
            make_model().evaluate(images, sample_weight=weights, verbose=0)
        with pytest.raises(ValueError, match="[Ss]ample.weights? (is|are) not supported"):
            data = tf.data.Dataset.from_tensor_slices((images, np.zeros(100, "int64"), weights))
            make_model().fit(data.batch(50), verbose=0)


def test_images_as_targets_are_accepted_or_explained(make_model, images):
    """`fit(x, x)` is the idiom of other autoencoders."""
    make_model().fit(images, images, batch_size=50, verbose=0)
    pairs = tf.data.Dataset.from_tensor_slices((images, images)).batch(50)
    for arguments in ((images, images.copy()), (pairs,)):
        with pytest.raises(ValueError, match=r"needs no targets: give the images alone, fit\(x\)"):
            make_model().fit(*arguments, verbose=0)


@pytest.fixture
def classifier():
    model = AdversarialAutoencoder(
        networks.encoder((8, 8, 1), 2, num_classes=10, **SMALL),
        networks.decoder((8, 8, 1), 2, num_classes=10, **SMALL),
        phases=[phases.Reconstruction(), phases.Classification()],
    )
    model.compile()
    return model


@pytest.mark.parametrize("form", ["arrays", "tensors", "tf.data"])
def test_labels_outside_the_classes_are_refused_in_every_form(classifier, images, form):
    def fit(labels):
        pair = (images, labels)
        if form == "tensors":
            pair = tuple(map(tf.convert_to_tensor, pair))
        if form == "tf.data":
            pair = (tf.data.Dataset.from_tensor_slices(pair).batch(50),)
        classifier.fit(*pair, batch_size=50, verbose=0)

    labels = np.arange(100) % 10
    fit(labels)
    fit(np.where(labels < 5, labels, -1))
    with pytest.raises(ValueError, match="below 10. Received: labels up to 77"):
        fit(np.where(labels == 9, 77, labels))
    with pytest.raises(ValueError, match=r"integers of shape .n,.* give y.argmax\(axis=1\)"):
        fit(np.eye(10)[labels])


@pytest.mark.parametrize("n", [0, -1])
def test_a_number_of_images_below_1_is_refused(make_model, n):
    with pytest.raises(ValueError, match=f"n must be at least 1. Received: n={n}"):
        make_model().generate(n)


def test_codes_of_another_number_than_the_images_are_refused(make_model):
    z = np.zeros((10, 2), "float32")
    with pytest.raises(ValueError, match="z must be 5 codes, one for each image. Received: 10"):
        make_model().generate(5, z=z)
