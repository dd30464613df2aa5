"""Checks of the arrays that the measures take."""

import numpy as np


def check_same_shape(a: np.ndarray, b: np.ndarray) -> None:
    """Checks that two arrays have the same shape.

    Args:
        a: An array.
        b: An array.

    Raises:
        ValueError: If the shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"The arrays must have the same shape. Received: {a.shape} and {b.shape}")


def check_same_width(a: np.ndarray, b: np.ndarray) -> None:
    """Checks that two arrays are two-dimensional and have rows of the same length.

    Args:
        a: An array, expected shape (n, dim).
        b: An array, expected shape (m, dim).

    Raises:
        ValueError: If an array is not two-dimensional or the row lengths differ.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            "The arrays must have the shapes (n, dim) and (m, dim). "
            f"Received: {a.shape} and {b.shape}"
        )


def check_indices(name: str, indices: np.ndarray, size: int) -> None:
    """Checks that all indices of classes or clusters are below a number and not negative.

    Args:
        name: What the indices are, for the error message.
        indices: An integer array, not empty.
        size: Number of classes or clusters.

    Raises:
        ValueError: If an index is not in 0..size - 1.
    """
    low, high = indices.min(), indices.max()
    if low < 0 or high >= size:
        raise ValueError(f"{name} must be in 0..{size - 1}. Received: {low}..{high}")
