"""Several ways from a sketch to a score, added up with weights learnt on other people.

Each part turns the sketch into a vector of the embedder's space; its score of a photo is the
cosine, and its weight says how many units of log10 odds a cosine of 1 is worth. A weighted sum of
cosines to one photo is the product of that photo with the weighted sum of the vectors, so a
fusion is searched with one vector, at the cost of one search, in any gallery that the embedder
made. What each part contributed to a candidate is told afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forensic.embedders.embedder import unit_rows
from forensic.errors import RangeError, WeightsError
from forensic.values import Vectors
from forensic.weights.fusions import Fusion


def check_parts(fusion: Fusion, weights_sha256: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse networks other than those that a fusion was fitted with.

    Args:
        fusion: Weights and their origin.
        weights_sha256: By part, SHA-256 of the networks in use, by name.

    Raises:
        WeightsError: A part has other weights.
    """
    for part in fusion.parts:
        if part.weights_sha256 != weights_sha256[part.method]:
            raise WeightsError(
                f"The fusion was fitted with other weights of {part.method} than those in use. "
                "Fit it again with `forensic benchmark fusion`."
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
