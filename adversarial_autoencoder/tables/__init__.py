"""Tables: rows of numeric and categorical columns."""

from adversarial_autoencoder.tables.column import Column
from adversarial_autoencoder.tables.schema import Schema, check_rows, default_names

__all__ = ["Column", "Schema", "check_rows", "default_names"]
