"""Several ways from a sketch to a score, added up with weights learnt on other people.

Each part turns the sketch into a vector of the embedder's space; its score of a photo is the
cosine, and its weight says how many units of log10 odds a cosine of 1 is worth. A weighted sum of
cosines to one photo is the product of that photo with the weighted sum of the vectors, so a
fusion is searched with one vector, at the cost of one search, in any gallery that the embedder
made. What each part contributed to a candidate is told afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensic.embedders.embedder import Embedder, unit_rows
from forensic.errors import MissingWeights, RangeError, WeightsError
from forensic.files import write_json
from forensic.values import Vectors
from forensic.weights.store import BUNDLED


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


def find_fusion(embedder: Embedder, *, folder: Path | None = None) -> Fusion:
    """Return the fusion fitted for an embedder.

    Bundled files are looked at first, then `best*.json` in the folder of fetched weights; what
    counts is which embedder a file says it belongs to.

    Args:
        embedder: The gallery's.
        folder: Folder of fetched weights; without it only bundled fusions are found.

    Raises:
        MissingWeights: There is none; the message says what makes one.
        WeightsError: A file there is damaged.
    """
    places = [BUNDLED] if folder is None else [BUNDLED, folder]
    for path in (p for place in places for p in sorted(place.glob("best*.json"))):
        fusion = Fusion.read(path)
        if fusion.embedder_weights_sha256 == embedder.weights_sha256:
            return fusion
    raise MissingWeights(
        f"No fusion was fitted for the embedder {embedder.name}. Fit one with `forensic benchmark "
        "fusion` and put its best*.json into the folder of weights"
        f"{f' {folder}' if folder else ''}, or name one method, e.g. none or csi-line."
    )


def fuse_vectors(parts: Mapping[str, Vectors], weights: Mapping[str, float]) -> Vectors:
    """Return one unit row per sketch whose cosines rank as the weighted sums of cosines do.

    Args:
        parts: (B, D) unit rows of each part.
        weights: Weight of each part.

    Raises:
        RangeError: The vectors of some sketch cancel each other out.
    """
    total = sum(weights[name] * rows.astype(np.float64) for name, rows in parts.items())
    return unit_rows(np.asarray(total))


def combine_sketches(vectors: Vectors) -> Vectors:
    """Return (1, D): the mean direction of several sketches of one person.

    Args:
        vectors: (n, D) unit rows, one for each sketch, n at least 1.

    Raises:
        RangeError: There is no row, or the rows cancel each other out.
    """
    if not len(vectors):
        raise RangeError("There is no sketch to combine.")
    return unit_rows(vectors.sum(axis=0, keepdims=True, dtype=np.float64))


def contributions(
    parts: Mapping[str, Vectors], weights: Mapping[str, float], candidates: Vectors
) -> list[dict[str, float]]:
    """Return what each part adds to the score of each candidate, in log10 odds.

    Args:
        parts: (n, D) unit rows of each part, of n sketches of one person.
        weights: Weight of each part.
        candidates: (k, D) unit rows of the candidates' photos.
    """
    scores: dict[str, NDArray[np.float64]] = {
        name: weights[name] * (rows.astype(np.float64) @ candidates.T).mean(axis=0)
        for name, rows in parts.items()
    }
    return [
        {name: float(values[i]) for name, values in scores.items()} for i in range(len(candidates))
    ]


def rank_parts(weights: Mapping[str, float], shas: Mapping[str, dict[str, str]]) -> tuple[
    FusionPart, ...
]:  # fmt: skip
    """Return parts in order of weight, without those that got none."""
    ordered: Sequence[tuple[str, float]] = sorted(weights.items(), key=lambda item: -item[1])
    return tuple(FusionPart(name, weight, shas[name]) for name, weight in ordered if weight > 0)
