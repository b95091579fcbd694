"""Faces on disk, packed and split by person, and how they come back as training batches."""
