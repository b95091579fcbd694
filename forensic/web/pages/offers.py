"""The models that forms offer, each with a line about it."""

from __future__ import annotations

from forensic.cases.galleries import EmbedderChoice, embedders
from forensic.cases.renditions import generator_names
from forensic.weights.catalogue import load_catalogue
from forensic.weights.embedders import DRAWN


def offered_generators() -> list[tuple[str, str]]:
    """Return name and origin of every trained generator."""
    catalogue = load_catalogue()
    return [(name, f"Taught on: {catalogue[name].training_data}") for name in generator_names()]


def offered_embedders() -> list[tuple[str, str]]:
    """Return name and label of every embedder; those that come with the package first."""
    choices = sorted(embedders(), key=lambda choice: not choice.is_bundled)
    return [(choice.name, _label(choice)) for choice in choices]


def _label(choice: EmbedderChoice) -> str:
    if choice.name.startswith(DRAWN):
        return f"{choice.name} (best for sketches: photos are drawn as well)"
    return choice.name if choice.is_bundled else f"{choice.name} (fetch it first)"
