# %% [markdown]
# # 3. Few labels
#
# Labels cost work, images often do not. The semi-supervised adversarial autoencoder (Makhzani et al. 2015,
# section 5) learns from all images, and from the labels that there are. Its encoder infers two codes: the
# class y and the style z. Here 50 of the 1249 training digits have a label.

# %%
import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

from adversarial_autoencoder import Config, data, figures, training

keras.utils.set_random_seed(0)
digits = data.load("digits")
labels = data.known_labels(digits.y_train, 50, num_classes=10, seed=0)
known = labels >= 0  # -1 stands for "unlabelled".
print(np.bincount(labels[known]), "labels of each class")

# %% [markdown]
# ## What a classifier does with the labelled images alone

# %%
x_train, x_test = (x.reshape(len(x), -1) / 255.0 for x in (digits.x_train, digits.x_test))
alone = LogisticRegression(max_iter=1000).fit(x_train[known], labels[known])
alone_error = np.mean(alone.predict(x_test) != digits.y_test)
print(f"logistic regression: test error {alone_error:.1%}")

# %% [markdown]
# ## The model
#
# The system has four phases for each minibatch:
#
# 1. reconstruction of the images from y and z;
# 2. an adversarial phase on y: all predicted classes together look like one-hot vectors;
# 3. an adversarial phase on z: the styles follow a normal distribution;
# 4. classification: cross-entropy on the labelled images. It includes virtual adversarial training, which asks
#    that a small change of an image does not change its class, also for images without a label.
#
# `Config` has the settings of the command line. `training.build` makes the networks and the phases.

# %%
config = Config.of(
    model="semi_supervised_aae", num_labels=50, z_dim=5, hidden_units=200, epochs=100, seed=0
)
config = config.for_data(**digits.sizes)
model = training.build(config, digits.image_shape)
steps_per_epoch = len(digits.x_train) // config.batch_size
model.compile(training.make_optimizer(config, model.steps, steps_per_epoch))
print([type(phase).__name__ for phase in model.phases])

# %% [markdown]
# ## Train
#
# `fit` takes all images and the labels with -1.

# %%
model.fit(digits.x_train, labels, batch_size=config.batch_size, epochs=config.epochs, verbose=0)
predicted = model.classify(digits.x_test).argmax(axis=1)
error = np.mean(predicted != digits.y_test)
print(f"adversarial autoencoder: test error {error:.1%}, instead of {alone_error:.1%}")

# %% [markdown]
# The table shows which classes it confuses.

# %%
from adversarial_autoencoder.evaluation.classification import confusion

figures.confusion(confusion(digits.y_test, predicted, 10), digits.class_names)

# %% [markdown]
# ## Class and style are separate
#
# Each row keeps the style z of one test image, and each column has another class. The first column is the image
# itself. Slant and width stay the same in a row.

# %%
z = model.encode(digits.x_test[:6])
figures.style_grid(model, z, digits.class_names, digits.x_test[:6])

# %% [markdown]
# ## Continue
#
# - On the command line: `python run.py --mode train --model semi_supervised_aae --num_labels 100`, then
#   `--mode style_grid`. On MNIST, [Results](../results.md) has the error rates of 100 and 1000 labels.
# - [Clusters](4_clusters.md): no labels at all.
