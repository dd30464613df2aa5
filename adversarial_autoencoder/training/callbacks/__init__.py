"""The Keras callbacks of a training."""

from adversarial_autoencoder.training.callbacks.checkpoint import Checkpoint
from adversarial_autoencoder.training.callbacks.collapse import WarnOfCollapse
from adversarial_autoencoder.training.callbacks.kept_frames import Frames
from adversarial_autoencoder.training.callbacks.pictures import Pictures
from adversarial_autoencoder.training.callbacks.prior_distance import PriorDistance
from adversarial_autoencoder.training.callbacks.progress import Progress
from adversarial_autoencoder.training.callbacks.safeguards import StopOnFault, StopOnSignal
from adversarial_autoencoder.training.callbacks.tensorboard import TensorBoard

__all__ = [
    "Checkpoint",
    "Frames",
    "Pictures",
    "PriorDistance",
    "Progress",
    "StopOnFault",
    "StopOnSignal",
    "TensorBoard",
    "WarnOfCollapse",
]
