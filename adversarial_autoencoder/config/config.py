"""The settings of a training: one field is one flag, documented and validated here."""

import dataclasses
import math

from adversarial_autoencoder.config import rules
from adversarial_autoencoder.config.setting import Settings, setting
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.systems import COMPONENT_PRIORS, PRIORS, VARIANTS

# The default length of a training: that of MNIST, and the least for small data sets.
DEFAULT_EPOCHS, MIN_STEPS = 40, 2000

# The phases that update the encoder as a classifier.
CLASSIFICATION = ("classification", "consistency")


def _learning_rate(default, updated, phase=None):
    """The learning rate of a step that updates the networks named."""
    return setting(
        default, f"rate for {updated}", group="Optimizer", low=0, open_low=True, phase=phase
    )


def _momentum(phase=None):
    """The momentum of a step."""
    text = "Adam's beta_1, or SGD's momentum"
    return setting(0.9, text, group="Optimizer", low=0, high=1, phase=phase)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Everything that a training depends on; saved as config.json in its run folder."""

    model: str = setting("aae", "the system to train", group="Model", choices=VARIANTS)
    z_dim: int = setting(2, "dimensions of the style code z", group="Model", low=1, high=100_001)
    posterior: str = setting(
        "deterministic",
        "q(z|x): a point, a Gaussian, or any distribution by noise as an input of the encoder",
        group="Model",
        choices=("deterministic", "gaussian", "universal"),
    )
    noise_dim: int = setting(
        10,
        "noise inputs of the encoder of a universal posterior",
        group="Model",
        low=1,
        high=100_001,
        needs={"posterior": ("universal",)},
    )
    num_labels: int | None = setting(
        None,
        "labelled training images, as many of each class; the others count as unlabelled (and are"
        " left out where y has to be given); 0: all; not given: all, or none where the system can"
        " do without",
        group="Model",
        low=0,
        high=10**9,
    )
    num_clusters: int = setting(
        10,
        "values of y where it is inferred without labels",
        group="Model",
        low=2,
        high=10_001,
        needs={"model": ("clustering_aae", "dimensionality_reduction_aae")},
    )
    head_margin: float = setting(
        2.0,
        "distance up to which the cluster heads of dimensionality_reduction_aae are pushed apart",
        group="Model",
        low=0,
        needs={"model": ("dimensionality_reduction_aae",)},
    )
    reconstruction_loss: str = setting(
        "mse",
        "mean squared error, or binary cross-entropy on logits",
        group="Model",
        choices=("mse", "bce"),
    )
    prior: str = setting(
        "gaussian",
        f"p(z): {', '.join(PRIORS)}; FILE.npy, samples of shape (n, z_dim); or module:function,"
        " your sampler (n, dim, seed) -> tensor, with the seed of tf.random.stateless_normal",
        group="Prior",
    )
    prior_std: float = setting(
        5.0,
        "standard deviation of a gaussian, uniform, laplace or gamma prior",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": ("gaussian", "uniform", "laplace", "gamma")},
    )
    prior_shape: float = setting(
        2.0,
        "shape of the gamma prior",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": ("gamma",)},
    )
    prior_components: int | None = setting(
        None,
        "components of the mixture, or arcs of the roll; not given: 10, or one for each class",
        group="Prior",
        low=1,
        high=10_001,
        needs={"prior": COMPONENT_PRIORS},
    )
    prior_radius: float = setting(
        8.0,
        "distance from 0 of the mixture's means, or of the roll's outer end",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": COMPONENT_PRIORS},
    )
    prior_width: float = setting(
        0.5,
        "standard deviation across a component of the mixture, or across the roll",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": COMPONENT_PRIORS},
    )
    prior_length: float = setting(
        2.0,
        "standard deviation along a component of the mixture",
        group="Prior",
        low=0,
        open_low=True,
        needs={"prior": ("gaussian_mixture",)},
    )
    prior_turns: float = setting(
        2.0,
        "turns of the roll",
        group="Prior",
        low=0,
        open_low=True,
        high=101,
        needs={"prior": ("swiss_roll",)},
    )
    y_temperature: float = setting(
        0.0,
        "p(y): 0: one-hot vectors; above, relaxed ones (Maddison et al. 2017), so that the encoder"
        " need not be sure of y",
        group="Prior",
        low=0,
        high=100,
        phase="regularization_y",
    )
    condition_prior_on_labels: bool = setting(
        False,
        "pair each labelled image with the component or arc of its class (section 2.3); with a"
        " prior that has none, make z independent of the class",
        group="Prior",
    )
    network: str = setting(
        "mlp",
        "fully connected, or convolutional encoder and decoder",
        group="Networks",
        choices=("mlp", "conv"),
    )
    hidden_units: int = setting(
        1000,
        "units in each hidden layer; conv: a sixteenth of it are the filters of the deepest",
        group="Networks",
        low=1,
        high=100_001,
    )
    hidden_layers: int = setting(
        2, "hidden layers of each network", group="Networks", low=1, high=101
    )
    dropout: float = setting(
        0.0, "share of hidden units dropped in training", group="Networks", low=0, high=1
    )
    batch_norm: bool = setting(
        False, "normalise the hidden layers of the encoder over the minibatch", group="Networks"
    )
    separate_y: bool = setting(
        False,
        "give an inferred y hidden layers of its own in the encoder, which the game on z leaves"
        " alone",
        group="Networks",
        phase="regularization_y",
    )
    weight_std: float = setting(
        0.0,
        "standard deviation of the initial weights N(0, std^2); 0: Glorot uniform",
        group="Networks",
        low=0,
    )
    input_noise: float = setting(
        0.0,
        "corruption of the encoder's input in training: standard deviation, or share of pixels",
        group="Networks",
        low=0,
        high=1,
    )
    corruption: str = setting(
        "gaussian",
        "what --input_noise does: add noise, or set pixels to 0 (and scale up the others)",
        group="Networks",
        choices=("gaussian", "masking"),
    )
    discriminator_noise: float = setting(
        0.0,
        "standard deviation of noise on the discriminators' input in training",
        group="Networks",
        low=0,
        high=1,
        phase="regularization",
    )
    dataset: str | None = setting(
        None,
        "mnist, fashion_mnist, digits (8x8, embedded), an .npz file or a folder of images;"
        " not given: mnist, or digits where it cannot be had",
        group="Data",
    )
    data_dir: str | None = setting(
        None,
        "folder with mnist.npz or the four IDX files; not given: the environment variable"
        " AAE_DATA_DIR, else Keras's download cache",
        group="Data",
    )
    epochs: int | None = setting(
        None,
        f"passes over the training images; not given: {DEFAULT_EPOCHS}, or for small data as many"
        f" as make {MIN_STEPS} minibatches",
        group="Training",
        low=1,
        high=10**9,
    )
    batch_size: int = setting(100, "images in a minibatch", group="Training", low=1, high=10**9)
    adversarial_loss: str = setting(
        "non_saturating",
        "the game of discriminator and generator",
        group="Training",
        choices=("non_saturating", "least_squares", "hinge", "wasserstein_gp"),
        phase="regularization",
    )
    gradient_penalty: float = setting(
        10.0,
        "weight of wasserstein_gp's gradient penalty",
        group="Training",
        low=0,
        needs={"adversarial_loss": ("wasserstein_gp",)},
    )
    mmd_weight: float = setting(
        0.25,
        "weight of wae_mmd's discrepancy beside the mean loss over pixels",
        group="Training",
        low=0,
        needs={"model": ("wae_mmd",)},
    )
    consistency: str = setting(
        "none",
        "what q(y|x) of all images is kept the same under: vat, the small step that changes it most"
        " (virtual adversarial training); augment, small random shifts and rotations",
        group="Training",
        choices=("none", "vat", "augment"),
        phase=CLASSIFICATION,
    )
    vat_weight: float = setting(
        1.0,
        "weight of virtual adversarial training; to give it is to choose it",
        group="Training",
        low=0,
        needs={"consistency": ("vat",)},
        phase=CLASSIFICATION,
    )
    vat_epsilon: float = setting(
        1.5,
        "how far its images lie from the given ones: Euclidean norm, of pixels in [0, 1]",
        group="Training",
        low=0,
        open_low=True,
        needs={"consistency": ("vat",)},
        phase=CLASSIFICATION,
    )
    vat_warmup: int = setting(
        1500,
        "minibatches over which --vat_epsilon grows from 0",
        group="Training",
        low=0,
        high=10**9,
        needs={"consistency": ("vat",)},
        phase=CLASSIFICATION,
    )
    information_weight: float = setting(
        0.0,
        "weight, beside the consistency, of the mutual information of x and y (Hu et al. 2017),"
        " which finds clusters; 0.1 is theirs",
        group="Training",
        low=0,
        needs={"consistency": ("vat", "augment")},
        phase=CLASSIFICATION,
    )
    detach_y: bool = setting(
        False,
        "send no gradient of the reconstruction through y; it still trains the hidden layers that y"
        " and z share",
        group="Training",
        phase="regularization_y",
    )
    y_start: int = setting(
        0,
        "minibatches for which the game on y moves its discriminator alone; then the encoder's rate"
        " in it grows, over as many again",
        group="Training",
        low=0,
        high=10**9,
        phase=CLASSIFICATION,
    )
    optimizer: str = setting(
        "adam", "for every step of the procedure", group="Optimizer", choices=("adam", "sgd")
    )
    reconstruction_learning_rate: float = _learning_rate(1.5e-3, "encoder and decoder")
    discriminator_learning_rate: float = _learning_rate(
        1e-3, "the discriminators", phase="regularization"
    )
    generator_learning_rate: float = _learning_rate(
        1e-3, "the encoder as generator", phase="regularization"
    )
    classification_learning_rate: float = _learning_rate(
        1e-3, "the encoder as classifier", phase=CLASSIFICATION
    )
    reconstruction_momentum: float = _momentum()
    discriminator_momentum: float = _momentum(phase="regularization")
    generator_momentum: float = _momentum(phase="regularization")
    classification_momentum: float = _momentum(phase=CLASSIFICATION)
    generator_epsilon: float = setting(
        5e-3,
        "Adam's epsilon for the generator: gradients much smaller than it make smaller steps",
        group="Optimizer",
        low=0,
        open_low=True,
        needs={"optimizer": ("adam",)},
        phase="regularization",
    )
    learning_rate_schedule: str = setting(
        "cosine",
        "constant; or falling to 0 along a half cosine over all epochs (not the discriminators');"
        " or by --step_factors",
        group="Optimizer",
        choices=("constant", "cosine", "step"),
    )
    step_epochs: str = setting(
        "50,1000",
        "epochs after which the rates change in a step schedule",
        group="Optimizer",
        needs={"learning_rate_schedule": ("step",)},
    )
    step_factors: str = setting(
        "0.1",
        "what they are multiplied with: one factor, or one each",
        group="Optimizer",
        needs={"learning_rate_schedule": ("step",)},
    )
    seed: int = setting(
        0, "seed of weights, noise and shuffling", group="Training", low=0, high=2**31
    )
    deterministic: bool = setting(
        False,
        "use only kernels that give the same bits each time, also on a GPU, where they are slower",
        group="Speed",
    )
    precision: str = setting(
        "auto",
        "of the hidden layers; auto: mixed_bfloat16 for fully connected networks where the"
        " processor has it, else float32",
        group="Speed",
        choices=("auto", "float32", "mixed_bfloat16"),
    )
    jit_compile: str = setting(
        "auto",
        "compile the step by XLA; auto: on a GPU, and for sgd in float32",
        group="Speed",
        choices=("auto", "true", "false"),
    )
    strategy: str = setting(
        "none",
        "train on one device; on all GPUs of this machine (mirrored); or on the machines that the"
        " environment variable TF_CONFIG names. Each minibatch is divided among them",
        group="Speed",
        choices=("none", "mirrored", "multi_worker"),
    )

    def __post_init__(self):
        super().__post_init__()
        rules.check_together(self)

    @classmethod
    def of(cls, **given):
        """Makes the settings of a system: those given, else its own defaults, else the usual ones.

        Raises:
            InputError: If one of them is out of its range, has no effect, or contradicts another.
        """
        variant = VARIANTS.get(given.get("model", "aae"))
        defaults = dict(variant.defaults) if variant else {}
        if given.get("prior") in COMPONENT_PRIORS:
            # There it would tie z to the class instead of freeing it.
            defaults.pop("condition_prior_on_labels", None)
        if "vat_weight" in given:
            defaults["consistency"] = "vat" if given["vat_weight"] else "none"
        config = cls(**defaults | given)
        rules.check_given(config, given)
        return config

    @property
    def variant(self):
        """The row of `VARIANTS`."""
        return VARIANTS[self.model]

    @property
    def phases(self):
        """Names of the phases, in their order."""
        without_labels = self.num_labels is None
        chosen = {
            "classification": not without_labels,
            "consistency": without_labels and self.consistency != "none",
        }
        return [name for name in self.variant.phases if chosen.get(name, True)]

    @property
    def uses_labels(self):
        """Whether the training reads the labels of (some) training images."""
        needed = self.variant.labels == "needed" or self.num_labels is not None
        return needed or self.condition_prior_on_labels

    @property
    def prior_function(self):
        """The "module:function" that samples the prior; None: it is none of the user's."""
        is_function = self.prior not in PRIORS and not self.prior.endswith(".npy")
        return self.prior if is_function else None

    @property
    def labelled_images_only(self):
        """Whether an image without a label cannot be trained on, as its y has to be given."""
        return self.variant.y == "given"

    @property
    def infers_clusters(self):
        """Whether y is a cluster that is found without labels."""
        return self.variant.y == "inferred" and self.num_labels is None

    @property
    def step_schedule(self):
        """The epochs and factors of a step schedule, two lists of the same length."""
        try:
            epochs = [int(part) for part in self.step_epochs.split(",")]
            factors = [float(part) for part in self.step_factors.split(",")]
        except ValueError:
            epochs, factors = [], []
        factors = factors * len(epochs) if len(factors) == 1 else factors
        rising = epochs == sorted(set(epochs)) and min(epochs, default=0) > 0
        if not rising or len(factors) != len(epochs) or not all(0 < f < 1e9 for f in factors):
            raise InputError(
                "step_epochs must be rising epochs, such as 50,1000, and step_factors one factor"
                " above 0, or one for each. "
                f"Received: step_epochs={self.step_epochs}, step_factors={self.step_factors}"
            )
        return epochs, factors

    def for_data(self, num_images):
        """Fills in the number of epochs where it was left open, and checks what the data decides.

        Args:
            num_images: Number of training images.

        Raises:
            InputError: If a minibatch is larger than the data, or the game on y would not begin.
        """
        if self.labelled_images_only and self.num_labels:
            num_images = min(num_images, self.num_labels)
        if self.batch_size > num_images:
            raise InputError(
                f"batch_size must be at most the {num_images} training images. "
                f"Received: batch_size={self.batch_size}"
            )
        steps = num_images // self.batch_size
        epochs = self.epochs or max(DEFAULT_EPOCHS, math.ceil(MIN_STEPS / steps))
        if self.y_start >= epochs * steps:
            raise InputError(
                f"y_start must be below the {epochs * steps} minibatches of the training. "
                f"Received: y_start={self.y_start}"
            )
        return dataclasses.replace(self, epochs=epochs)
