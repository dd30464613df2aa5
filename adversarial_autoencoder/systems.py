"""The systems of the literature as data: their codes, their phases and their priors.

A system is a set of codes and an ordered list of phases. Every system has the style code z. Some
systems also have a class or cluster code y, which the encoder infers or the user gives as a label.
This module needs neither TensorFlow nor NumPy, so that the command line reads it at once.
"""

import dataclasses
import typing

# The codes by their names in networks and files: the style code and the class or cluster code.
Z, Y = "z", "y"

# What a step of the training procedure does. Learning rates and momenta have one default a kind.
STEP_KINDS = ("reconstruction", "discriminator", "generator", "classification")

# The names of the posteriors and losses. The functions are in `posteriors`, `losses` and `phases`.
POSTERIORS = ("deterministic", "gaussian", "universal")
RECONSTRUCTION_LOSSES = ("mse", "bce")
ADVERSARIAL_LOSSES = ("non_saturating", "least_squares", "hinge", "wasserstein_gp")
CONSISTENCY_LOSSES = ("vat", "augment")


class PhaseSpec(typing.NamedTuple):
    """One phase of a system; `training.build` makes the `phases.Phase` that it names.

    Args:
        kind: A key of `training.build.PHASES`, such as "regularization".
        code: The code that the phase trains; None for a phase of all codes, or of the only code.
    """

    kind: str
    code: str | None = None

    def includes(self, other: "PhaseSpec") -> bool:
        """Whether another phase is of this kind and, if this one names a code, of the same code."""
        return self.kind == other.kind and self.code in (None, other.code)


RECONSTRUCTION = PhaseSpec("reconstruction")
REGULARIZATION = PhaseSpec("regularization")
REGULARIZATION_Y, REGULARIZATION_Z = PhaseSpec("regularization", Y), PhaseSpec("regularization", Z)
CLASSIFICATION = PhaseSpec("classification")
CONSISTENCY = PhaseSpec("consistency")
MMD = PhaseSpec("mmd")
VARIATIONAL = PhaseSpec("variational")


@dataclasses.dataclass(frozen=True)
class System:
    """One system of the literature.

    Args:
        description: One line: what the system is, and its source.
        phases: Its phases in the order of training. A classification phase is skipped if the
            training uses no labels, a consistency phase if it uses labels.
        y: Where the code y comes from: "inferred" by the encoder, "given" as a label, or None.
        labels: How the system uses labels: "needed", "optional" or "unused". A label-conditioned
            prior always needs them. An inferred y without labels is a cluster, not a class.
        cluster_heads: Whether the decoder maps y to a learned point that it adds to z.
        defaults: Settings whose defaults differ from those of `config.Config`.
        defaults_without_labels: The same, for a training without labels.
        epochs: Length of a training on data of the size of MNIST.
        batch_size: Images in a minibatch, unless the data is small.
        restores: Whether the purpose is to restore corrupted images.
    """

    description: str
    phases: tuple[PhaseSpec, ...]
    y: str | None = None
    labels: str = "unused"
    cluster_heads: bool = False
    defaults: dict = dataclasses.field(default_factory=dict)
    defaults_without_labels: dict = dataclasses.field(default_factory=dict)
    epochs: int = 20
    batch_size: int = 200
    restores: bool = False


# The default hidden layers of each kind of network. Three narrow fully connected layers are faster
# than two wide ones, and reach a better reconstruction and closer codes. A convolutional layer has
# a sixteenth of the units as filters.
HIDDEN = {
    "mlp": {"hidden_units": 300, "hidden_layers": 3},
    "conv": {"hidden_units": 1000, "hidden_layers": 2},
}
# The defaults of each kind of network. With convolutions an adversarial phase that is half as fast
# is steadier, and reaches a better reconstruction.
NETWORKS: dict[str, dict] = {
    "mlp": HIDDEN["mlp"],
    "conv": HIDDEN["conv"] | {"discriminator_learning_rate": 1e-4, "generator_learning_rate": 1e-3},
}
# A strong adversarial phase, with little noise that would hide edges, gaps and peaks of a prior.
STRONG = {
    "discriminator_noise": 0.05,
    "discriminator_learning_rate": 1e-3,
    "generator_epsilon": 1e-4,
}


# What differs for codes of at most two dimensions. With convolutions a strong adversarial phase
# matches the prior and reaches a better reconstruction. In more dimensions its discriminator wins.
NETWORKS_IN_THE_PLANE = {"conv": STRONG}


def network_defaults(network: str, z_dim: object) -> dict:
    """Defaults that follow from the networks and from the number of dimensions.

    Args:
        network: A key of `NETWORKS`.
        z_dim: Dimensions of z.

    Returns:
        Values of settings, by name.
    """
    in_the_plane = NETWORKS_IN_THE_PLANE.get(network, {}) if z_dim in (1, 2) else {}
    return NETWORKS[network] | in_the_plane


# The systems with a y were tuned with the layers of the paper, with minibatches of 100 images, and
# with these rates.
WIDE = {
    "hidden_units": 1000,
    "hidden_layers": 2,
    "reconstruction_learning_rate": 1.5e-3,
    "generator_learning_rate": 1e-3,
}

# The systems that infer y were tuned without normalization of the codes.
PLAIN = {"normalize_codes": False, "discriminator_learning_rate": 1e-3}

# A y that is inferred is stable near every image, and the reconstruction does not change it.
STABLE_Y = {
    "consistency": "vat",
    "detach_y": True,
    "batch_norm": True,
    "input_noise": 0.0,
    "generator_epsilon": 1e-3,
    **PLAIN,
    **WIDE,
    "discriminator_noise": 0.3,
}
# Clusters carry information about the images, and have hidden layers of their own.
FIND_CLUSTERS = {"information_weight": 0.1, "separate_y": True}

SYSTEMS = {
    "autoencoder": System(
        "Autoencoder; its codes leave gaps. The baseline of the other systems",
        phases=(RECONSTRUCTION,),
        defaults={"input_noise": 0.0},
    ),
    "denoising_autoencoder": System(
        "Autoencoder that restores corrupted images or rows (Vincent et al. 2008)",
        phases=(RECONSTRUCTION,),
        defaults={"input_noise": 0.3},
        restores=True,
    ),
    "vae": System(
        "Variational autoencoder (Kingma and Welling 2014)",
        phases=(VARIATIONAL,),
        defaults={
            "posterior": "gaussian",
            "prior_std": 1.0,
            "reconstruction_loss": "bce",
            "input_noise": 0.0,
        },
    ),
    "wae_mmd": System(
        "Wasserstein autoencoder with maximum mean discrepancy (Tolstikhin et al. 2018)",
        phases=(MMD,),
        defaults={"input_noise": 0.0},
    ),
    "aae": System(
        "Adversarial autoencoder (Makhzani et al. 2015, section 2)",
        phases=(RECONSTRUCTION, REGULARIZATION),
    ),
    "supervised_aae": System(
        "AAE whose decoder also gets the label, so that z keeps the style (section 4)",
        phases=(RECONSTRUCTION, REGULARIZATION),
        y="given",
        labels="needed",
        defaults={
            "z_dim": 10,
            "prior_std": 1.0,
            "condition_prior_on_labels": True,
            "input_noise": 0.3,
            **WIDE,
            # A strong adversarial phase: z follows the prior within each class.
            "discriminator_learning_rate": 5e-4,
            "generator_epsilon": 1e-4,
        },
        batch_size=100,
    ),
    "semi_supervised_aae": System(
        "AAE that infers class and style from few labels (section 5)",
        phases=(RECONSTRUCTION, REGULARIZATION_Y, REGULARIZATION_Z, CLASSIFICATION),
        y="inferred",
        labels="needed",
        defaults={
            "z_dim": 10,
            "prior_std": 1.0,
            "num_labels": 100,
            **STABLE_Y,
        },
        epochs=24,
        batch_size=100,
    ),
    "clustering_aae": System(
        "AAE that infers cluster and style without labels (section 6)",
        phases=(RECONSTRUCTION, REGULARIZATION_Y, REGULARIZATION_Z, CONSISTENCY),
        y="inferred",
        defaults={
            "z_dim": 5,
            "prior_std": 1.0,
            "num_clusters": 16,
            **STABLE_Y,
        },
        defaults_without_labels=FIND_CLUSTERS,
        batch_size=100,
    ),
    "dimensionality_reduction_aae": System(
        "AAE whose clusters are points in the space of z (section 7)",
        phases=(RECONSTRUCTION, REGULARIZATION_Y, REGULARIZATION_Z, CLASSIFICATION, CONSISTENCY),
        y="inferred",
        labels="optional",
        cluster_heads=True,
        defaults={
            "prior_std": 1.0,
            "num_clusters": 20,
            **STABLE_Y,
        },
        defaults_without_labels=FIND_CLUSTERS,
        epochs=16,
        batch_size=100,
    ),
}


@dataclasses.dataclass(frozen=True)
class PriorSpec:
    """One prior p(z) that has a name.

    Args:
        sampler: Name of the class, which is registered with Keras; see `priors`.
        settings: The settings that it reads: a dict from constructor argument to setting.
        has_components: Whether it has one component for each class, so that it can be conditioned
            on labels.
        defaults: Settings whose defaults differ with this prior, unless the system has its own.
    """

    sampler: str
    settings: dict[str, str]
    has_components: bool = False
    defaults: dict = dataclasses.field(default_factory=dict)


PRIORS = {
    "gaussian": PriorSpec("Gaussian", {"std": "prior_std"}),
    "uniform": PriorSpec("Uniform", {"std": "prior_std"}, defaults=STRONG),
    "laplace": PriorSpec("Laplace", {"std": "prior_std"}, defaults=STRONG),
    "gamma": PriorSpec("Gamma", {"shape": "prior_shape", "std": "prior_std"}, defaults=STRONG),
    "gaussian_mixture": PriorSpec(
        "GaussianMixture",
        {
            "num_components": "prior_components",
            "radius": "prior_radius",
            "std_along": "prior_length",
            "std_across": "prior_width",
        },
        has_components=True,
        defaults=STRONG,
    ),
    "swiss_roll": PriorSpec(
        "SwissRoll",
        {
            "num_components": "prior_components",
            "radius": "prior_radius",
            "turns": "prior_turns",
            "std": "prior_width",
        },
        has_components=True,
        defaults=STRONG,
    ),
}

# Phases without which a setting has no effect.
ADVERSARIAL_PHASES, INFERS_Y = (REGULARIZATION,), (REGULARIZATION_Y,)
COMPONENT_PRIORS = tuple(name for name, prior in PRIORS.items() if prior.has_components)


def priors_that_read(setting: str) -> tuple[str, ...]:
    """The names of the priors that a setting changes."""
    return tuple(name for name, prior in PRIORS.items() if setting in prior.settings.values())
