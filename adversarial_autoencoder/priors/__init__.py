"""Prior distributions p(z) and p(y): samplers in the TensorFlow graph.

A prior is any callable `(n, dim, seed) -> tensor of shape (n, dim)`. `seed` is an integer tensor of
shape (2,), as the `tf.random.stateless_*` functions take it: the same seed gives the same samples,
so a resumed training goes on with the noise that it would have had.

A prior made of one component for each class also takes `labels`, an integer tensor of shape (n,):
sample i is then drawn from the component of class `labels[i]`, or, where that is negative
("unlabelled"), from the whole prior.
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
