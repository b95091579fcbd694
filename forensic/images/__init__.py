"""Decoding and encoding images, and arithmetic on their pixels; no faces and no networks."""
