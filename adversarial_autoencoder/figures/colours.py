"""The colours of classes and of the prior."""

import numpy as np
from matplotlib import colormaps

# Ten colours without grey, chosen by numerical optimization: each two differ by at least 0.1 in
# OKLab, also for readers with protanopia, deuteranopia or tritanopia (simulated after Machado et
# al. 2009). In Matplotlib's "tab10" two colours differ by 0.007 with protanopia.
CLASSES = (
    "#0e84b9",
    "#d68b0a",
    "#26b992",
    "#c00515",
    "#6129e3",
    "#4e1900",
    "#c5b2ff",
    "#2dffc0",
    "#0c295b",
    "#ffd847",
)
# No class has this colour.
PRIOR = "#737373"


def class_colours(num_classes: int) -> np.ndarray:
    """Chooses a colour for each class.

    Args:
        num_classes: Number of classes. Up to 10 classes have the colours of `CLASSES`. The colours
            of more classes are equidistant on a colour map, so that neighbours are similar.

    Returns:
        RGBA colours, a float array of shape (num_classes, 4).

    Example:
        >>> from adversarial_autoencoder.figures.colours import class_colours
        >>> class_colours(3).shape, class_colours(400).shape
        ((3, 4), (400, 4))
    """
    if num_classes <= len(CLASSES):
        from matplotlib.colors import to_rgba_array

        return to_rgba_array(CLASSES[:num_classes])
    return colormaps["turbo"](np.linspace(0, 1, num_classes))
