"""Networks that turn a sketch into a photo-like face."""
