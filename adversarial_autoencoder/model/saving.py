"""How a model is saved, loaded and exported."""

import keras
import tensorflow as tf

from adversarial_autoencoder.config.paths import expand_home
from adversarial_autoencoder.model.float32 import compute_types, float32_copy
from adversarial_autoencoder.runs.durable import atomic


class Saving(keras.Model):
    """The part of `AdversarialAutoencoder` that saves it. Not for direct use."""

    def save(self, filepath, overwrite=True, **kwargs) -> None:
        """Saves the model with its optimizers; a file is written whole or not at all.

        Args:
            filepath: Path of the file, which ends in .keras.
            overwrite: Whether to replace an existing file; if not, Keras asks.
            **kwargs: Further arguments of `keras.Model.save`.

        Raises:
            ValueError: If the path does not end in .keras.
        """
        if "://" in str(filepath):  # A place that Keras writes to by itself.
            super().save(filepath, overwrite=overwrite, **kwargs)
            return
        path = expand_home(filepath, "filepath")
        if path.suffix != ".keras":
            raise ValueError(
                "The path must end in .keras, the only format that keeps all parts of the model. "
                f"Received: {path}"
            )
        if path.exists() and not overwrite:
            super().save(path, overwrite=False, **kwargs)
            return
        with atomic(path) as temporary:
            super().save(temporary, **kwargs)

    def export(self, filepath, format="tf_saved_model", **kwargs) -> None:
        """Exports the reconstruction of images, like `keras.Model.export`.

        A model that computes in bfloat16 or float16 is exported in float32: other programs run
        these types on few devices, or not at all.

        Args:
            filepath: Path of the folder or file.
            format: "tf_saved_model" or another format of Keras.
            **kwargs: Further arguments of `keras.Model.export`.
        """
        if compute_types(*self._networks()) & {"bfloat16", "float16"}:
            self._in_float32().export(filepath, format, **kwargs)
            return
        signature = [keras.InputSpec("float32", (None, *self.image_shape))]
        if self.codes.needs_y:
            signature.append(keras.InputSpec("int32", (None,)))
        # Keras exports only a model that was called.
        self(*(tf.zeros([side or 1 for side in spec.shape], spec.dtype) for spec in signature))
        filepath = str(expand_home(filepath, "filepath"))
        super().export(filepath, format=format, **{"input_signature": signature} | kwargs)

    def _networks(self):
        return [self.encoder, self.decoder, *self.discriminators.values()]

    def _in_float32(self):
        """A copy of the model that computes in float32."""
        encoder, decoder, *others = map(float32_copy, self._networks())
        return type(self)(
            encoder,
            decoder,
            dict(zip(self.discriminators, others, strict=True)) or None,
            prior=self.priors,
            posterior=self.posterior,
            reconstruction_loss=self.reconstruction_loss,
            observation=self.observation,
            phases=list(self.phases),
            seed=self.seed,
            name=self.name,
        )

    def save_own_variables(self, store):
        """Saves the states of the random generators, which Keras leaves out of its files.

        Without them a resumed training would repeat the noise of dropout.
        """
        for i, state in enumerate(self._seed_states()):
            store[f"seed_{i}"] = state.numpy()

    def load_own_variables(self, store):
        """Loads what `save_own_variables` saves."""
        for i, state in enumerate(self._seed_states()):
            state.assign(store[f"seed_{i}"])

    def _seed_states(self):
        return [variable for variable in self.variables if variable.name == "seed_generator_state"]

    def get_config(self):
        """The constructor's arguments, for saving."""
        parts = {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "discriminator": dict(self.discriminators) or None,
            "prior": self.priors,
            "observation": self.observation,
            "phases": list(self.phases),
        }
        return {
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
            "posterior": self.posterior,
            "reconstruction_loss": self.reconstruction_loss,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Makes the model that `get_config` describes."""
        return cls(**keras.saving.deserialize_keras_object(config, custom_objects))

    def get_compile_config(self):
        """The arguments of `compile`, for saving; None if the model is not compiled."""
        if not self.compiled:
            return None
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config):
        """Compiles the model as `get_compile_config` describes."""
        self.compile(**keras.saving.deserialize_keras_object(config))
