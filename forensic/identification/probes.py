"""What a sketch is searched with, and what every way there offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from forensic.embedders.embedder import Embedder
from forensic.identification.inverter import MachineMadeFace
from forensic.values import RGB, Landmarks, Vectors


@dataclass(frozen=True)
class Probes:
    """Sketches ready to be searched with.

    Attributes:
        vectors: (B, D) unit rows.
        faces: The machine-made face of each sketch, or None where none was made.
        parts: For a fusion, the (B, D) unit rows of each of its methods by name.
    """

    vectors: Vectors
    faces: tuple[MachineMadeFace | None, ...]
    parts: Mapping[str, Vectors] = field(default_factory=dict)


class Method(Protocol):
    """Turns sketches into vectors of one embedder.

    Attributes:
        name: A name of `METHODS`.
        embedder: What the gallery must be embedded with as well.
        weights_sha256: SHA-256 of the weights of each generator it uses, by name.
    """

    name: str
    embedder: Embedder
    weights_sha256: dict[str, str]

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,
    ) -> Probes:
        """Return the vectors of sketches, and the faces made on the way.

        Args:
            sketches: Each (H, W, 3) uint8; sizes may differ.
            landmarks: Five points for each, in its pixels.
            is_simulated: The sketches were simulated in the method's own style.
        """
