"""The report of a trained model: the values of all measures, by name."""

import math
from typing import NamedTuple

import numpy as np

from adversarial_autoencoder import phases, priors
from adversarial_autoencoder.data import Dataset
from adversarial_autoencoder.data.checks import UNLABELLED
from adversarial_autoencoder.data.dataset import labels_or_none
from adversarial_autoencoder.evaluation import (
    classification,
    clustering,
    gaussian_mixture,
    generation,
    parzen,
    prior_match,
    reconstruction,
    rows,
)
from adversarial_autoencoder.evaluation.features import Features
from adversarial_autoencoder.model import AdversarialAutoencoder
from adversarial_autoencoder.observations.pixels import to_unit_interval

# Limits for time and memory: images, codes or samples of each kind, and numbers in all of them.
MAX_IMAGES, MAX_NUMBERS = 10_000, 2**25

# A mixture with many components needs more codes than the other measures.
MAX_MIXTURE_CODES = 50_000

# Rows of a table whose loss is computed at once.
BATCH = 1000

# With fewer training, validation or test images, some measures are undefined.
MIN_IMAGES = 10

# The search for the Parzen kernel width computes many estimates, so it uses fewer images.
SIGMA_IMAGES = 1000


class Report(NamedTuple):
    """What `measure` finds.

    Args:
        metrics: Finite numbers by names in `METRICS`.
        columns: For each column of a table two distances to the test rows, by the name of the
            column: that of the generated rows, and that of the validation rows. Empty for images.
    """

    metrics: dict[str, float]
    columns: dict[str, tuple[float, float]]


def measure(
    model: AdversarialAutoencoder,
    dataset: Dataset,
    features: Features | None = None,
    sampler: str = "prior",
    max_images: int = MAX_IMAGES,
) -> Report:
    """Measures a trained model on the test images of its data set.

    The report contains only the measures that apply. Measures of classes need labels; they leave
    out images with the label -1, "unlabelled". A model whose decoder needs the label of each image
    is measured on labelled images only. The distances `fid` and `kid`, `precision` and `recall`
    need features.

    Args:
        model: The trained model.
        dataset: A `data.Dataset` with at least `MIN_IMAGES` training, validation and test images.
            The validation images select hyperparameters, such as the Parzen kernel width.
        features: Features from a classifier trained on this data set, or None.
        sampler: Source of the codes z of generated images: "prior", or "gaussian_mixture" for a
            mixture fitted to the codes of training images.
        max_images: Maximum number of images, codes or samples of each kind, except for the codes
            of the mixture. Large images have a lower limit.

    Returns:
        A `Report`.
    """
    if model.codes.needs_y:
        dataset = dataset.held_out_with_labels()
    limit = _limit(model, dataset, max_images)
    schema = dataset.schema
    x, x_validation = (
        to_unit_interval(part[:limit]).numpy() if schema is None else part[:limit]
        for part in (dataset.x_test, dataset.x_validation)
    )
    x_train = dataset.x_train[:limit]
    y, y_validation, y_train = (
        None if labels is None else labels_or_none(labels[:limit])
        for labels in (dataset.y_test, dataset.y_validation, dataset.y_train)
    )
    report = {
        "seed": model.seed,
        "num_test_images": len(x),
        "num_training_images": len(x_train),
    }
    inferred = model.classify(x) if model.infers_y else None
    weights = inferred if model.infers_y else y if model.num_classes else None
    z = model.encode(x)
    reconstructed = model.decode_array(z, weights)
    if schema is None:
        report |= _reconstruction(x, reconstructed)
    else:
        report |= rows.reconstruction(x, reconstructed, schema)
        report["columns_loss"] = _columns_loss(model, x, z, weights)
    report |= _prior_match(model, x) | _training_match(model, dataset.x_train, len(x))
    if model.infers_y:
        report |= _classes(model, x_validation, y_validation, inferred, y)
    if y is not None:
        report |= _codes(model, x_train, y_train, x, y)
    z = None
    if sampler == "gaussian_mixture":
        codes = mixture_codes(model, dataset)
        mixture = gaussian_mixture.fit(codes)
        z = gaussian_mixture.sample(mixture, limit)
        report["num_codes_gaussian_mixture"] = len(codes)
        report["num_components_gaussian_mixture"] = mixture.n_components
    generated, columns = model.generate_array(limit, z=z), {}
    if schema is None:
        of_generated = _parzen(x, x_validation, generated)
    else:
        of_generated, floors, columns = _columns(x, x_validation, generated, schema)
        report |= floors
    if features is not None:
        of_features, found = _features(features, x, x_validation, reconstructed, generated, y)
        report |= found
        of_generated = of_features | of_generated
    suffix = "" if sampler == "prior" else f"_{sampler}"
    report |= {f"{name}{suffix}": value for name, value in of_generated.items()}
    finite = {name: value for name, value in report.items() if np.isfinite(value)}
    return Report(finite, columns)


def mixture_codes(model: AdversarialAutoencoder, dataset: Dataset) -> np.ndarray:
    """Encodes the training images that a Gaussian mixture is fitted to.

    Args:
        model: The trained model.
        dataset: The `data.Dataset` of its training.

    Returns:
        Codes drawn from the posterior, a float32 array of shape (n, z_dim). n is at most
        `MAX_MIXTURE_CODES`, and lower for large images.
    """
    return model.encode(dataset.x_train[: _limit(model, dataset, MAX_MIXTURE_CODES)], seed=0)


def mixture_sample(model: AdversarialAutoencoder, dataset: Dataset, n: int) -> np.ndarray:
    """Samples a Gaussian mixture that is fitted to the codes of training images.

    Args:
        model: The trained model.
        dataset: The `data.Dataset` of its training.
        n: Number of samples, >= 1.

    Returns:
        Codes, a float32 array of shape (n, z_dim).
    """
    return gaussian_mixture.sample(gaussian_mixture.fit(mixture_codes(model, dataset)), n)


def _limit(model, dataset, max_images):
    numbers = max(model.z_dim, math.prod(dataset.image_shape))
    return max(MIN_IMAGES, min(max_images, MAX_NUMBERS // numbers))


def _reconstruction(x, reconstructed):
    return {
        "mse": reconstruction.mean_squared_error(x, reconstructed),
        "bce": reconstruction.binary_cross_entropy(x, reconstructed),
        "psnr": reconstruction.peak_signal_to_noise_ratio(x, reconstructed),
        "ssim": reconstruction.structural_similarity(x, reconstructed),
    }


def _columns_loss(model, x, z, weights):
    """The loss of the reconstruction phase, in batches."""
    batches = [slice(i, i + BATCH) for i in range(0, len(x), BATCH)]
    losses = [
        model.loss_of(x[part], z[part], None if weights is None else weights[part])
        for part in batches
    ]
    return float(np.average(losses, weights=[len(x[part]) for part in batches]))


def _prior_match(model, x):
    # The prior is matched by samples of the posteriors, not by their means.
    z = model.encode(x, seed=0)
    z_prior, other, third = (priors.draw(model.prior, len(z), model.z_dim, i) for i in range(3))
    ks = prior_match.kolmogorov_smirnov(z, z_prior)
    # gaps_floor would be exactly the default share if the radius came from the same samples.
    radius = prior_match.gap_radius(other, third)
    return {
        "sliced_wasserstein": prior_match.sliced_wasserstein(z, z_prior),
        "sliced_wasserstein_floor": prior_match.sliced_wasserstein(other, z_prior),
        "mmd": prior_match.maximum_mean_discrepancy(z, z_prior),
        "mmd_floor": prior_match.maximum_mean_discrepancy(other, z_prior),
        "kolmogorov_smirnov": float(ks.mean()),
        "kolmogorov_smirnov_max": float(ks.max()),
        "kolmogorov_smirnov_floor": float(prior_match.kolmogorov_smirnov(other, z_prior).mean()),
        "gaps": prior_match.gaps(z, z_prior, radius),
        "gaps_floor": prior_match.gaps(other, z_prior, radius),
        "gap_radius": radius,
    }


def _training_match(model, x_train, n):
    """The distance of up to n training images, evenly chosen: a file can be in the order of time.

    A smaller sample has a larger distance, so n is the number of test images.
    """
    chosen = np.linspace(0, len(x_train) - 1, min(len(x_train), n)).astype(int)
    z = model.encode(x_train.take(chosen, axis=0), seed=0)
    z_prior = priors.draw(model.prior, len(z), model.z_dim, 0)
    return {"sliced_wasserstein_training": prior_match.sliced_wasserstein(z, z_prior)}


def _classes(model, x_validation, y_validation, inferred, y):
    """Measures y: as classes if the model trains on labels, as clusters otherwise."""
    k, shares = model.num_classes, inferred.mean(axis=0, dtype="float64")
    prior_shares = model.codes.y.prior_shares
    report = {"y_divergence": prior_match.categorical_divergence(shares, prior_shares)}
    if any(isinstance(phase, phases.Classification) for phase in model.phases):
        report["num_classes"] = k
        if y is not None:
            y, inferred = _labelled(y, inferred)
            report["error"] = classification.error_rate(y, inferred.argmax(axis=1))
            report["calibration_error"] = classification.calibration_error(y, inferred)
        return report
    report["num_clusters"] = k
    if y is None or y_validation is None:
        return report
    y_validation, probabilities = _labelled(y_validation, model.classify(x_validation))
    y, clusters = _labelled(y, inferred.argmax(axis=1))
    found = probabilities.argmax(axis=1)
    names = {
        "best_image": clustering.name_by_best_image(y_validation, probabilities),
        "majority": clustering.name_by_majority(y_validation, found, k),
    }
    if k == y_validation.max() + 1:
        names["matching"] = clustering.name_by_matching(y_validation, found, k)
    for rule, named in names.items():
        report[f"clustering_error_{rule}"] = clustering.named_error(y, clusters, named)
    report["nmi"] = clustering.normalized_mutual_information(y, clusters)
    report["ari"] = clustering.adjusted_rand_index(y, clusters)
    return report


def _codes(model, x_train, y_train, x, y):
    """Measures how well simple classifiers predict the class from codes."""
    if y_train is None or len(np.unique(y_train[y_train != UNLABELLED])) < 2:
        return {}
    y_train, z_train = _labelled(y_train, model.represent(x_train))
    y, z = _labelled(y, model.represent(x))
    codes = z_train, y_train, z, y
    report = {"linear_probe_error": classification.linear_probe_error(*codes)}
    if len(y_train) >= classification.NEIGHBOURS:
        report["nearest_neighbour_error"] = classification.nearest_neighbour_error(*codes)
    return report


def _labelled(y, values):
    """Labels and values of the images that have a label."""
    return y[y != UNLABELLED], values[y != UNLABELLED]


def _columns(x, x_validation, generated, schema):
    """Measures generated rows, and validation rows as their floors; then the same by column."""
    report, distances = rows.generation(x, generated, schema)
    floor, floors = rows.generation(x, x_validation, schema)
    pairs = zip(distances.tolist(), floors.tolist(), strict=True)
    names = ("column_distance", "correlation_difference")
    return (
        report,
        {f"{name}_floor": floor[name] for name in names},
        dict(zip(schema.names, pairs, strict=True)),
    )


def _parzen(x, x_validation, generated):
    x, x_validation, generated = (
        part.reshape(len(part), -1) for part in (x, x_validation[:SIGMA_IMAGES], generated)
    )
    sigma = parzen.choose_sigma(x_validation, generated)
    mean, error = parzen.parzen(x, generated, sigma)
    return {
        "num_parzen_samples": len(generated),
        "parzen": mean,
        "parzen_standard_error": error,
        "parzen_sigma": sigma,
    }


def _features(features, x, x_validation, reconstructed, generated, y):
    """Measures generated images by features, and what does not depend on them."""
    real = features(x)
    report = {
        "feature_space": features.fingerprint,
        "fid_floor": generation.frechet_distance(real, features(x_validation)),
        "fid_reconstructions": generation.frechet_distance(real, features(reconstructed)),
    }
    if y is not None:
        y, predicted = _labelled(y, features.classify(x))
        report["feature_error"] = classification.error_rate(y, predicted)
    return _generation(real, features(generated[: len(x)])), report


def _generation(real, generated):
    precision, recall = generation.precision_and_recall(real, generated)
    return {
        "num_samples": len(generated),
        "fid": generation.frechet_distance(real, generated),
        "kid": generation.kernel_distance(real, generated),
        "precision": precision,
        "recall": recall,
    }
