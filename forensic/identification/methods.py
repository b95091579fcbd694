"""The table of ways from a sketch to a vector that can be searched with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from forensic.embedders.embedder import Embedder
from forensic.generators.registry import load_generator
from forensic.identification.enrol import embed_faces
from forensic.identification.inverter import MachineMadeFace, SketchInverter
from forensic.registry import Registry
from forensic.values import RGB, Landmarks, Vectors


@dataclass(frozen=True)
class Probes:
    """Sketches ready to be searched with.

    Attributes:
        vectors: (B, D) unit rows.
        faces: The machine-made face of each sketch, or None where none was made.
    """

    vectors: Vectors
    faces: tuple[MachineMadeFace | None, ...]


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


class DirectMethod:
    """Embeds the sketch itself, as if it were a photo."""

    def __init__(self, *, embedder: Embedder, name: str = "none") -> None:
        self.name = name
        self.embedder = embedder
        self.weights_sha256: dict[str, str] = {}

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,  # noqa: ARG002 - embedding does not depend on it
    ) -> Probes:
        """Return the vectors of the sketches.

        Raises:
            InputError: A sketch or its landmarks cannot be used.
        """
        return Probes(embed_faces(self.embedder, sketches, landmarks), (None,) * len(sketches))


class InversionMethod:
    """Makes a face from the sketch and embeds that face."""

    def __init__(self, *, embedder: Embedder, inverter: SketchInverter, name: str) -> None:
        self.name = name
        self.embedder = embedder
        self._inverter = inverter
        self.weights_sha256 = inverter.weights_sha256

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,
    ) -> Probes:
        """Return the vectors of the machine-made faces, and those faces.

        Raises:
            InputError: A sketch or its landmarks cannot be used.
        """
        faces = self._inverter.invert(sketches, landmarks, is_simulated=is_simulated)
        vectors = embed_faces(self.embedder, [f.image for f in faces], [f.landmarks for f in faces])
        return Probes(vectors, tuple(faces))


METHODS: Registry[str | None] = Registry(
    "method",
    {
        "none": None,
        "csi-line": "csi-line",
        "csi-grayscale": "csi-grayscale",
        "csi-color": "csi-color",
    },
)
"""Name to the trained generator used, or None where the sketch itself is embedded."""


def create_method(name: str, *, embedder: Embedder, device: torch.device) -> Method:
    """Return the method called `name`.

    Args:
        name: A name of `METHODS`.
        embedder: Embeds sketch or machine-made face; the gallery's must be the same.
        device: Where the generator computes.

    Raises:
        UnknownNameError: No such method.
        WeightsError: The generator's weights are missing or damaged.
    """
    generator = METHODS[name]
    if generator is None:
        return DirectMethod(embedder=embedder, name=name)
    inverter = SketchInverter(load_generator(generator, device), device=device)
    return InversionMethod(embedder=embedder, inverter=inverter, name=name)


def describe_method(method: Method) -> dict[str, Any]:
    """Return what a result must name: method, embedder, geometry and weights' SHA-256."""
    embedder = method.embedder
    return {
        "method": method.name,
        "embedder": embedder.name,
        "embedder_template": embedder.template,
        "embedder_weights_sha256": embedder.weights_sha256,
    }
