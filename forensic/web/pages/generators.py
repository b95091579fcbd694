"""The generators that pages offer, each with a line about it."""

from __future__ import annotations

from forensic.cases.renditions import generator_names
from forensic.weights.catalogue import load_catalogue


def offered_generators() -> list[tuple[str, str]]:
    """Return name and training data of every trained generator."""
    catalogue = load_catalogue()
    return [(name, catalogue[name].training_data) for name in generator_names()]
