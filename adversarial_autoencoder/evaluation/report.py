"""All measures of one trained model, by name."""

import dataclasses
import math

import numpy as np

from adversarial_autoencoder import phases, priors
from adversarial_autoencoder.evaluation import (
    classification,
    clustering,
    gaussian_mixture,
    generation,
    parzen,
    prior_match,
    reconstruction,
)
from adversarial_autoencoder.model.batch import to_unit_interval

# Images, codes and samples that are used at most of each kind, and their numbers at most in all.
MAX_IMAGES, MAX_NUMBERS = 10_000, 2**25

# A mixture of many Gaussians needs more codes than the other measures.
MAX_MIXTURE_CODES = 50_000

# The least number of training, validation and test images that all measures are defined for.
MIN_IMAGES = 10

# Validation images that choose the width of the Parzen kernel.
SIGMA_IMAGES = 1000


@dataclasses.dataclass(frozen=True)
class Metric:
    """What a name in the report stands for.

    Args:
        text: One line: what it is, with its unit.
        better: "lower" or "higher", or an empty string for what is no merit.
    """

    text: str
    better: str = ""


METRICS = {
    "epochs": Metric("epochs of the training"),
    "seed": Metric("seed of the training"),
    "num_test_images": Metric("test images that are measured"),
    "num_training_images": Metric("training images whose codes are compared with theirs"),
    "num_classes": Metric("K, values of y, which are classes"),
    "num_clusters": Metric("K, values of y, which are clusters"),
    "mse": Metric("reconstruction: squared error of a pixel", "lower"),
    "bce": Metric("reconstruction: binary cross-entropy of a pixel, nats", "lower"),
    "psnr": Metric("reconstruction: peak signal-to-noise ratio of an image, dB", "higher"),
    "ssim": Metric("reconstruction: structural similarity of an image, at most 1", "higher"),
    "sliced_wasserstein": Metric("codes to prior, in its standard deviations", "lower"),
    "sliced_wasserstein_floor": Metric("the same between two samples of the prior"),
    "mmd": Metric("codes to prior, squared discrepancy, unbiased", "lower"),
    "mmd_floor": Metric("the same between two samples of the prior"),
    "kolmogorov_smirnov": Metric("codes to prior, mean over dimensions", "lower"),
    "kolmogorov_smirnov_max": Metric("codes to prior, the worst dimension", "lower"),
    "kolmogorov_smirnov_floor": Metric("the mean between two samples of the prior"),
    "gaps": Metric("share of the prior farther than gap_radius from any code", "lower"),
    "gaps_floor": Metric("the same from any of as many samples of the prior"),
    "gap_radius": Metric("in units of z"),
    "y_divergence": Metric("KL divergence of y from its prior, nats", "lower"),
    "error": Metric("classification: share of wrong classes", "lower"),
    "calibration_error": Metric("classification: confidence against accuracy, 15 bins", "lower"),
    "nearest_neighbour_error": Metric("of z: 5 nearest training codes", "lower"),
    "linear_probe_error": Metric("of z: logistic regression on training codes", "lower"),
    "clustering_error_best_image": Metric("clusters named by the surest validation image", "lower"),
    "clustering_error_majority": Metric("clusters named by most validation images", "lower"),
    "clustering_error_matching": Metric("clusters matched one to one with classes", "lower"),
    "nmi": Metric("clusters and classes: normalised mutual information", "higher"),
    "ari": Metric("clusters and classes: adjusted Rand index", "higher"),
    "feature_space": Metric("number of the classifier that gives the features"),
    "feature_error": Metric("its error on the test images"),
    "fid_floor": Metric("Fréchet distance of validation images"),
    "fid_reconstructions": Metric("Fréchet distance of reconstructions", "lower"),
}
_GENERATION = {
    "num_samples": Metric("generated images beside the test images"),
    "fid": Metric("Fréchet distance of generated images", "lower"),
    "kid": Metric("kernel distance of generated images", "lower"),
    "precision": Metric("share of generated images that lie among test images", "higher"),
    "recall": Metric("share of test images that can be generated", "higher"),
    "num_parzen_samples": Metric("generated images of the Parzen estimate"),
    "parzen": Metric("Parzen log-likelihood of a test image, nats", "higher"),
    "parzen_standard_error": Metric("its standard error, nats"),
    "parzen_sigma": Metric("width of its kernel, chosen on validation images"),
}
METRICS |= _GENERATION | {
    f"{name}_gaussian_mixture": dataclasses.replace(
        metric, text=f"{metric.text}; z of a fitted mixture"
    )
    for name, metric in _GENERATION.items()
}
METRICS |= {
    "num_codes_gaussian_mixture": Metric(
        "training codes that the mixture is of, fewer of large images"
    ),
    "num_components_gaussian_mixture": Metric("its Gaussians"),
}


def measure(model, dataset, features=None, sampler="prior", max_images=MAX_IMAGES):
    """Measures a trained model on the test images of its data set.

    What needs labels is left out where there are none, and what needs features where there is no
    classifier.

    Args:
        model: An `AdversarialAutoencoder`.
        dataset: A `data.Dataset` with `MIN_IMAGES` images of each part; the validation images
            choose, the test images measure.
        features: `features.Features` trained on this data set, or None.
        sampler: Where the z of generated images is from: "prior", or "gaussian_mixture" fitted to
            the training codes.
        max_images: Number of images of each kind that are used at most, but for the mixture;
            fewer of large ones.

    Returns:
        A dict from names in `METRICS` to numbers.
    """
    limit = _limit(model, dataset, max_images)
    x, x_validation = (
        to_unit_interval(part[:limit]).numpy() for part in (dataset.x_test, dataset.x_validation)
    )
    x_train = dataset.x_train[:limit]
    y, y_validation, y_train = (
        None if labels is None else labels[:limit]
        for labels in (dataset.y_test, dataset.y_validation, dataset.y_train)
    )
    report = {
        "seed": model.seed,
        "num_test_images": len(x),
        "num_training_images": len(x_train),
    }
    inferred = model.classify(x) if model.infers_y else None
    weights = inferred if model.infers_y else y if model.num_classes else None
    reconstructed = model.decode(model.encode(x), weights)
    report |= _reconstruction(x, reconstructed)
    report |= _prior_match(model, x)
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
    generated = model.generate(limit, z=z)
    drawn = _parzen(x, x_validation, generated)
    if features is not None:
        real, validation = features(x), features(x_validation)
        report["feature_space"] = features.fingerprint
        if y is not None:
            report["feature_error"] = classification.error_rate(y, features.classify(x))
        report["fid_floor"] = generation.frechet_distance(real, validation)
        report["fid_reconstructions"] = generation.frechet_distance(real, features(reconstructed))
        drawn = _generation(real, features(generated[: len(x)])) | drawn
    suffix = "" if sampler == "prior" else f"_{sampler}"
    report |= {f"{name}{suffix}": value for name, value in drawn.items()}
    return {name: value for name, value in report.items() if np.isfinite(value)}


def mixture_codes(model, dataset):
    """The codes of training images that a mixture is fitted to, a float32 array (n, z_dim)."""
    return model.encode(dataset.x_train[: _limit(model, dataset, MAX_MIXTURE_CODES)], seed=0)


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


def _prior_match(model, x):
    # Drawn from the posterior: it is all codes together that follow the prior.
    z = model.encode(x, seed=0)
    z_prior, other, third = (priors.draw(model.prior, len(z), model.z_dim, i) for i in range(3))
    ks = prior_match.kolmogorov_smirnov(z, z_prior)
    # From other samples than those that measure the floor, as the radius is fitted to them.
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


def _classes(model, x_validation, y_validation, inferred, y):
    """Measures of y, as classes where labels taught it, else as clusters."""
    k, shares = model.num_classes, inferred.mean(axis=0, dtype="float64")
    report = {"y_divergence": prior_match.categorical_divergence(shares, model.prior_shares)}
    if any(isinstance(phase, phases.Classification) for phase in model.phases):
        report["num_classes"] = k
        if y is not None:
            report["error"] = classification.error_rate(y, inferred.argmax(axis=1))
            report["calibration_error"] = classification.calibration_error(y, inferred)
        return report
    report["num_clusters"] = k
    if y is None or y_validation is None:
        return report
    probabilities, clusters = model.classify(x_validation), inferred.argmax(axis=1)
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
    """What the codes tell about the class, where there are at least two."""
    if len(np.unique(y_train)) < 2:
        return {}
    codes = model.represent(x_train), y_train, model.represent(x), y
    return {
        "nearest_neighbour_error": classification.nearest_neighbour_error(*codes),
        "linear_probe_error": classification.linear_probe_error(*codes),
    }


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


def _generation(real, generated):
    precision, recall = generation.precision_and_recall(real, generated)
    return {
        "num_samples": len(generated),
        "fid": generation.frechet_distance(real, generated),
        "kid": generation.kernel_distance(real, generated),
        "precision": precision,
        "recall": recall,
    }
