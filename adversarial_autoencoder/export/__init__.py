"""Trained models for use elsewhere: SavedModel, ONNX, LiteRT and Keras files, and a page."""
