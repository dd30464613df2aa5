"""The systems of the literature as data: which phases train them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Variant:
    """One system: what it is, and the names of its phases in the order of training."""

    description: str
    phases: tuple[str, ...]


VARIANTS = {
    "autoencoder": Variant(
        "autoencoder, whose codes leave gaps: what the others are compared with",
        phases=("reconstruction",),
    ),
    "aae": Variant(
        "adversarial autoencoder (Makhzani et al. 2015, section 2)",
        phases=("reconstruction", "regularization"),
    ),
}
