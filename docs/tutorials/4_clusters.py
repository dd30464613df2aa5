# %% [markdown]
# # 4. Clusters
#
# Without any label, the code y becomes a cluster: the clustering adversarial autoencoder (Makhzani et al. 2015,
# section 6) sorts images into a given number of groups, and describes the rest by the style z.

# %%
import keras
import numpy as np

from adversarial_autoencoder import Config, data, figures, training
from adversarial_autoencoder.evaluation.clustering import (
    name_by_majority,
    named_error,
    normalized_mutual_information,
)

keras.utils.set_random_seed(0)
digits = data.load("digits")

# %% [markdown]
# ## The model
#
# We ask for 16 clusters. There are ten digits, and more clusters than classes make it possible that each one
# holds images of one digit only: a digit that people write in two ways can have two clusters.
#
# With the defaults of the system, an update of its own keeps the clusters apart: it asks that similar images are
# in the same cluster (virtual adversarial training), and that each image belongs clearly to one cluster while all
# clusters are used (mutual information).

# %%
config = Config.of(model="clustering_aae", num_clusters=16, z_dim=3, hidden_units=200, epochs=100)
config = config.for_data(**digits.sizes)
model = training.build(config, digits.image_shape)
steps_per_epoch = len(digits.x_train) // config.batch_size
model.compile(training.make_optimizer(config, model.steps, steps_per_epoch))
history = model.fit(digits.x_train, batch_size=config.batch_size, epochs=config.epochs, verbose=0)

# %% [markdown]
# ## Look at the clusters
#
# Each row is a cluster: first the image that the decoder gives for it with the style 0, then its most probable
# test images.

# %%
figures.cluster_grid(model, digits.x_test, columns=10)

# %% [markdown]
# ## Measure them
#
# Labels are used only now. Each cluster is named after the digit that most validation images in it have. The
# error is the share of test images whose digit differs from the name of their cluster.

# %%
clusters = model.classify(digits.x_validation).argmax(axis=1)
names = name_by_majority(digits.y_validation, clusters, 16)
test_clusters = model.classify(digits.x_test).argmax(axis=1)
print("clusters in use:", len(np.unique(test_clusters)))
print(f"error: {named_error(digits.y_test, test_clusters, names):.1%}")
print(f"mutual information: {normalized_mutual_information(digits.y_test, test_clusters):.2f}")

# %% [markdown]
# For comparison, k-means with as many clusters on the pixels:

# %%
from sklearn.cluster import KMeans

pixels = [x.reshape(len(x), -1) for x in (digits.x_train, digits.x_validation, digits.x_test)]
kmeans = KMeans(16, n_init=5, random_state=0).fit(pixels[0])
k_names = name_by_majority(digits.y_validation, kmeans.predict(pixels[1]), 16)
print(f"k-means error: {named_error(digits.y_test, kmeans.predict(pixels[2]), k_names):.1%}")

# %% [markdown]
# On 1249 small and centred images, k-means on the pixels is a strong baseline, and this model is not better in
# the error. It gives more than a label, though: a style for each image, and new images of each cluster. On
# MNIST, with more and larger images, its error with 16 clusters is 6 % ([Results](../results.md)).
#
# ## New images of a cluster
#
# The decoder needs a cluster and a style. With one cluster in each row and styles from the prior, each row shows
# what varies within a cluster.

# %%
figures.samples(model, columns=12)

# %% [markdown]
# ## Continue
#
# - On the command line: `python run.py --mode train --model clustering_aae`, then `--mode cluster_grid`.
# - [Anomaly detection](5_anomalies.md): rows of a table instead of images.
