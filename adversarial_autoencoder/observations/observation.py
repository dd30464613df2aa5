"""The observation model: what x is, and the distribution that the decoder outputs."""

import abc
import re

import numpy as np
import tensorflow as tf

from adversarial_autoencoder.config.training_groups import MMD_WEIGHT, VAT_STEP


class Observation(abc.ABC):
    """What x is: its form, what the networks see of it, and the loss of a reconstruction.

    "The form of x" is the one that the user gives and gets, without conversion: images, or rows in
    an array.

    Attributes:
        noun: What x is, in the singular.
        mmd_weight: Default weight of `phases.MaximumMeanDiscrepancy`.
        vat_step: Length of the default VAT step for one input: 1.5 for the 28x28 pixels of MNIST.
    """

    noun = "image"
    mmd_weight = MMD_WEIGHT
    vat_step = VAT_STEP

    @property
    def has_spread(self):
        """Whether `fit` calls `measure`: whether a subclass defines it."""
        return type(self).measure is not Observation.measure

    def to_array(self, x):
        """Converts what a user gives to the form of x, such as a DataFrame to rows."""
        return x

    def to_user(self, x):
        """Converts arrays in the form of x to what a user gets, such as rows to a DataFrame."""
        return x

    @abc.abstractmethod
    def check(self, x, shape, warn=True):
        """Checks what a user gives.

        Args:
            x: An array or an eager tensor in the form of x; anything else passes.
            shape: Shape of one input of the encoder.
            warn: Whether to warn of what is probably wrong.

        Raises:
            ValueError: If it does not fit.
        """

    @abc.abstractmethod
    def check_in_graph(self, x):
        """Checks the range of a minibatch in the graph of an input pipeline, by `expect`.

        Args:
            x: A tensor in the form of x.
        """

    @abc.abstractmethod
    def shape(self, shape) -> tuple:
        """The shape of one x.

        Args:
            shape: Shape of one input of the encoder.

        Returns:
            A tuple.

        Raises:
            ValueError: If the encoder does not fit.
        """

    @abc.abstractmethod
    def prepare(self, x) -> tf.Tensor:
        """Converts x to what the networks see, in the graph too.

        Args:
            x: A tensor or an array, shape (batch, ...).

        Returns:
            A float32 tensor of the shape of the encoder's input.
        """

    @abc.abstractmethod
    def loss(self, x, outputs) -> tf.Tensor:
        """The loss of a reconstruction.

        Args:
            x: What `prepare` returns.
            outputs: Outputs of the decoder, same shape.

        Returns:
            A scalar: the mean over the batch and over the terms of one x.
        """

    @abc.abstractmethod
    def errors(self, x, outputs) -> tf.Tensor:
        """The errors of a reconstruction, of which `evaluation.anomaly` makes a score.

        Args:
            x: What `prepare` returns.
            outputs: Outputs of the decoder, same shape.

        Returns:
            The error of each pixel or column of each x, in the form of x, shape (batch, ...).
        """

    @abc.abstractmethod
    def terms(self, x) -> int | tf.Tensor:
        """The number of terms over which `loss` is a mean, for one x.

        Args:
            x: What `prepare` returns.

        Returns:
            An integer, or an integer tensor.
        """

    def measure(self, parts) -> None:
        """Measures what `restore` needs to draw x from the outputs, if it needs anything.

        Args:
            parts: Iterable of pairs for some validation images or rows each: what `prepare`
                returns, and outputs of the decoder of the same shape.
        """
        del parts

    @abc.abstractmethod
    def restore(self, outputs, seed=None) -> tf.Tensor:
        """Converts outputs of the decoder to the form of x.

        Args:
            outputs: Outputs of the decoder, shape (batch, ...).
            seed: Integers of shape (2,) that draw x from the distribution that the decoder outputs;
                None for the means of numbers and the most probable categories.

        Returns:
            A float32 tensor in the form of x.
        """


def expect(condition, text, values):
    """Raises an error in a graph that `model.inputs.with_plain_errors` converts.

    Args:
        condition: Boolean scalar tensor: whether all is right.
        text: The message, which the smallest and the largest value follow.
        values: Tensor of the values.
    """

    def fail():
        extremes = tf.reduce_min(values), tf.reduce_max(values)
        received = tf.strings.format("{} to {}", extremes)
        message = tf.strings.join([_START, text, " ", received, _END])
        return tf.debugging.Assert(False, [message], summarize=1)

    tf.cond(condition, tf.no_op, fail)


# What encloses the message of a check in a data set: TensorFlow adds text before and after it.
_START, _END = "<check>", "</check>"


def in_stream(message):
    """Marks the message of a check of an element of a data set, for `message_in`."""
    return f"{_START}{message}{_END}"


def message_in(error):
    """The message of `in_stream` in an error, or None."""
    found = re.search(f"{_START}(.*?){_END}", str(error), re.DOTALL)
    return found and found[1]


def as_array(x):
    """An array or an eager tensor as an array; None for anything else."""
    if isinstance(x, np.ndarray):
        return x
    if tf.is_tensor(x) and hasattr(x, "numpy"):
        return x.numpy() if x.dtype != tf.bfloat16 else tf.cast(x, "float32").numpy()
    return None
