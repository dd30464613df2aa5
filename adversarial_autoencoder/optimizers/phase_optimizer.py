"""One Keras optimizer that owns one for each step of the procedure."""

import keras
import tensorflow as tf

from adversarial_autoencoder.optimizers.schedules import CosineOverFit


@keras.saving.register_keras_serializable("adversarial_autoencoder")
class PhaseOptimizer(keras.optimizers.Optimizer):
    """Owns one Keras optimizer for each step, each with its own state and learning rate.

    Several steps of the procedure update the encoder, each with its own optimizer state.
    (`keras.optimizers.MultiOptimizer` gives every variable exactly one optimizer.) Keras expects a
    single `model.optimizer`, and this is it: saving, resuming, and callbacks that read
    `.optimizers` or `.iterations` work as with any model.

    Example:
    >>> optimizer = PhaseOptimizer.copies({"reconstruction": "adam", "generator": "sgd"})
    >>> [type(step).__name__ for step in optimizer.optimizers]
    ['Adam', 'SGD']

    Args:
        optimizers: Dict from the name of a step ("reconstruction", "discriminator", ...) to a Keras
            optimizer. Each takes the name of its step, under which its learning rate is logged.
        name: Name of this optimizer.
    """

    def __init__(self, optimizers, name="phase_optimizer"):
        super().__init__(learning_rate=0.0, name=name)
        self.steps = dict(optimizers)
        for step, optimizer in self.steps.items():
            optimizer.name = step

    @classmethod
    def copies(cls, optimizers):
        """Makes a `PhaseOptimizer` of copies, so that no two steps share a state.

        Args:
            optimizers: Dict from the name of a step to a Keras optimizer or its name.

        Returns:
            The `PhaseOptimizer`.
        """
        optimizers = {step: keras.optimizers.get(value) for step, value in optimizers.items()}
        return cls(
            {
                step: optimizer.from_config(optimizer.get_config())
                for step, optimizer in optimizers.items()
            }
        )

    @property
    def learning_rate(self):
        """The learning rate of the first step. Setting it scales all steps in proportion."""
        return tf.convert_to_tensor(self.optimizers[0].learning_rate)

    @learning_rate.setter
    def learning_rate(self, learning_rate):
        before = [float(optimizer.learning_rate) for optimizer in self.optimizers]
        if not before[0]:
            raise ValueError("The learning rate is 0: set that of each of optimizer.steps instead.")
        for optimizer, rate in zip(self.optimizers, before, strict=True):
            optimizer.learning_rate = rate * float(learning_rate) / before[0]

    @property
    def optimizers(self):
        """The optimizers of the steps, a list."""
        return list(self.steps.values())

    def build(self, var_lists):
        """Creates the state of every optimizer.

        Args:
            var_lists: Dict from the name of a step to the variables that it updates.

        Raises:
            ValueError: If an optimizer was built with other variables before.
        """
        for step, variables in var_lists.items():
            built = self.steps[step]._trainable_variables
            if built and [id(v) for v in built] != [id(v) for v in variables]:
                raise ValueError(
                    f"The step {step} must update the variables that its optimizer was built with. "
                    "Compile with a new optimizer. "
                    f"Received: {len(variables)} variables instead of {len(built)}"
                )
            if variables and not built:  # A step of frozen networks updates nothing.
                self.steps[step].build(variables)
        self.built = True

    def variables_of(self, step):
        """The variables that a step updates.

        Args:
            step: Name of the step.

        Returns:
            A list of variables.
        """
        return self.steps[step]._trainable_variables

    def plan(self, done, steps):
        """Tells the schedules of type `CosineOverFit` the length of a call of `fit`.

        Args:
            done: Number of its training steps that were done before.
            steps: Number of training steps, infinite for constant rates.
        """
        for optimizer in self.optimizers:
            if isinstance(optimizer._learning_rate, CosineOverFit):
                optimizer._learning_rate.plan(float(optimizer.iterations) - done, steps)

    def update(self, step, gradients, variables):
        """Applies the gradients of one step.

        Args:
            step: Name of the step.
            gradients: List of tensors.
            variables: The variables, in the order of `variables_of`.
        """
        self.steps[step].apply(gradients, variables)

    def apply(self, grads, trainable_variables=None):
        """Raises TypeError: there is no single update."""
        raise TypeError(
            "PhaseOptimizer has no single update. Call update(step, gradients, variables)."
        )

    def finalize_variable_values(self, var_list):
        """Lets each optimizer write its final values, such as averaged weights."""
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(optimizer._trainable_variables)

    def get_config(self):
        """The constructor's arguments, for saving."""
        return {
            "optimizers": {
                step: keras.optimizers.serialize(optimizer)
                for step, optimizer in self.steps.items()
            },
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Makes the optimizer that `get_config` describes."""
        optimizers = {
            step: keras.optimizers.deserialize(optimizer, custom_objects)
            for step, optimizer in config["optimizers"].items()
        }
        return cls(optimizers, name=config["name"])
