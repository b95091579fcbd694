"""Several embedders as one.

Networks that were taught differently err on different sketches, so two together find more than
the better of them. Their unit vectors lie side by side in one vector: a cosine between two such
vectors is the mean of the parts' cosines, so a gallery, its index and every method work as with
one network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from forensic.embedders.adapter import ADAPTER, SketchEncoder
from forensic.embedders.embedder import Embedder, parts_of
from forensic.errors import InputError
from forensic.values import Vectors
from forensic.weights.embedders import JOIN, joint_sha256


class JointEmbedder:
    """Embedders of one geometry, their vectors side by side.

    Args:
        joined: Two or more, with different names and weights.

    Attributes:
        joined: The embedders, in the order of the name.
        name: Their names, joined by `+`.
        dimension: The sum of theirs.
        template: The geometry that all expect.
        weights_sha256: SHA-256 over theirs, in order.
        parts_sha256: SHA-256 of each, by name.

    Raises:
        InputError: They expect faces in different geometries, one stands there twice, two have one
            name, or there is only one.
    """

    def __init__(self, joined: Sequence[Embedder]) -> None:
        templates = {part.template for part in joined}
        self.name = JOIN.join(part.name for part in joined)
        if len(templates) > 1:
            told = ", ".join(f"{part.name} in {part.template}" for part in joined)
            raise InputError(f"Embedders of different geometries cannot be joined: {told}.")
        names = {part.name for part in joined}
        weights = {part.weights_sha256 for part in joined}
        if min(len(names), len(weights)) < max(len(joined), 2):
            raise InputError(
                f"{self.name!r} does not join two or more embedders with different names and "
                "weights."
            )
        self.joined = tuple(joined)
        self.dimension = sum(part.dimension for part in joined)
        (self.template,) = templates
        self.weights_sha256 = joint_sha256(part.weights_sha256 for part in joined)
        self.parts_sha256: dict[str, str] = {}
        for part in joined:
            self.parts_sha256 |= parts_of(part) or {part.name: part.weights_sha256}

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, dimension) unit rows for faces (B, H, W, 3) uint8 in `template`.

        Raises:
            ShapeError: The faces are not in the geometry.
            DtypeError: The faces are not uint8.
            RangeError: A network gave no direction for a face.
        """
        return _side_by_side([part.embed(faces) for part in self.joined])


class JointAdapter:
    """The sketch encoders of joined embedders, their vectors side by side as there.

    Args:
        encoders: By name of the embedder, in its order.

    Attributes:
        weights_sha256: SHA-256 of each file, by `adapter` and the embedder's name.
    """

    def __init__(self, encoders: Mapping[str, SketchEncoder]) -> None:
        self._encoders = tuple(encoders.values())
        self.weights_sha256 = {
            f"{ADAPTER} {name}": sha256
            for name, encoder in encoders.items()
            for sha256 in encoder.weights_sha256.values()
        }

    def embed(self, sketches: NDArray[np.uint8], *, moved: bool = True) -> Vectors:
        """Return (B, dimension) unit rows for sketches (B, H, W, 3) uint8 in the geometry.

        Raises:
            ShapeError: The sketches are not in that geometry.
            DtypeError: The sketches are not uint8.
            RangeError: A network gave no direction for a sketch.
        """
        return _side_by_side([encoder.embed(sketches, moved=moved) for encoder in self._encoders])


def _side_by_side(rows: Sequence[Vectors]) -> Vectors:
    """Return unit rows of several kinds, which count the same, as one row of length 1 each."""
    return np.concatenate(rows, axis=1) / np.float32(np.sqrt(len(rows)))
