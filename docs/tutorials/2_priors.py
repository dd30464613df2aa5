# %% [markdown]
# # 2. Priors
#
# The prior decides the shape of the latent space. An adversarial autoencoder needs only samples of its prior,
# not a density, so any sampler will do. This tutorial trains the same networks with three priors: a normal
# distribution, a mixture, and a ring that we write ourselves.

# %%
import keras
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, data, figures, networks, priors
from adversarial_autoencoder.evaluation.prior_match import sliced_wasserstein

digits = data.load("digits")

# %% [markdown]
# ## Your own prior
#
# A prior is a function of the number of samples, the number of dimensions, and a seed. The functions
# `tf.random.stateless_*` give the same samples for the same seed, so a resumed training repeats nothing.
#
# Keras finds a registered function again when it loads the model.


# %%
@keras.saving.register_keras_serializable("tutorial")
def ring(n, dim, seed):
    """Points near a circle of radius 6."""
    noise = tf.random.stateless_normal((n, dim), seed)
    angle = 2 * 3.14159 * tf.random.stateless_uniform((n, 1), seed + 1)
    return 6.0 * tf.concat([tf.cos(angle), tf.sin(angle)], axis=1) + 0.5 * noise


# %% [markdown]
# ## Train one model for each prior
#
# `networks.encoder(..., prior=prior)` normalizes the codes to the mean and the standard deviation of the prior.
# The adversarial phase then has only the shape to learn.
#
# A shape with holes takes longer to learn than a cloud. For such shapes we train the discriminator and the encoder
# faster than the defaults do: `compile` takes one optimizer for each step of the training.


# %%
def fast():
    """One optimizer for each step."""
    return {
        "reconstruction": keras.optimizers.Adam(1e-3),
        "discriminator": keras.optimizers.Adam(1e-3, beta_1=0.5),
        "generator": keras.optimizers.Adam(1e-3, beta_1=0.5),
    }


def trained(prior, *optimizers):
    """A model that is trained with a prior, and the codes of the test images."""
    keras.utils.set_random_seed(0)
    model = AdversarialAutoencoder(
        encoder=networks.encoder((8, 8, 1), z_dim=2, hidden_units=200, prior=prior),
        decoder=networks.decoder((8, 8, 1), z_dim=2, hidden_units=200),
        discriminator=networks.discriminator(2, hidden_units=200, prior=prior),
        prior=prior,
    )
    model.compile(*optimizers)
    model.fit(digits.x_train, batch_size=50, epochs=80, verbose=0)
    return model, model.encode(digits.x_test)


def shown(z, prior):
    """The codes next to samples of the prior, and how close the two are."""
    z_prior, other = (priors.draw(prior, len(z), 2, seed=seed) for seed in (0, 1))
    distance, floor = (sliced_wasserstein(points, z_prior) for points in (z, other))
    print(f"distance to the prior {distance:.3f}, between two samples of the prior {floor:.3f}")
    return figures.latent_scatter(z, z_prior, digits.y_test, digits.class_names, panel_inches=4)


# %% [markdown]
# ## A normal distribution
#
# The usual choice. The codes lie in one cloud, and neighbours in it look alike.

# %%
gaussian = priors.Gaussian(std=5.0)
model, z = trained(gaussian)
shown(z, gaussian)

# %% [markdown]
# ## A mixture
#
# Ten elongated normal distributions on a circle. Nothing says which class belongs to which component: the
# model finds an assignment that reconstructs well.

# %%
mixture = priors.GaussianMixture(num_components=10)
model, z = trained(mixture, fast())
shown(z, mixture)

# %% [markdown]
# ## The ring
#
# Our own sampler works like the others. The classes share the ring, and few codes are in its middle.

# %%
model, z = trained(ring, fast())
shown(z, ring)

# %% [markdown]
# Samples of the ring decode to digits:

# %%
figures.samples(model, rows=4, columns=10)

# %% [markdown]
# ## Continue
#
# - On the command line: `python run.py --mode train --z_dim 2 --prior swiss_roll`. A Swiss roll needs more
#   images and a longer training than this tutorial has; [Explore](../explore.md) shows one of MNIST.
# - A mixture or a Swiss roll can have one component for each class, with `--condition_prior_on_labels`:
#   [Systems](../systems.md).
# - [Few labels](3_few_labels.md): a second code for the class.
