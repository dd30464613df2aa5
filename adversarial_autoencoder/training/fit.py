"""Compiles and fits a model: the part of a training that knows neither runs nor files."""

from adversarial_autoencoder.data.pipeline import training_batches
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.optimizers import make_optimizer
from adversarial_autoencoder.systems import CLASSIFICATION
from adversarial_autoencoder.training.build import build

# Minibatches in one call of the compiled function, at most.
MAX_STEPS = 50


def compiled(config, image_shape, steps_per_epoch, class_shares=None, schema=None):
    """Builds the model of a configuration, and compiles it.

    Args:
        config: A `Config` with the sizes that `Config.for_data` fills in.
        image_shape: Shape of one image, or of one row.
        steps_per_epoch: Minibatches in an epoch of `fit`, which divides the calls of the compiled
            function.
        class_shares: Fraction of each class among the labelled images; None without labels.
        schema: The `tables.Schema` of a data set of rows; None for images.

    Returns:
        An `AdversarialAutoencoder` with its optimizers.

    Raises:
        InputError: If the prior does not fit.
    """
    model = build(config, image_shape, class_shares, schema)
    model.compile(
        make_optimizer(config, model.steps, steps_per_epoch),
        jit_compile=config.jit_compile == "true",
        # On several devices Keras executes only one step at a time.
        steps_per_execution=(
            _divisor(steps_per_epoch, limit=MAX_STEPS) if config.strategy == "none" else 1
        ),
    )
    return model


def fit(model, config, x, labels, steps_per_epoch, strategy, initial_epoch=0, **arguments):
    """Fits a compiled model to shuffled minibatches.

    Args:
        model: What `compiled` returns.
        config: Its `Config`.
        x: Images or rows, an array of shape (n, ...) or `data.shards.Shards`.
        labels: Labels, int32 of shape (n,), negative for unlabelled images; or None.
        steps_per_epoch: Minibatches in an epoch.
        strategy: A `tf.distribute.Strategy`.
        initial_epoch: Number of completed epochs.
        **arguments: Further arguments of `AdversarialAutoencoder.fit`.
    """

    def batches(worker):
        return training_batches(
            x,
            config.batch_size,
            config.seed,
            initial_epoch,
            labels,
            labelled_stream=config.has_phase(CLASSIFICATION),
            worker=worker,
        )

    model.fit(
        strategy.distribute_datasets_from_function(batches),
        shuffle=False,
        steps_per_epoch=steps_per_epoch,
        initial_epoch=initial_epoch,
        verbose=0,
        **arguments,
    )


def check_batch_size(config, class_shares=None, replicas=1):
    """Checks that a minibatch is large enough for the mutual information between x and y.

    Args:
        config: A `Config` with its `batch_size`.
        class_shares: Fraction of each class among the labelled images; None without labels.
        replicas: Number of replicas that share a minibatch.

    Raises:
        InputError: If it is not.
    """
    values = config.num_clusters if config.infers_clusters else len(class_shares or ())
    if config.information_weight and config.batch_size < values * replicas:
        raise InputError(
            f"information_weight needs at least {values} images in a minibatch, one for each "
            f"value of y{f', on each of {replicas} replicas' if replicas > 1 else ''}. "
            f"Received: batch_size={config.batch_size}"
        )


def _divisor(n, limit):
    """The largest divisor of `n` up to `limit`, because `fit` runs only whole groups of steps."""
    return max(d for d in range(1, limit + 1) if n % d == 0)
