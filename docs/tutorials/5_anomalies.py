# %% [markdown]
# # 5. Anomaly detection on a table
#
# A model that was trained on normal rows only should find other rows unusual. An adversarial autoencoder gives
# two signs of that: a row is reconstructed badly, or its code is far outside the prior.
#
# The data are 569 tumours, each with 30 measurements of cell nuclei (the breast cancer data of scikit-learn).
# The model sees benign tumours only. Then it scores benign and malignant ones that it has not seen.

# %%
import keras
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score

from adversarial_autoencoder import AdversarialAutoencoder, figures, networks, observations, priors
from adversarial_autoencoder.tables import Schema

keras.utils.set_random_seed(0)
cancer = load_breast_cancer()
x = cancer.data.astype("float32")
benign, malignant = x[cancer.target == 1], x[cancer.target == 0]
benign = benign[np.random.default_rng(0).permutation(len(benign))]
x_train, x_normal = benign[:250], benign[250:]
x_test = np.concatenate([x_normal, malignant])
is_anomaly = np.arange(len(x_test)) >= len(x_normal)
print(len(x_train), "rows to train on,", len(x_normal), "normal,", len(malignant), "anomalies")

# %% [markdown]
# ## A model of rows
#
# `observations.Columns` describes the columns of a table. It standardizes numbers with the mean and the standard
# deviation of the training rows, and reconstructs each column with a loss that fits its kind.

# %%
schema = Schema.of_array(x_train, [name.replace(" ", "_") for name in cancer.feature_names])
prior = priors.Gaussian(std=1.0)
model = AdversarialAutoencoder(
    encoder=networks.encoder((schema.width,), z_dim=4, hidden_units=64, prior=prior),
    decoder=networks.decoder((schema.width,), z_dim=4, hidden_units=64),
    discriminator=networks.discriminator(4, hidden_units=64, prior=prior),
    prior=prior,
    observation=observations.Columns(schema),
)
model.compile()
history = model.fit(x_train, batch_size=50, epochs=200, verbose=0)

# %% [markdown]
# ## Two scores
#
# - The **reconstruction error**: the squared difference in standard deviations of each column, averaged over the
#   columns.
# - The **distance of the code**: |z|² in standard deviations of the prior. For a normal prior, this is the
#   negative log density up to a factor and a constant.

# %%
scale = x_train.std(axis=0)
error = np.square((model.predict(x_test, verbose=0) - x_test) / scale).mean(axis=1)
distance = np.square(model.encode(x_test) / 1.0).sum(axis=1)

# %% [markdown]
# The area under the ROC curve is the probability that an anomaly has a higher score than a normal row: 1 is
# perfect, 0.5 is chance. The sum of the logarithms uses both signs.

# %%
for name, score in {
    "reconstruction error": error,
    "distance of the code": distance,
    "both": np.log(error) + np.log(distance),
}.items():
    print(f"{name}: AUROC {roc_auc_score(is_anomaly, score):.3f}")

# %% [markdown]
# ## Look at the scores
#
# Each point is a row. Up: badly reconstructed. Right: its code is far from the centre of the prior.

# %%
figure = figures.Figure(6, 4.5)
axes = figure.subplots()
for kind, name in ((False, "normal"), (True, "anomaly")):
    chosen = is_anomaly == kind
    axes.scatter(distance[chosen], error[chosen], s=14, alpha=0.7, label=name)
axes.set(xscale="log", yscale="log", xlabel="distance of the code", ylabel="reconstruction error")
axes.legend()
figure

# %% [markdown]
# ## Which columns are unusual?
#
# The error of each column says why a row is an anomaly. These are the columns with the largest mean error of the
# malignant tumours.

# %%
by_column = np.square((model.predict(malignant, verbose=0) - malignant) / scale).mean(axis=0)
for i in np.argsort(-by_column)[:5]:
    print(f"{schema.names[i]}: {by_column[i]:.1f}")

# %% [markdown]
# ## Choose a threshold
#
# Anomalies are usually unknown when you choose the threshold. A quantile of the scores of normal rows that were
# not trained on sets the rate of false alarms instead. Here we use 50 of the normal test rows for it.

# %%
score = np.log(error) + np.log(distance)
held_out, rest = score[:50], score[50:]
threshold = np.quantile(held_out, 0.95)
rest_is_anomaly = is_anomaly[50:]
print(f"false alarms: {np.mean(rest[~rest_is_anomaly] > threshold):.1%}")
print(f"found anomalies: {np.mean(rest[rest_is_anomaly] > threshold):.1%}")

# %% [markdown]
# ## Continue
#
# - [Tables](../tables.md): CSV and Parquet files, categories and missing values.
# - [Your own networks and phase](6_own_parts.md): change the model itself.
