"""Trained models for use elsewhere: a page that explores the latent space in a browser."""
