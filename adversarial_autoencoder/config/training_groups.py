"""Settings of the training. One class is a group in `--help`, one field is a flag."""

import dataclasses

from adversarial_autoencoder.config.setting import Search, Settings, above, at_least, setting
from adversarial_autoencoder.systems import (
    ADVERSARIAL_LOSSES,
    ADVERSARIAL_PHASES,
    CLASSIFICATION,
    CONSISTENCY,
    CONSISTENCY_LOSSES,
    INFERS_Y,
    MMD,
    SYSTEMS,
)

# The least default length of a training, for small data sets, in minibatches.
MIN_STEPS = 2000
# Small data has 10 minibatches in an epoch, of at least 10 images, because the adversarial phase
# compares distributions.
BATCHES, MIN_BATCH_SIZE = 10, 10
# The default weights of the discrepancy: the loss of a table is about ten times that of images.
MMD_WEIGHT, MMD_WEIGHT_OF_TABLES = 0.25, 2.5
# The default lengths of the VAT step for one input: 1.5 for the 28x28 pixels of MNIST. That of a
# table is as long in standard deviations of an input: pixels of MNIST have 0.31.
VAT_STEP, VAT_STEP_OF_TABLES = 1.5 / 28, 1.5 / 28 / 0.31
LARGE = 10**9
# The history has a row for each epoch.
MAX_EPOCHS = 100_000

# The default lengths of the systems, in epochs.
EPOCHS = {system.epochs for system in SYSTEMS.values()}
# The default sizes of a minibatch.
BATCH_SIZES = {system.batch_size for system in SYSTEMS.values()}

# Phases without which a setting has no effect.
CLASSIFIES = (CLASSIFICATION, CONSISTENCY)


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class TrainingSettings(Settings):
    """Length of the training, and its losses."""

    GROUP = "Training"

    epochs: int | None = setting(
        None,
        f"passes over the training images; not given: {min(EPOCHS)} to {max(EPOCHS)}, by the"
        f" model, or enough for {MIN_STEPS} minibatches on small data",
        within=at_least(1, MAX_EPOCHS + 1),
    )
    batch_size: int | None = setting(
        None,
        f"images in a minibatch; not given: {min(BATCH_SIZES)} or {max(BATCH_SIZES)}, by the"
        " model, or fewer for small data",
        within=at_least(1, LARGE),
    )
    adversarial_loss: str = setting(
        "non_saturating",
        "loss of discriminator and generator",
        choices=ADVERSARIAL_LOSSES,
        phases=ADVERSARIAL_PHASES,
    )
    gradient_penalty: float = setting(
        10.0,
        "weight of the gradient penalty of wasserstein_gp",
        within=at_least(0),
        needs={"adversarial_loss": ("wasserstein_gp",)},
    )
    mmd_weight: float | None = setting(
        None,
        "weight of the maximum mean discrepancy, relative to the mean loss over pixels or columns;"
        f" not given: {MMD_WEIGHT} for images, {MMD_WEIGHT_OF_TABLES} for tables",
        within=at_least(0),
        search=Search(0.01, 10, log=True),
        phases=(MMD,),
    )
    consistency: str = setting(
        "none",
        "keep q(y|x) stable near every image: vat, under the small step that changes it most"
        " (virtual adversarial training); augment, under small random shifts and rotations",
        choices=("none", *CONSISTENCY_LOSSES),
        phases=CLASSIFIES,
    )
    vat_weight: float = setting(
        1.0,
        "weight of the VAT loss; giving it selects --consistency vat",
        within=at_least(0),
        search=Search(0.1, 10, log=True),
        needs={"consistency": ("vat",)},
        phases=CLASSIFIES,
    )
    vat_epsilon: float | None = setting(
        None,
        "length of the VAT step: Euclidean norm over all pixels in [0, 1]; not given: 1.5 for"
        " 28x28 pixels, 1.7 for a table of 100 inputs, in proportion to the square root of their"
        " number",
        within=above(0),
        needs={"consistency": ("vat",)},
        phases=CLASSIFIES,
    )
    vat_warmup: int | None = setting(
        None,
        "minibatches over which --vat_epsilon grows from 0; not given: an eighth of the training"
        " with labels, 0 without",
        within=at_least(0, LARGE),
        needs={"consistency": ("vat",)},
        phases=CLASSIFIES,
    )
    information_weight: float = setting(
        0.0,
        "weight of the mutual information between x and y (Hu et al. 2017), which finds clusters;"
        " the paper uses 0.1",
        within=at_least(0),
        search=Search(0.01, 1, log=True),
        needs={"consistency": CONSISTENCY_LOSSES},
        phases=CLASSIFIES,
    )
    detach_y: bool = setting(
        False,
        "stop the gradient of the reconstruction at y; it still trains the hidden layers that y"
        " shares with z",
        phases=INFERS_Y,
    )
    y_start: int | None = setting(
        None,
        "minibatches before the adversarial phase on y updates the encoder; its learning rate then"
        " grows over as many minibatches. The discriminator trains from the start; not given: with"
        " a consistency loss, a sixth of the training with labels, four fifths without",
        within=at_least(0, LARGE),
        phases=CLASSIFIES,
    )
    seed: int = setting(0, "seed of weights, noise and shuffling", within=at_least(0, 2**31))


def _learning_rate(default, updated, phases=(), lowest=1e-4):
    """The learning rate of one kind of step."""
    return setting(
        default,
        f"learning rate of {updated}",
        within=above(0),
        phases=phases,
        search=Search(lowest, 1e-2, log=True),
    )


def _momentum(updated, phases=()):
    """The momentum of one kind of step."""
    return setting(
        0.9, f"momentum of {updated}: Adam's beta_1 or SGD's", within=at_least(0, 1), phases=phases
    )


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class OptimizerSettings(Settings):
    """The optimizer of each step. The fields are named after `systems.STEP_KINDS`."""

    GROUP = "Optimizer"

    optimizer: str = setting(
        "adam", "optimizer of every step of the procedure", choices=("adam", "sgd")
    )
    reconstruction_learning_rate: float = _learning_rate(2.2e-3, "encoder and decoder")
    discriminator_learning_rate: float = _learning_rate(
        2e-4, "the discriminators; conv: the default is 1e-4", ADVERSARIAL_PHASES, lowest=1e-5
    )
    generator_learning_rate: float = _learning_rate(
        2e-3, "the encoder as generator; conv: the default is 1e-3", ADVERSARIAL_PHASES
    )
    classification_learning_rate: float = _learning_rate(
        1e-3, "the encoder as classifier", CLASSIFIES
    )
    reconstruction_momentum: float = _momentum("encoder and decoder")
    discriminator_momentum: float = _momentum("the discriminators", ADVERSARIAL_PHASES)
    generator_momentum: float = _momentum("the encoder as generator", ADVERSARIAL_PHASES)
    classification_momentum: float = _momentum("the encoder as classifier", CLASSIFIES)
    generator_epsilon: float = setting(
        1.8e-2,
        "Adam's epsilon for the generator; gradients much smaller than it make smaller steps",
        within=above(0),
        search=Search(1e-5, 0.1, log=True),
        needs={"optimizer": ("adam",)},
        phases=ADVERSARIAL_PHASES,
    )
    learning_rate_schedule: str = setting(
        "cosine",
        "constant; cosine: falls to 0 along a half cosine over all epochs, except for the"
        " discriminators; step: changes by --step_factors",
        choices=("constant", "cosine", "step"),
    )
    step_epochs: str = setting(
        "50,1000",
        "epochs after which a step schedule changes the learning rates",
        needs={"learning_rate_schedule": ("step",)},
    )
    step_factors: str = setting(
        "0.1",
        "factors of a step schedule: one for all epochs of --step_epochs, or one for each",
        needs={"learning_rate_schedule": ("step",)},
    )


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class SpeedSettings(Settings):
    """How the devices compute."""

    GROUP = "Speed"

    deterministic: bool = setting(
        False, "use only deterministic kernels, also on a GPU, where they are slower"
    )
    precision: str = setting(
        "auto",
        "precision of the hidden layers; auto: mixed_bfloat16 for fully connected networks if the"
        " processor supports it, otherwise float32",
        choices=("auto", "float32", "mixed_bfloat16"),
    )
    jit_compile: str = setting(
        "auto",
        "compile the training step with XLA; auto: on a GPU, and for sgd in float32",
        choices=("auto", "true", "false"),
    )
    strategy: str = setting(
        "none",
        "none: one device; mirrored: all GPUs of this machine; multi_worker: the machines that the"
        " environment variable TF_CONFIG names. Each minibatch is split among them",
        choices=("none", "mirrored", "multi_worker"),
    )
