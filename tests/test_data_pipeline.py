"""The stream of minibatches: complete, reproducible, and the same if it starts in the middle."""

import itertools

import numpy as np
import pytest

from adversarial_autoencoder.data.pipeline import training_batches

# Images whose only pixel is their number.
N, BATCH = 23, 5
X = np.arange(N, dtype="uint8").reshape(N, 1, 1, 1)
STEPS = N // BATCH
# 8 labelled images: one pass over them is 1 minibatch of 5 and leaves 3 out.
LABELS = np.where(np.arange(N) % 3 == 1, np.arange(N) % 4, -1).astype("int32")[::-1].copy()
LABELLED = np.flatnonzero(LABELS >= 0)


def take(n, **kwargs):
    batches = training_batches(X, **{"batch_size": BATCH, "seed": 0} | kwargs)
    return list(batches.take(n).as_numpy_iterator())


def numbers(batches):
    return np.array([batch.ravel() for batch in batches])


def test_an_epoch_has_no_image_twice_and_many_epochs_have_all():
    epochs = numbers(take(20 * STEPS)).reshape(20, STEPS * BATCH)
    for epoch in epochs:
        assert len(np.unique(epoch)) == STEPS * BATCH
    assert len(np.unique(epochs)) == N


def test_an_epoch_of_whole_minibatches_has_every_image_once():
    epochs = numbers(training_batches(X[:20], 5, seed=0).take(12).as_numpy_iterator())
    assert np.array_equal(np.sort(epochs.reshape(3, 20)), np.tile(np.arange(20), (3, 1)))


def test_the_order_depends_on_seed_and_epoch_alone():
    one, again, other = (numbers(take(2 * STEPS, seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[:STEPS], one[STEPS:])


def test_a_minibatch_has_its_size_and_dtype():
    (batch,) = take(1)
    assert batch.shape == (BATCH, 1, 1, 1)
    assert batch.dtype == "uint8"


@pytest.mark.parametrize("epoch", [1, 3, 10])
@pytest.mark.parametrize("stream", [None, False, True])
def test_a_stream_from_an_epoch_equals_a_stream_that_skips_to_it(epoch, stream):
    kwargs = {} if stream is None else {"labels": LABELS, "labelled_stream": stream}
    whole = take((epoch + 2) * STEPS, **kwargs)[epoch * STEPS :]
    for a, b in zip(whole, take(2 * STEPS, initial_epoch=epoch, **kwargs), strict=True):
        if stream is None:
            assert np.array_equal(a, b)
        else:
            assert all(np.array_equal(a[key], b[key]) for key in a)


def test_a_labelled_stream_continues_in_the_middle_of_a_pass():
    """A pass over 17 labelled images has 3 minibatches, and an epoch has 4."""
    labels = np.where(np.arange(N) < 17, 0, -1).astype("int32")
    kwargs = {"labels": labels, "labelled_stream": True}
    whole = take(8 * STEPS, **kwargs)
    for epoch in (1, 2, 5):
        first = take(1, initial_epoch=epoch, **kwargs)[0]
        assert np.array_equal(first["x_labelled"], whole[epoch * STEPS]["x_labelled"])
    passes = numbers(batch["x_labelled"] for batch in whole[:30]).reshape(10, 15)
    for one_pass in passes:
        assert len(np.unique(one_pass)) == 15
    assert np.array_equal(np.unique(passes), np.arange(17))


def test_each_image_has_its_label():
    for batch in take(3 * STEPS, labels=LABELS):
        assert set(batch) == {"x", "y"}
        assert np.array_equal(batch["y"], LABELS[batch["x"].ravel()])
        assert batch["y"].dtype == "int32"


def test_labels_do_not_change_the_order():
    with_labels = take(STEPS, labels=LABELS, labelled_stream=True)
    assert np.array_equal(numbers(b["x"] for b in with_labels), numbers(take(STEPS)))


def test_labelled_minibatches_have_labelled_images_only_and_repeat():
    batches = take(20, labels=LABELS, labelled_stream=True)
    seen = set()
    for batch in batches:
        assert set(batch) == {"x", "y", "x_labelled", "y_labelled"}
        chosen = batch["x_labelled"].ravel()
        assert len(np.unique(chosen)) == BATCH
        assert np.array_equal(batch["y_labelled"], LABELS[chosen])
        assert set(chosen) <= set(LABELLED)
        seen |= set(chosen)
    assert seen == set(LABELLED)
    orders = {tuple(batch["x_labelled"].ravel()) for batch in batches}
    assert len(orders) > 15


def test_few_labelled_images_are_all_in_every_minibatch():
    labels = np.full(N, -1, "int32")
    labels[[3, 11]] = [1, 0]
    for batch in take(2 * STEPS, labels=labels, labelled_stream=True):
        assert sorted(batch["x_labelled"].ravel()) == [3, 11]


def test_the_stream_does_not_end():
    batches = training_batches(X, BATCH, 0, labels=LABELS, labelled_stream=True)
    assert len(list(itertools.islice(batches, 30 * STEPS))) == 30 * STEPS
