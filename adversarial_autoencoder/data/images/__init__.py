"""Image files: finding, reading and resizing them."""
