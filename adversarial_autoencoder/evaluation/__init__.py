"""Measures of what was learned: NumPy arrays in, numbers out."""
