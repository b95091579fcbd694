"""Several embedders as one.

Networks that were taught differently err on different sketches, so two together find more than
the better of them. Their unit vectors lie side by side in one vector: a cosine between two such
vectors is the mean of the parts' cosines, so a gallery, its index and every method work as with
one network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forensic.embedders.embedder import Embedder
from forensic.errors import InputError
from forensic.files import sha256_of_bytes
from forensic.values import Vectors

JOIN = "+"
"""Stands between the names of the parts."""


class _EmbedsFaces(Protocol):
    def embed(self, faces: NDArray[np.uint8], /) -> Vectors: ...


class JointEmbedder:
    """Embedders of one geometry, their vectors side by side.

    Args:
        parts: Two or more, with different weights.

    Attributes:
        parts: The embedders, in the order of the name.
        name: Their names, joined by `+`.
        dimension: The sum of theirs.
        template: The geometry that all expect.
        weights_sha256: SHA-256 over theirs, in order.

    Raises:
        InputError: Parts expect faces in different geometries, one is named twice, or there is
            only one.
    """

    def __init__(self, parts: Sequence[Embedder]) -> None:
        templates = {part.template for part in parts}
        if len(templates) > 1:
            told = ", ".join(f"{part.name} in {part.template}" for part in parts)
            raise InputError(f"Embedders of different geometries cannot be joined: {told}.")
        if len({part.weights_sha256 for part in parts}) < max(len(parts), 2):
            raise InputError(
                f"{JOIN.join(part.name for part in parts)!r} does not join two or more embedders "
                "with different weights."
            )
        self.parts = tuple(parts)
        self.name = JOIN.join(part.name for part in parts)
        self.dimension = sum(part.dimension for part in parts)
        (self.template,) = templates
        self.weights_sha256 = sha256_of_bytes(
            "\n".join(part.weights_sha256 for part in parts).encode()
        )

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, dimension) unit rows for faces (B, H, W, 3) uint8 in `template`.

        Raises:
            ShapeError: The faces are not in the geometry.
            DtypeError: The faces are not uint8.
            RangeError: A network gave no direction for a face.
        """
        return embed_side_by_side(self.parts, faces)


def embed_side_by_side(parts: Iterable[_EmbedsFaces], faces: NDArray[np.uint8]) -> Vectors:
    """Return the unit rows of each part, side by side, scaled to length 1.

    Args:
        parts: All count the same.
        faces: (B, H, W, 3) uint8.
    """
    rows = [part.embed(faces) for part in parts]
    return np.concatenate(rows, axis=1) / np.float32(np.sqrt(len(rows)))


def parts_of(embedder: Embedder) -> tuple[Embedder, ...]:
    """Return what an embedder was joined from; nothing for a single one."""
    return embedder.parts if isinstance(embedder, JointEmbedder) else ()
