"""Prior distributions p(z) and p(y), as samplers in the TensorFlow graph.

A prior is any callable `(n, dim, seed) -> tensor of shape (n, dim)`. `seed` is an integer tensor of
shape (2,), as for the `tf.random.stateless_*` functions. The same seed gives the same samples, so a
resumed training draws the same samples as an uninterrupted one.

A prior with one component for each class also accepts `labels`, an integer tensor of shape (n,).
Sample i then comes from component `labels[i]`. A negative label means "unlabelled": the sample
comes from the whole prior.
"""

from adversarial_autoencoder.priors.categorical import Categorical
from adversarial_autoencoder.priors.components import GaussianMixture, SwissRoll
from adversarial_autoencoder.priors.independent import Gamma, Gaussian, Laplace, Uniform
from adversarial_autoencoder.priors.moments import moments
from adversarial_autoencoder.priors.prior import Prior, draw, sample
from adversarial_autoencoder.priors.samples import Samples

__all__ = [
    "Categorical",
    "Gamma",
    "Gaussian",
    "GaussianMixture",
    "Laplace",
    "Prior",
    "Samples",
    "SwissRoll",
    "Uniform",
    "draw",
    "moments",
    "sample",
]
