"""Trained weights: what is known about each, where its file lies, and whether it is intact."""
