"""The measures of a report: their names and descriptions."""

import dataclasses

from adversarial_autoencoder.evaluation.classification import NEIGHBOURS


@dataclasses.dataclass(frozen=True)
class Metric:
    """Description of one value in the report.

    Args:
        text: One line that says what the value is, with its unit.
        better: "lower" or "higher", or an empty string if the value does not rank models.
    """

    text: str
    better: str = ""


METRICS: dict[str, Metric] = {
    "epochs": Metric("number of completed epochs"),
    "seed": Metric("seed of the training"),
    "num_test_images": Metric("number of test images or rows in the measures"),
    "num_training_images": Metric("number of training images or rows in the classifiers of codes"),
    "num_classes": Metric("number of values of y, which are classes"),
    "num_clusters": Metric("number of values of y, which are clusters"),
    "mse": Metric("reconstruction: mean squared error per pixel", "lower"),
    "bce": Metric("reconstruction: binary cross-entropy per pixel, nats", "lower"),
    "psnr": Metric("reconstruction: mean peak signal-to-noise ratio, dB", "higher"),
    "ssim": Metric("reconstruction: mean structural similarity, at most 1", "higher"),
    "sliced_wasserstein": Metric(
        "codes and prior: sliced Wasserstein-1 distance, prior standard deviations", "lower"
    ),
    "sliced_wasserstein_floor": Metric("the same for two samples of the prior"),
    "sliced_wasserstein_training": Metric(
        "the same for the codes of as many training images", "lower"
    ),
    "mmd": Metric("codes and prior: squared maximum mean discrepancy, unbiased", "lower"),
    "mmd_floor": Metric("the same for two samples of the prior"),
    "kolmogorov_smirnov": Metric(
        "codes and prior: Kolmogorov-Smirnov statistic, mean over dimensions", "lower"
    ),
    "kolmogorov_smirnov_max": Metric(
        "codes and prior: Kolmogorov-Smirnov statistic, worst dimension", "lower"
    ),
    "kolmogorov_smirnov_floor": Metric("the mean for two samples of the prior"),
    "gaps": Metric("fraction of prior samples without a code within gap_radius", "lower"),
    "gaps_floor": Metric("the same with prior samples instead of codes"),
    "gap_radius": Metric("radius for gaps, in units of z"),
    "y_divergence": Metric("KL divergence of y from its prior, nats", "lower"),
    "error": Metric("classification: fraction of misclassified items", "lower"),
    "calibration_error": Metric("classification: expected calibration error, 15 bins", "lower"),
    "nearest_neighbour_error": Metric(
        f"error of a {NEIGHBOURS}-nearest-neighbour classifier of codes", "lower"
    ),
    "linear_probe_error": Metric("error of a logistic regression on codes", "lower"),
    "clustering_error_best_image": Metric(
        "error if a cluster has the class of its most probable validation item", "lower"
    ),
    "clustering_error_majority": Metric(
        "error if a cluster has the majority class of its validation items", "lower"
    ),
    "clustering_error_matching": Metric(
        "error if clusters and classes are matched one to one", "lower"
    ),
    "nmi": Metric("clusters and classes: normalized mutual information", "higher"),
    "ari": Metric("clusters and classes: adjusted Rand index", "higher"),
    "feature_space": Metric("checksum of the classifier that computes the features"),
    "feature_error": Metric("error of this classifier on the test images"),
    "fid_floor": Metric("Fréchet distance between validation and test images"),
    "fid_reconstructions": Metric(
        "Fréchet distance between reconstructions and test images", "lower"
    ),
}
# Reconstruction of the rows of a table.
METRICS |= {
    "columns_loss": Metric("reconstruction: training loss, mean over columns", "lower"),
    "numeric_error": Metric(
        "reconstruction: mean squared error of numbers, in variances of the column", "lower"
    ),
    "category_error": Metric("reconstruction: fraction of wrong categories", "lower"),
    "column_distance_floor": Metric("column_distance between validation and test rows"),
    "correlation_difference_floor": Metric("the same between validation and test rows"),
}
_GENERATION = {
    "num_samples": Metric("number of generated images in these distances"),
    "fid": Metric("Fréchet distance between generated and test images", "lower"),
    "kid": Metric("kernel distance between generated and test images", "lower"),
    "precision": Metric("fraction of generated images that test images cover", "higher"),
    "recall": Metric("fraction of test images that generated images cover", "higher"),
    "num_parzen_samples": Metric("number of generated images in the Parzen estimate"),
    "parzen": Metric("mean Parzen log-likelihood of the test images, nats", "higher"),
    "parzen_standard_error": Metric("standard error of this mean, nats"),
    "parzen_sigma": Metric("Parzen kernel width, chosen on validation images"),
    "num_rows": Metric("number of generated rows"),
    "column_distance": Metric(
        "generated and test rows: Kolmogorov-Smirnov statistic or total variation, mean of columns",
        "lower",
    ),
    "column_distance_max": Metric("the same, worst column", "lower"),
    "correlation_difference": Metric(
        "generated and test rows: mean absolute difference of correlations", "lower"
    ),
}
METRICS |= _GENERATION | {
    f"{name}_gaussian_mixture": dataclasses.replace(
        metric, text=f"{metric.text}; z from the Gaussian mixture"
    )
    for name, metric in _GENERATION.items()
}
METRICS |= {
    "num_codes_gaussian_mixture": Metric("number of training codes for the Gaussian mixture"),
    "num_components_gaussian_mixture": Metric("number of components of the Gaussian mixture"),
}
