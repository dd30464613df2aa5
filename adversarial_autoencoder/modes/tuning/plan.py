"""What a study searches, and by which measures it compares its trials."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adversarial_autoencoder import data
from adversarial_autoencoder.config import Config
from adversarial_autoencoder.config.files import with_effect
from adversarial_autoencoder.config.setting import Search, value_type
from adversarial_autoencoder.errors import InputError
from adversarial_autoencoder.modes.select_run import CHANGEABLE
from adversarial_autoencoder.runs.settings import file_checksum
from adversarial_autoencoder.systems import CLASSIFICATION

# From the name of a measure to a function of the last row of a run's history. Lower is better. All
# are measured on validation data.
MEASURES: dict[str, Callable[[Mapping[str, float]], float]] = {
    "reconstruction loss": lambda row: row["val_reconstruction_loss"],
    "distance to the prior": lambda row: row["val_prior_distance"],
    "classification error": lambda row: 1 - row["val_classification_accuracy"],
    "information loss": lambda row: row["val_information_loss"],
    "VAT loss": lambda row: row["val_vat_loss"],
    "augmentation loss": lambda row: row["val_augment_loss"],
}
STABILITY = {"vat": "VAT loss", "augment": "augmentation loss"}


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a study searches, and by which measures it compares its trials.

    Args:
        fixed: The settings that the user gives, which all trials have.
        config: The settings of a training without a search, resolved for the data.
        searched: The settings to search, a dict from name to range.
        measures: One or two keys of `MEASURES`.
        checksum: Checksum of the data.
    """

    fixed: dict[str, Any]
    config: Config
    searched: dict[str, Search]
    measures: tuple[str, ...]
    checksum: str

    @property
    def identity(self) -> dict[str, Any]:
        """What a study must have in common with the command that resumes it."""
        # The location of the data and the devices can change, but not the length of a trial.
        kept = {n: v for n, v in self.fixed.items() if n == "epochs" or n not in CHANGEABLE}
        if self.config.prior.endswith(".npy"):
            kept["prior"] = file_checksum(self.config.prior)
        return kept | {"data": self.checksum}

    def defaults(self) -> dict[str, float]:
        """The values of the searched settings without a search: those of the first trial."""
        return {name: getattr(self.config, name) for name in self.searched}

    def chosen(self, values: Mapping[str, float]) -> dict[str, float]:
        """The values of a trial as flags show them: whole numbers, or three digits.

        Args:
            values: The values that Optuna suggests, by the names of the settings.

        Returns:
            The values by name.
        """
        kinds = {field.name: value_type(field) for field in dataclasses.fields(Config)}
        return {
            name: int(value) if kinds[name] is int else float(f"{value:.3g}")
            for name, value in values.items()
        }


def make_plan(config: Config, dataset: data.Dataset, given: dict) -> Plan:
    """Selects the settings that are searched, and the measures.

    Args:
        config: The settings, resolved for the data.
        dataset: The data set.
        given: The settings that the user gives.

    Returns:
        The `Plan`.

    Raises:
        InputError: If there is no setting to search.
    """
    used = with_effect(config, dataset.schema is not None)
    ranges = {field.name: field.metadata["search"] for field in dataclasses.fields(config)}
    searched = {
        name: search
        for name, search in ranges.items()
        if search and name in used and name not in given and (used[name] or not search.log)
    }
    if not searched:
        could = [name for name, search in ranges.items() if search and name in used]
        raise InputError(
            f"--mode tune needs a setting to search: leave out {' or '.join(could)}. "
            "Received: values for all"
        )
    return Plan(given, config, searched, _measures(config), dataset.checksum)


def _measures(config):
    """The measures that say what the system is for."""
    if config.has_phase(CLASSIFICATION):
        return ("classification error",)
    if config.infers_clusters and config.information_weight:
        # Clusters that carry information about the images and are stable near each of them. They
        # need no labels.
        return ("information loss", STABILITY[config.consistency])
    return ("reconstruction loss", "distance to the prior")


def ranked(
    scores: Sequence[Sequence[float]], among: Sequence[Sequence[float]] | None = None
) -> list[int]:
    """Orders trials by their distance from the best value of each measure.

    Each measure is scaled so that its best value is 0 and its median is 1. So the first of several
    trials, none of which is better than another in all measures, is a compromise.

    Args:
        scores: The values of the measures of each trial; lower is better. Not empty.
        among: The same of all trials, for the medians; None: of these.

    Returns:
        The indices of the trials, the best first.

    Example:
        >>> from adversarial_autoencoder.modes.tuning.plan import ranked
        >>> ranked([(0.1, 0.9), (0.2, 0.2), (0.9, 0.1)])
        [1, 0, 2]
    """
    lows = [min(column) for column in zip(*scores, strict=True)]
    medians = [statistics.median(column) for column in zip(*(among or scores), strict=True)]
    sizes = [median - low or 1.0 for median, low in zip(medians, lows, strict=True)]

    def distance(i):
        return math.hypot(
            *((v - low) / n for v, low, n in zip(scores[i], lows, sizes, strict=True))
        )

    return sorted(range(len(scores)), key=distance)
