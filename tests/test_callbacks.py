"""What a training prints while it goes on and at its end."""

import re

import keras

from adversarial_autoencoder.training import callbacks


def test_the_epochs_told_at_the_end_are_those_that_were_trained(digits, make_model, capsys):
    """A callback may stop it early, and it may go on with an epoch that is not the first."""
    model = make_model()
    model.compile()

    def stop(epoch, logs):
        model.stop_training = epoch == 4

    progress = [callbacks.Progress(3), keras.callbacks.LambdaCallback(on_epoch_end=stop)]
    model.fit(digits[:100], initial_epoch=3, epochs=9, verbose=0, callbacks=progress)
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"Trained 2 epochs in \d+:\d\d", last)
