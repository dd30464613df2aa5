"""The mode that searches good values of the settings by many trainings, its trials."""
