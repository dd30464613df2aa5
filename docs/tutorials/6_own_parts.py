# %% [markdown]
# # 6. Your own networks and your own phase
#
# A model is a set of codes and an ordered list of phases. The networks are ordinary Keras models, and a phase is
# a small class. This tutorial writes both: convolutional networks, and a phase that makes the code predict
# something that you know about each image.

# %%
import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder import (
    AdversarialAutoencoder,
    data,
    figures,
    load_model,
    networks,
    phases,
    priors,
)

keras.utils.set_random_seed(0)
digits = data.load("digits")

# %% [markdown]
# ## Your own networks
#
# The encoder ends in the code. The decoder ends in logits of the images, without an activation. The constructor
# of the model checks the shapes.

# %%
layers = keras.layers
encoder = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(2),
    ]
)
decoder = keras.Sequential(
    [
        keras.Input((2,)),
        layers.Dense(2 * 2 * 64, activation="relu"),
        layers.Reshape((2, 2, 64)),
        layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
    ]
)

# %% [markdown]
# ## Your own phase
#
# We want the first dimension of z to order the digits by the amount of ink: thin ones on the left, bold ones on
# the right. The prior alone does not say which direction means what.
#
# A phase has three parts:
#
# - `metrics`: the names of what it reports;
# - `steps`: what it updates. A step has a name, a kind, which sets the default learning rate, and its networks;
# - `loss_and_metrics`: the loss on one minibatch. `batch.x` are the images in [0, 1].
#
# The loss asks that the first dimension of z and the ink of the images are correlated.


# %%
@keras.saving.register_keras_serializable("tutorial")
class OrderByInk(phases.Phase):
    """Lowers 1 minus the correlation between the first dimension of z and the ink of an image.

    Args:
        weight: Weight of the loss.
    """

    metrics = ("ink_correlation",)

    def __init__(self, weight=0.02):
        super().__init__()
        self.weight = weight

    def steps(self, model):
        return [phases.Step("order", "reconstruction", [model.encoder])]

    def loss_and_metrics(self, model, batch, training):
        _, codes = model.codes.infer(batch, training)
        ink = tf.reduce_mean(batch.x, axis=[1, 2, 3])
        correlation = tf.reduce_mean(standardized(ink) * standardized(codes["z"][:, 0]))
        return self.weight * (1 - correlation), {"ink_correlation": correlation}

    def get_config(self):
        return {"weight": self.weight}


def standardized(values):
    """Values with mean 0 and standard deviation 1."""
    return (values - tf.reduce_mean(values)) / (tf.math.reduce_std(values) + 1e-6)


# %% [markdown]
# ## Put it together
#
# The phases run in this order on each minibatch. The model keeps a separate optimizer for each step. `compile()`
# chooses them; a dict from the names of the steps sets each one.

# %%
prior = priors.Gaussian(std=2.0)
model = AdversarialAutoencoder(
    encoder=encoder,
    decoder=decoder,
    discriminator=networks.discriminator(2, hidden_units=200, prior=prior),
    prior=prior,
    phases=[phases.Reconstruction(), phases.Regularization("z"), OrderByInk()],
)
print([*model.steps])
model.compile()
history = model.fit(digits.x_train, batch_size=100, epochs=120, verbose=0).history
print({name: round(values[-1], 3) for name, values in history.items()})

# %% [markdown]
# ## Did it work?
#
# The grid should become bolder from left to right.
#
# A phase that pulls at the codes can also move them away from the prior. The histograms below show that here: the
# codes are to the right of the prior in the first dimension, so the left of the grid has few training images.

# %%
figures.latent_grid(model, size=10, inches=5)

# %%
z = model.encode(digits.x_test)
ink = digits.x_test.mean(axis=(1, 2, 3))
print(f"correlation on test images: {np.corrcoef(z[:, 0], ink)[0, 1]:.2f}")
figures.histograms(z, priors.draw(prior, len(z), 2))

# %% [markdown]
# ## Save and load
#
# The file has the networks, the prior, the phases and the state of the optimizers. Keras finds the class of the
# phase because it is registered.

# %%
model.save("own.keras")
assert np.allclose(load_model("own.keras").encode(digits.x_test), z, atol=1e-4)

# %% [markdown]
# ## Continue
#
# - [Extending](../extending.md): add a loss, a prior or a system to the package, with a flag.
# - [Library](../library.md): optimizers, callbacks and measures.
