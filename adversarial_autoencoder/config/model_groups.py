"""Settings of model and data. One class is a group in `--help`, one field is a flag."""

import dataclasses

from adversarial_autoencoder.config.image_form import AUTO, CHANNELS
from adversarial_autoencoder.config.setting import Search, Settings, above, at_least, setting
from adversarial_autoencoder.systems import (
    ADVERSARIAL_PHASES,
    COMPONENT_PRIORS,
    HIDDEN,
    INFERS_Y,
    POSTERIORS,
    PRIORS,
    RECONSTRUCTION_LOSSES,
    SYSTEMS,
    priors_that_read,
)

# The systems that find clusters if there are no labels, and those with cluster heads.
WITHOUT_LABELS = tuple(
    name for name, s in SYSTEMS.items() if s.y == "inferred" and s.labels != "needed"
)
WITH_HEADS = tuple(name for name, s in SYSTEMS.items() if s.cluster_heads)
# The default number of components of a prior that is not conditioned on labels.
COMPONENTS = 10


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class ModelSettings(Settings):
    """What the model is."""

    GROUP = "Model"

    model: str = setting("aae", "system to train", choices=SYSTEMS)
    z_dim: int = setting(2, "dimensions of the style code z", within=at_least(1, 100_001))
    posterior: str = setting(
        "deterministic",
        "q(z|x): a point; a Gaussian; or universal, any distribution from noise that the encoder"
        " gets as an extra input",
        choices=POSTERIORS,
    )
    noise_dim: int = setting(
        10,
        "noise inputs of the encoder with a universal posterior",
        within=at_least(1, 100_001),
        needs={"posterior": ("universal",)},
    )
    num_labels: int | None = setting(
        None,
        "number of labelled training images, balanced over the classes (of a table: drawn from all"
        " rows); the others count as unlabelled (a system that needs y for each image skips them)."
        " 0: all. Not given: all, or none for a system that works without labels",
        within=at_least(0, 10**9),
    )
    num_clusters: int = setting(
        10,
        "number of values of y if the system infers it without labels",
        within=at_least(2, 10_001),
        needs={"model": WITHOUT_LABELS},
    )
    head_margin: float = setting(
        2.0,
        "minimum distance between cluster heads; the training pushes closer ones apart",
        within=at_least(0),
        needs={"model": WITH_HEADS},
    )
    reconstruction_loss: str = setting(
        "mse", "mean squared error, or binary cross-entropy", choices=RECONSTRUCTION_LOSSES
    )


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class PriorSettings(Settings):
    """The distributions that the codes follow."""

    GROUP = "Prior"

    prior: str = setting(
        "gaussian",
        f"p(z): {', '.join(PRIORS)}; FILE.npy with samples of shape (n, z_dim); or module:function,"
        " your sampler (n, dim, seed) -> tensor, with a seed for tf.random.stateless_normal",
        is_path=True,
    )
    prior_std: float = setting(
        5.0,
        "standard deviation of the prior",
        within=above(0),
        needs={"prior": priors_that_read("prior_std")},
    )
    prior_shape: float = setting(
        2.0,
        "shape of the gamma prior",
        within=above(0),
        needs={"prior": priors_that_read("prior_shape")},
    )
    prior_components: int | None = setting(
        None,
        "number of components of the mixture, or of segments of the Swiss roll; not given:"
        f" {COMPONENTS}, or one for each class",
        within=at_least(1, 10_001),
        needs={"prior": COMPONENT_PRIORS},
    )
    prior_radius: float = setting(
        8.0,
        "distance of the mixture's means, or of the Swiss roll's outer end, from the origin",
        within=above(0),
        needs={"prior": priors_that_read("prior_radius")},
    )
    prior_width: float = setting(
        0.5,
        "standard deviation across each component of the mixture, or around the Swiss roll",
        within=above(0),
        needs={"prior": priors_that_read("prior_width")},
    )
    prior_length: float = setting(
        2.0,
        "standard deviation along each component of the mixture",
        within=above(0),
        needs={"prior": priors_that_read("prior_length")},
    )
    prior_turns: float = setting(
        2.0,
        "turns of the Swiss roll",
        within=above(0, 101),
        needs={"prior": priors_that_read("prior_turns")},
    )
    y_temperature: float = setting(
        0.0,
        "p(y): 0 gives one-hot samples; above 0 they are relaxed (Maddison et al. 2017), so that"
        " the encoder can stay undecided",
        within=at_least(0, 100),
        phases=INFERS_Y,
    )
    condition_prior_on_labels: bool = setting(
        False,
        "pair each labelled image with the component of its class (section 2.3); if the prior has"
        " no components, make z independent of the class",
    )


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class NetworkSettings(Settings):
    """Encoder, decoder and discriminators."""

    GROUP = "Networks"

    network: str = setting(
        "mlp", "fully connected or convolutional encoder and decoder", choices=("mlp", "conv")
    )
    hidden_units: int = setting(
        HIDDEN["mlp"]["hidden_units"],
        "units in each hidden layer; conv: the deepest layer has a sixteenth of it as filters, and"
        f" the default is {HIDDEN['conv']['hidden_units']}, as for a model with y",
        within=at_least(1, 100_001),
        search=Search(64, 2000, log=True),
    )
    hidden_layers: int = setting(
        HIDDEN["mlp"]["hidden_layers"],
        f"hidden layers of each network; the default is {HIDDEN['conv']['hidden_layers']} for conv"
        " and for a model with y",
        within=at_least(1, 101),
    )
    dropout: float = setting(
        0.0,
        "fraction of hidden units dropped in training",
        within=at_least(0, 1),
        search=Search(0, 0.5),
    )
    batch_norm: bool = setting(False, "batch normalization in the encoder's hidden layers")
    separate_y: bool = setting(
        False,
        "give an inferred y its own hidden layers in the encoder, which the adversarial phase on z"
        " does not update",
        phases=INFERS_Y,
    )
    weight_std: float = setting(
        0.0,
        "standard deviation of the initial weights N(0, std^2); 0: Glorot uniform",
        within=at_least(0),
    )
    input_noise: float = setting(
        0.1,
        "corruption of the encoder's input in training: standard deviation, or fraction of pixels",
        within=at_least(0, 1),
        search=Search(0, 0.5),
    )
    corruption: str = setting(
        "gaussian",
        "kind of --input_noise: add Gaussian noise, or set pixels to 0 and scale up the others",
        choices=("gaussian", "masking"),
    )
    normalize_codes: bool = setting(
        True,
        "batch-normalize the features that z is computed from, and show the discriminator of z the"
        " codes in units of the prior, so that the adversarial phase works on any data and z_dim",
        phases=ADVERSARIAL_PHASES,
    )
    discriminator_noise: float = setting(
        0.2,
        "standard deviation of the noise on the discriminators' input in training; with"
        " --normalize_codes that of z is in standard deviations of the prior",
        within=at_least(0, 1),
        search=Search(0, 0.5),
        phases=ADVERSARIAL_PHASES,
    )


@dataclasses.dataclass(frozen=True, kw_only=True, init=False)
class DataSettings(Settings):
    """The images or the table."""

    GROUP = "Data"

    dataset: str | None = setting(
        None,
        "mnist, fashion_mnist, digits (8x8, embedded), an .npz or .mat file, a folder of images, or"
        " a table (.csv, .tsv, .parquet, .npy); not given: mnist, or digits if mnist is not"
        " available",
        is_path=True,
    )
    label_column: str | None = setting(
        None, "column of a table that has the labels; an empty value: unlabelled"
    )
    drop_columns: str | None = setting(
        None, "columns of a table to leave out, as a,b,c, such as names and identifiers"
    )
    columns: str | None = setting(
        None,
        "JSON file that declares columns of a table: an object from their names to numeric or"
        " categorical. Not given, or another column: inferred",
        is_path=True,
    )
    test_dataset: str | None = setting(
        None,
        "file with the test rows of a table; not given: a sixth of --dataset",
        is_path=True,
    )
    train_on: str | None = setting(
        None,
        "train on items of these classes alone, the normal ones of --mode score: names of classes,"
        " or numbers from 0, as a,b,c",
    )
    data_dir: str | None = setting(
        None,
        "folder with mnist.npz or the four IDX files; not given: the environment variable"
        " AAE_DATA_DIR, or Keras's download cache",
        is_path=True,
    )
    image_size: str | None = setting(
        None,
        "height, or HxW, in pixels: resize images so that they cover it, and crop them at the"
        " centre; flat arrays get this shape. Not given: all images must have one size",
    )
    channels: str = setting(
        AUTO,
        "channels of the images: 1 is grey, 3 is colour; auto: 3 if an image is in colour",
        choices=CHANNELS,
    )
    value_range: str = setting(
        AUTO,
        "LOW,HIGH: the values that are black and white; dtype: 0,255 for integers (0,65535 in"
        " 16-bit files) and 0,1 for floats; auto: from the data, for usual ranges",
    )
