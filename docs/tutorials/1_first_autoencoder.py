# %% [markdown]
# # 1. Your first adversarial autoencoder
#
# An adversarial autoencoder (Makhzani et al. 2015, [arXiv 1511.05644](https://arxiv.org/abs/1511.05644))
# is an autoencoder whose codes follow a distribution that you choose. This tutorial writes the method out on
# one page, with Keras layers and `tf.GradientTape`. Then it trains the same model with the library.
#
# The data are the 1797 handwritten digits of scikit-learn, 8x8 pixels each. No download is needed.

# %%
import keras
import numpy as np
import tensorflow as tf

from adversarial_autoencoder import AdversarialAutoencoder, data, figures, priors
from adversarial_autoencoder.evaluation.prior_match import sliced_wasserstein

keras.utils.set_random_seed(0)
digits = data.load("digits")
x_train = digits.x_train.astype("float32") / 255
x_test = digits.x_test.astype("float32") / 255
print(x_train.shape, x_test.shape)

# %% [markdown]
# ## Three networks
#
# - The **encoder** maps an image x to a code z, here two numbers.
# - The **decoder** maps a code back to an image. It ends in logits; the sigmoid comes with the loss.
# - The **discriminator** looks at a code and says where it comes from. A positive logit means "from the prior".


# %%
def network(inputs, outputs, name):
    """A network with two hidden layers of 200 units."""
    x = keras.Input(inputs)
    h = keras.layers.Flatten()(x)
    for _ in range(2):
        h = keras.layers.Dense(200, activation="relu")(h)
    h = keras.layers.Dense(int(np.prod(outputs)))(h)
    return keras.Model(x, keras.layers.Reshape(outputs)(h), name=name)


encoder = network((8, 8, 1), (2,), "encoder")
decoder = network((2,), (8, 8, 1), "decoder")
discriminator = network((2,), (1,), "discriminator")

# %% [markdown]
# ## A prior
#
# The prior is the distribution that all codes together have to follow. The method needs only samples of it.
# We take a normal distribution with standard deviation 2 in both dimensions.


# %%
def sample_prior(n):
    """Samples of the prior, shape (n, 2)."""
    return 2.0 * tf.random.normal((n, 2))


# %% [markdown]
# ## Three updates for each minibatch
#
# 1. **Reconstruction.** Encoder and decoder lower the error between images and reconstructions.
# 2. **Discriminator.** It learns to tell samples of the prior (real, target 1) from codes (fake, target 0).
# 3. **Generator.** The encoder learns to make codes that the discriminator takes for samples of the prior.
#
# Each update moves only its own networks, and has its own optimizer. The encoder is in two updates, so it has
# two optimizers.

# %%
reconstruct_optimizer = keras.optimizers.Adam(1e-3)
discriminate_optimizer = keras.optimizers.Adam(5e-4)
generate_optimizer = keras.optimizers.Adam(5e-4)


def cross_entropy(target, logits):
    """Binary cross-entropy between a constant target, 0 or 1, and logits."""
    targets = target * tf.ones_like(logits)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits))


def update(optimizer, tape, loss, *networks):
    """Moves the weights of some networks down the gradient of a loss."""
    variables = [v for part in networks for v in part.trainable_variables]
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))


@tf.function
def train_step(x):
    """Trains all three networks on one minibatch."""
    with tf.GradientTape() as tape:
        images = tf.sigmoid(decoder(encoder(x)))
        reconstruction_loss = tf.reduce_mean(tf.square(images - x))
    update(reconstruct_optimizer, tape, reconstruction_loss, encoder, decoder)

    with tf.GradientTape() as tape:
        real, fake = sample_prior(len(x)), encoder(x)
        discriminator_loss = cross_entropy(1.0, discriminator(real))
        discriminator_loss += cross_entropy(0.0, discriminator(fake))
    update(discriminate_optimizer, tape, discriminator_loss, discriminator)

    with tf.GradientTape() as tape:
        generator_loss = cross_entropy(1.0, discriminator(encoder(x)))
    update(generate_optimizer, tape, generator_loss, encoder)
    return reconstruction_loss, discriminator_loss, generator_loss


# %% [markdown]
# That is the whole method. The training is a loop over minibatches.

# %%
batches = tf.data.Dataset.from_tensor_slices(x_train).shuffle(2000, seed=0)
batches = batches.batch(100, drop_remainder=True)
for epoch in range(1, 151):
    losses = np.mean([train_step(x) for x in batches], axis=0)
    if epoch in (1, 10, 50, 100, 150):
        shown = "reconstruction {:.4f}, discriminator {:.3f}, generator {:.3f}".format(*losses)
        print(f"epoch {epoch}: {shown}")

# %% [markdown]
# How to read the losses: where the discriminator cannot tell the two apart, its loss is 2 log 2 = 1.386 and the
# loss of the generator is log 2 = 0.693. They do not fall to 0, and they should not.
#
# ## What has it learned?
#
# On the left are the codes of the test images, coloured by class. The training used no labels. On the right
# are samples of the prior.

# %%
z, z_prior = encoder(x_test).numpy(), sample_prior(len(x_test)).numpy()
figures.latent_scatter(z, z_prior, digits.y_test, digits.class_names)

# %% [markdown]
# A number says how close the two distributions are: the sliced Wasserstein distance, in standard deviations of
# the prior. Its floor is the distance between two samples of the prior of this size.

# %%
floor = sliced_wasserstein(sample_prior(len(z)).numpy(), z_prior)
print(f"distance {sliced_wasserstein(z, z_prior):.3f}, floor {floor:.3f}")

# %% [markdown]
# ## The same with the library
#
# The library runs these three updates for every model. You give it the networks and the prior. It takes
# images as integers in 0 to 255 or as floats in [0, 1]. `compile()` without arguments sets an optimizer for
# each update, and learning rates that fall over the length of `fit`.

# %%
prior = priors.Gaussian(std=2.0)
model = AdversarialAutoencoder(
    encoder=network((8, 8, 1), (2,), "encoder"),
    decoder=network((2,), (8, 8, 1), "decoder"),
    discriminator=network((2,), (1,), "discriminator"),
    prior=prior,
)
model.compile()
history = model.fit(digits.x_train, batch_size=100, epochs=150, verbose=0).history
print({name: round(values[-1], 4) for name, values in history.items()})

# %%
z = model.encode(digits.x_test)
z_prior = priors.draw(prior, len(z), 2)
print(f"distance {sliced_wasserstein(z, z_prior):.3f}")
figures.histograms(z, z_prior)

# %% [markdown]
# Each panel shows the codes (blue) over the prior (grey): all dimensions together, then each one.
#
# The codes fill the prior, so each sample of the prior decodes to an image. A regular grid of codes shows the
# whole latent space.

# %%
figures.latent_grid(model, size=12, inches=5)

# %% [markdown]
# ## Continue
#
# - [Priors](2_priors.md): other shapes of the latent space.
# - [The method](../method.md): the equations, next to the code of the library.
