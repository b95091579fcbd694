"""Fusions: which methods count how much beside one embedder, as `best*.json` files tell it.

The file is read without the networks that it is about, so that the web process can say what a
search will compare. What is done with it stands in `forensic.identification.fusion`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from forensic.errors import MissingWeights, WeightsError
from forensic.files import write_json
from forensic.weights.store import BUNDLED

BEST = "best"
"""What the fusion of an embedder is called, among methods and in the service."""


@dataclass(frozen=True)
class FusionPart:
    """One way from sketch to vector.

    Attributes:
        method: A name of `forensic.identification.methods.METHODS`.
        weight: Log10 odds per unit of cosine, at least 0.
        weights_sha256: SHA-256 of the networks it was fitted with, by name.
    """

    method: str
    weight: float
    weights_sha256: dict[str, str]


@dataclass(frozen=True)
class Fusion:
    """What is added up, for one embedder.

    Attributes:
        embedder: Its name.
        embedder_weights_sha256: SHA-256 of its weights.
        parts: In order of weight, greatest first.
        intercept: Log10 odds at a sum of 0, for a pair as likely to match as not.
        fitted_on: Where the weights come from: people, kinds of sketch, sizes, command.
    """

    embedder: str
    embedder_weights_sha256: str
    parts: tuple[FusionPart, ...]
    intercept: float
    fitted_on: dict[str, Any]

    def write(self, path: Path) -> None:
        """Write everything as JSON.

        Raises:
            OSError: The folder cannot be written.
        """
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> Fusion:
        """Read what `write` wrote.

        Raises:
            WeightsError: The file is missing, damaged, or has no part with a weight.
        """
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
            parts = tuple(FusionPart(**part) for part in entries.pop("parts"))
            fusion = cls(parts=parts, **entries)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise WeightsError(f"{path} does not describe a fusion: {error}.") from error
        if not any(part.weight > 0 for part in parts) or any(part.weight < 0 for part in parts):
            raise WeightsError(f"{path}: weights must not be negative, and one must be above 0.")
        return fusion


def find_fusion(embedder: str, weights_sha256: str, *, folder: Path | None = None) -> Fusion:
    """Return the fusion fitted for an embedder.

    `best*.json` in the folder of fetched weights are looked at first, so that one's own goes before
    a bundled one; what counts is which embedder a file says it belongs to.

    Args:
        embedder: Name of the gallery's embedder.
        weights_sha256: SHA-256 of its weights.
        folder: Folder of fetched weights; without it only bundled fusions are found.

    Raises:
        MissingWeights: There is none; the message says what makes one.
        WeightsError: A file there is damaged.
    """
    places = [BUNDLED] if folder is None else [folder, BUNDLED]
    for path in (p for place in places for p in sorted(place.glob("best*.json"))):
        fusion = Fusion.read(path)
        if fusion.embedder_weights_sha256 == weights_sha256:
            return fusion
    raise MissingWeights(
        f"No fusion was fitted for the embedder {embedder}. Fit one with `forensic benchmark "
        "fusion` and put its best*.json into the folder of weights"
        f"{f' {folder}' if folder else ''}, or name one method (--generator none of identify, "
        "--methods none,csi-line of benchmarks)."
    )


def rank_parts(weights: Mapping[str, float], shas: Mapping[str, dict[str, str]]) -> tuple[
    FusionPart, ...
]:  # fmt: skip
    """Return parts in order of weight, without those that got none."""
    ordered: Sequence[tuple[str, float]] = sorted(weights.items(), key=lambda item: -item[1])
    return tuple(FusionPart(name, weight, shas[name]) for name, weight in ordered if weight > 0)
