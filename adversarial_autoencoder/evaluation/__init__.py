"""Measures of a trained model. They take NumPy arrays and return numbers."""
