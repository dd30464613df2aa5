"""What the measures check of their arrays."""


def check_same_shape(a, b):
    """Raises ValueError unless two arrays have the same shape."""
    if a.shape != b.shape:
        raise ValueError(f"The shapes must be equal. Received: {a.shape} and {b.shape}")


def check_same_width(a, b):
    """Raises ValueError unless two arrays are two-dimensional with rows of the same length."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            "The arrays must have the shapes (n, dim) and (m, dim). "
            f"Received: {a.shape} and {b.shape}"
        )
