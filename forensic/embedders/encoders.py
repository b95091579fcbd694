"""Which sketch encoder belongs to an embedder."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from forensic.embedders.adapter import SketchAdapter, SketchEncoder
from forensic.embedders.drawn import DrawnEmbedder
from forensic.embedders.embedder import Embedder
from forensic.embedders.joint import JointAdapter, JointEmbedder
from forensic.errors import MissingWeights
from forensic.weights.bundle import read_bundle_metadata
from forensic.weights.store import BUNDLED, find_weights


def find_adapter(
    embedder: Embedder, *, drawn: bool = False, folder: Path | None = None
) -> Path | None:
    """Return the file of an embedder's adapter, or None.

    `adapter*.safetensors` in the folder of fetched weights are looked at first, so that one's own
    goes before a bundled one; what counts is which embedder a file says it belongs to. Of several
    in one place, that for the wanted kind of gallery is taken; a single one serves both kinds.

    Args:
        embedder: A single one, neither drawn nor joined.
        drawn: Whether the gallery is drawn.
        folder: Folder of fetched weights; without it only bundled adapters are found.

    Raises:
        WeightsError: A file there is damaged.
        HashMismatch: A bundled file is not the one that the catalogue records.
    """
    places = [BUNDLED] if folder is None else [folder, BUNDLED]
    for place in places:
        found: dict[bool, Path] = {}
        for path in sorted(place.glob("adapter*.safetensors")):
            config = json.loads(read_bundle_metadata(path).get("config", "{}"))
            if config.get("embedder_weights_sha256") == embedder.weights_sha256:
                found.setdefault(config.get("drawn", False), path)
        if found:
            path = found.get(drawn) or next(iter(found.values()))
            return find_weights(path.stem) if place == BUNDLED else path
    return None


def load_adapter(
    embedder: Embedder, *, device: torch.device, drawn: bool = False, folder: Path | None = None
) -> SketchEncoder:
    """Return the adapter of an embedder; for composed ones, those of all parts.

    Args:
        embedder: The gallery's.
        device: Where to compute.
        drawn: Whether the gallery is to be drawn; a drawn embedder's own encoder needs no telling.
        folder: Folder of fetched weights; without it only bundled adapters are found.

    Raises:
        MissingWeights: There is none; the message says what makes one.
        WeightsError: The file is damaged or belongs to another embedder.
    """
    if isinstance(embedder, DrawnEmbedder):
        return embedder.encoder
    if isinstance(embedder, JointEmbedder):
        parts = embedder.joined
        return JointAdapter(
            {e.name: load_adapter(e, device=device, drawn=drawn, folder=folder) for e in parts}
        )
    path = require_adapter(embedder, drawn=drawn, folder=folder)
    return SketchAdapter(weights_path=path, embedder=embedder, device=device)


def require_adapter(embedder: Embedder, *, drawn: bool = False, folder: Path | None = None) -> Path:
    """Return the file of an embedder's adapter, found as by `find_adapter`.

    Raises:
        MissingWeights: There is none; the message says what makes one.
        WeightsError: A file there is damaged.
        HashMismatch: A bundled file is not the one that the catalogue records.
    """
    path = find_adapter(embedder, drawn=drawn, folder=folder)
    if path is None:
        raise MissingWeights(
            f"There is no adapter for the embedder {embedder.name}. Train one with `forensic "
            "train adapter --embedder` and put its adapter*.safetensors into the folder of "
            f"weights{f' {folder}' if folder else ''}."
        )
    return path
