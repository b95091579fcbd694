"""Embedders whose gallery is drawn: a photo lies where sketches of it would lie.

A sketch encoder puts a sketch near its photo, and never quite there: what all drawings share stays
in the vector. Here the gallery comes to meet it. Each photo is drawn by operators, the drawings and
the photo go through the sketch encoder as well, and the sum of all is the photo's vector. Searching
costs what it did; embedding a gallery takes several times as long, once.

Source:
    None of its own. That the photos of a gallery are turned into drawings before sketches are
    compared with them follows Tang, Wang: Face sketch recognition, IEEE TCSVT 2004; here the photo
    counts beside its drawings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensic.embedders.adapter import SketchEncoder
from forensic.embedders.embedder import Embedder, check_faces, parts_of, unit_rows
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import Vectors
from forensic.weights.embedders import DRAWN, DRAWN_STYLES, drawn_sha256


class DrawnEmbedder:
    """An embedder whose vector of a photo holds the sketch encoder's of the photo and its drawings.

    Args:
        embedder: Of the photo itself.
        encoder: Its sketch encoder.

    Attributes:
        embedder: The embedder of the photo itself.
        encoder: The sketch encoder, for the sketches that are searched with.
        name: `drawn:` and the embedder's name.
        dimension: The embedder's.
        template: The embedder's.
        weights_sha256: SHA-256 over those of embedder and encoder, and the operators.
        parts_sha256: SHA-256 of each file, by name.
    """

    def __init__(self, *, embedder: Embedder, encoder: SketchEncoder) -> None:
        self.embedder, self.encoder = embedder, encoder
        self.name = f"{DRAWN}{embedder.name}"
        self.dimension, self.template = embedder.dimension, embedder.template
        self.weights_sha256 = drawn_sha256(embedder.weights_sha256, encoder.weights_sha256.values())
        own = parts_of(embedder) or {embedder.name: embedder.weights_sha256}
        self.parts_sha256 = own | encoder.weights_sha256

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, dimension) unit rows for photos (B, H, W, 3) uint8 in `template`.

        Raises:
            ShapeError: The photos are not in the geometry.
            DtypeError: The photos are not uint8.
            RangeError: A network gave no direction for a photo.
        """
        check_faces(faces, self.template)
        rows = self.embedder.embed(faces) + self.encoder.embed(faces, moved=False)
        if not len(faces):
            return rows
        for style in DRAWN_STYLES:
            drawings = np.stack([_drawn(face, style) for face in faces])
            rows = rows + self.encoder.embed(drawings, moved=False)
        return unit_rows(rows)


def _drawn(face: NDArray[np.uint8], style: str) -> NDArray[np.uint8]:
    return np.broadcast_to(SKETCH_STYLES[style](face), face.shape)
