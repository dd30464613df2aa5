"""The systems of the literature as data: their codes and the phases that train them.

A code is a part of what stands between encoder and decoder. Every system has the style code z. Some
have a class or cluster code y too: the encoder infers it, or it is the label that is given.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Variant:
    """One system.

    Args:
        description: What it is, and its source.
        phases: Names of its phases, in the order of training; see `building.PHASES`. A phase of
            classification is left out where there are no labels.
        y: Where the code y comes from: "inferred" by the encoder, "given" as the label, or None.
        labels: Whether labels are "needed", "optional" or "unused", but for a prior that is
            conditioned on them. Where y is inferred without labels it is a cluster, not a class.
        cluster_heads: Whether y enters the decoder as a point in the space of z that is learned.
        defaults: The settings whose defaults differ from those of the other systems.
    """

    description: str
    phases: tuple[str, ...]
    y: str | None = None
    labels: str = "unused"
    cluster_heads: bool = False
    defaults: dict = dataclasses.field(default_factory=dict)


VARIANTS = {
    "autoencoder": Variant(
        "autoencoder, whose codes leave gaps: what the others are compared with",
        phases=("reconstruction",),
    ),
    "denoising_autoencoder": Variant(
        "autoencoder that restores corrupted images (Vincent et al. 2008)",
        phases=("reconstruction",),
        defaults={"input_noise": 0.3},
    ),
    "vae": Variant(
        "variational autoencoder (Kingma and Welling 2014)",
        phases=("variational",),
        defaults={"posterior": "gaussian", "prior_std": 1.0, "reconstruction_loss": "bce"},
    ),
    "wae_mmd": Variant(
        "Wasserstein autoencoder, maximum mean discrepancy (Tolstikhin et al. 2018)",
        phases=("mmd",),
    ),
    "aae": Variant(
        "adversarial autoencoder (Makhzani et al. 2015, section 2)",
        phases=("reconstruction", "regularization"),
        # On MNIST with z_dim 2: a little noise on the images keeps the encoder from learning them
        # by heart; a slow discriminator that sees codes and samples blurred has smooth gradients,
        # which lead the codes to the prior at less cost for the reconstruction.
        defaults={
            "input_noise": 0.1,
            "discriminator_noise": 0.99,
            "discriminator_learning_rate": 1e-4,
        },
    ),
    "supervised_aae": Variant(
        "AAE whose decoder is given the label, so that z keeps the style (section 4)",
        phases=("reconstruction", "regularization"),
        y="given",
        labels="needed",
        defaults={
            "z_dim": 10,
            "prior_std": 1.0,
            "condition_prior_on_labels": True,
            "input_noise": 0.3,
            "generator_epsilon": 1e-4,
        },
    ),
    "semi_supervised_aae": Variant(
        "AAE that infers class and style from few labels (section 5)",
        phases=("reconstruction", "regularization_y", "regularization_z", "classification"),
        y="inferred",
        labels="needed",
        defaults={
            "z_dim": 10,
            "prior_std": 1.0,
            "num_labels": 100,
            "input_noise": 0.3,
            "generator_epsilon": 1e-3,
        },
    ),
    "clustering_aae": Variant(
        "AAE that infers cluster and style without labels (section 6)",
        phases=("reconstruction", "regularization_y", "regularization_z", "consistency"),
        y="inferred",
        defaults={
            "z_dim": 5,
            "prior_std": 1.0,
            "num_clusters": 16,
            "batch_norm": True,
            "input_noise": 0.2,
            "corruption": "masking",
            "discriminator_noise": 0.3,
            "generator_epsilon": 1e-3,
        },
    ),
    "dimensionality_reduction_aae": Variant(
        "AAE whose clusters are points in the space of z (section 7)",
        phases=(
            *("reconstruction", "regularization_y", "regularization_z"),
            *("classification", "consistency"),
        ),
        y="inferred",
        labels="optional",
        cluster_heads=True,
        defaults={
            "prior_std": 1.0,
            "num_clusters": 20,
            "batch_norm": True,
            "discriminator_noise": 0.3,
            "generator_epsilon": 1e-3,
        },
    ),
}

# The priors that have a name, and those of them whose components can be classes.
PRIORS = ("gaussian", "uniform", "laplace", "gamma", "gaussian_mixture", "swiss_roll")
COMPONENT_PRIORS = ("gaussian_mixture", "swiss_roll")
