"""The table of ways from a sketch to a vector that can be searched with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from forensic.embedders.adapter import ADAPTER, SketchEncoder
from forensic.embedders.embedder import Embedder, parts_of
from forensic.embedders.encoders import load_adapter
from forensic.faces.align import align_face
from forensic.generators.registry import load_generator
from forensic.identification.enrol import embed_faces
from forensic.identification.fusion import check_parts, fuse_vectors
from forensic.identification.hand import Hand, HandMethod
from forensic.identification.inverter import SketchInverter
from forensic.identification.probes import Method, Probes
from forensic.registry import Registry
from forensic.values import RGB, Landmarks
from forensic.weights.fusions import BEST, Fusion, find_fusion


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


class AdapterMethod:
    """Embeds the sketch with the sketch encoder that belongs to the embedder."""

    def __init__(self, *, embedder: Embedder, adapter: SketchEncoder, name: str = ADAPTER) -> None:
        self.name = name
        self.embedder = embedder
        self._adapter = adapter
        self.weights_sha256 = adapter.weights_sha256

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,  # noqa: ARG002 - encoding does not depend on it
    ) -> Probes:
        """Return where the photos of the sketches should lie.

        Raises:
            InputError: A sketch or its landmarks cannot be used.
        """
        if not sketches:
            return Probes(np.zeros((0, self.embedder.dimension), dtype=np.float32), ())
        template = self.embedder.template
        pairs = zip(sketches, landmarks, strict=True)
        crops = np.stack([align_face(sketch, points, template)[0] for sketch, points in pairs])
        return Probes(self._adapter.embed(crops), (None,) * len(sketches))


class FusionMethod:
    """Adds up several methods with weights learnt on other people.

    Args:
        fusion: Weights and their origin.
        parts: The methods, in the fusion's order; all of one embedder.
        name: What results call it.

    Attributes:
        parts: The methods.
        weights: Weight of each, by name.

    Raises:
        WeightsError: A part has other weights than those that the fusion was fitted with.
    """

    def __init__(self, *, fusion: Fusion, parts: Sequence[Method], name: str = BEST) -> None:
        self.name = name
        self.embedder = parts[0].embedder
        self.fusion = fusion
        self.weights = {part.method: part.weight for part in fusion.parts}
        self.weights_sha256: dict[str, str] = {}
        self.parts = tuple(parts)
        check_parts(fusion, {part.name: part.weights_sha256 for part in parts})
        for part in parts:
            self.weights_sha256 |= part.weights_sha256

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,
    ) -> Probes:
        """Return the weighted sum of the parts' vectors, each part's own, and the first's faces.

        Raises:
            InputError: A sketch or its landmarks cannot be used.
            RangeError: The parts' vectors cancel each other out.
        """
        probes = [p.probe(sketches, landmarks, is_simulated=is_simulated) for p in self.parts]
        vectors = {part.name: probe.vectors for part, probe in zip(self.parts, probes, strict=True)}
        faces = next((p.faces for p in probes if any(p.faces)), (None,) * len(sketches))
        return Probes(fuse_vectors(vectors, self.weights), faces, vectors)


METHODS: Registry[str | None] = Registry(
    "method",
    {
        "none": None,
        ADAPTER: None,
        BEST: None,
        "csi-line": "csi-line",
        "csi-grayscale": "csi-grayscale",
        "csi-color": "csi-color",
        "csi-grayscale-identity": "csi-grayscale-identity",
        "csi-color-identity": "csi-color-identity",
        "deepfacepencil-128-narrow": "deepfacepencil-128-narrow",
        "cali-sketch-128-narrow": "cali-sketch-128-narrow",
        "study-conv-s2f-128-disjoint": "study-conv-s2f-128-disjoint",
    },
)
"""Name to the trained generator used, or None where there is none."""


def create_method(
    name: str,
    *,
    embedder: Embedder,
    device: torch.device,
    weights: Path | None = None,
    hand: Hand | None = None,
) -> Method:
    """Return the method called `name`.

    Args:
        name: A name of `METHODS`.
        embedder: Embeds sketch or machine-made face; the gallery's must be the same.
        device: Where the generator computes.
        weights: Folder of fetched weights, for adapters and fusions of the user's own.
        hand: Other sketches by the artist of those that will be searched with.

    Raises:
        UnknownNameError: No such method.
        WeightsError: Weights are missing or damaged, or belong to another embedder.
        InputError: A sketch of the hand cannot be used.
    """
    if name == BEST:
        fusion = find_fusion(embedder.name, embedder.weights_sha256, folder=weights)
        parts = [
            create_method(part.method, embedder=embedder, device=device, weights=weights, hand=hand)
            for part in fusion.parts
        ]
        return FusionMethod(fusion=fusion, parts=parts)
    method = _create_one(name, embedder=embedder, device=device, weights=weights)
    return method if hand is None else HandMethod(method, hand)


def _create_one(
    name: str, *, embedder: Embedder, device: torch.device, weights: Path | None
) -> Method:
    generator = METHODS[name]
    if generator is not None:
        inverter = SketchInverter(load_generator(generator, device), device=device)
        return InversionMethod(embedder=embedder, inverter=inverter, name=name)
    if name == ADAPTER:
        adapter = load_adapter(embedder, device=device, folder=weights)
        return AdapterMethod(embedder=embedder, adapter=adapter)
    return DirectMethod(embedder=embedder, name=name)


def hand_of(method: Method) -> Hand | None:
    """Return whose style a method takes out of sketches, or None."""
    if isinstance(method, FusionMethod):
        return hand_of(method.parts[0])
    return method.hand if isinstance(method, HandMethod) else None


def describe_method(method: Method) -> dict[str, Any]:
    """Return what a result must name: method, embedder, geometry and weights' SHA-256."""
    embedder = method.embedder
    described: dict[str, Any] = {
        "method": method.name,
        "embedder": embedder.name,
        "embedder_template": embedder.template,
        "embedder_weights_sha256": embedder.weights_sha256,
    }
    if joined := parts_of(embedder):
        described["embedder_parts"] = joined
    if isinstance(method, FusionMethod):
        described["fusion_weights"] = dict(method.weights)
    hand = hand_of(method)
    if hand is not None:
        described["same_hand_sketches"] = len(hand.sketches)
        described["same_hand_sha256"] = hand.sha256
    return described
