"""The parts of a fitted fusion, for the sketches of one search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensic.errors import WeightsError
from forensic.generators.registry import GENERATORS
from forensic.identification.fusion import (
    check_parts,
    combine_sketches,
    contributions,
    fuse_vectors,
)
from forensic.jobs.handlers.compared import SKETCH, Compared, Run
from forensic.values import Vectors


@dataclass(frozen=True)
class Parts:
    """What each part of a fusion makes of the sketches of one person.

    Attributes:
        weights: Log10 odds per unit of cosine, by part.
        vectors: By part (n, D) unit rows, one for each sketch.
    """

    weights: Mapping[str, float]
    vectors: Mapping[str, Vectors]

    def query(self) -> Vectors:
        """Return the one unit row to search with, (1, D); all sketches count the same."""
        return combine_sketches(fuse_vectors(self.vectors, self.weights))

    def contributions(self, photos: Vectors) -> list[dict[str, float]]:
        """Return what each part adds to the score of each photo (k, D), in log10 odds."""
        return contributions(self.vectors, self.weights, photos)


def embed_parts(run: Run, compared: Compared, vectors: Vectors) -> Parts:
    """Return the parts of the fusion that was fitted for the gallery's embedder.

    Args:
        run: The search.
        compared: Its sketches, and the faces made from them.
        vectors: (Q, D) unit rows of all of these, by the embedder.

    Raises:
        MissingWeights: No fusion was fitted, or a part's weights are not there.
        WeightsError: A part has other weights than those that the fusion was fitted with, or the
            fusion is another one than when the search was asked for.
    """
    models, embedder = run.shop.models, run.embedder
    fusion = models.fusion(embedder)
    rows: dict[str, Vectors] = {}
    in_use: dict[str, dict[str, str]] = {}
    for name in (part.method for part in fusion.parts):
        if compared.rows_of(name):
            rows[name] = vectors[compared.rows_of(name)]
            in_use[name] = {} if name == SKETCH else models.inverter(name).weights_sha256
        elif name in GENERATORS or name == SKETCH:
            raise WeightsError(
                "Another fusion was put in place since this search was asked for. Search again."
            )
        else:
            sketches = compared.rows_of(SKETCH)
            method = models.method(name, embedder)
            with run.watch.stage("encode"):
                rows[name] = method.probe(
                    [compared.images[row] for row in sketches],
                    [compared.landmarks[row] for row in sketches],
                ).vectors
            in_use[name] = method.weights_sha256
            compared.hashes.update({f"part {key}": sha for key, sha in in_use[name].items()})
    check_parts(fusion, in_use)
    return Parts({part.method: part.weight for part in fusion.parts}, rows)
