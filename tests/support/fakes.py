"""Small deterministic stand-ins that obey the contracts of the real things."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensic.embedders.embedder import check_faces, unit_rows
from forensic.values import Vectors


class FakeEmbedder:
    """A face's vector is its picture, shrunk to 8×8 gray and freed of its mean."""

    name = "fake"
    dimension = 64
    template = "arcface-112"
    weights_sha256 = "f" * 64

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        check_faces(faces, self.template)
        if not len(faces):
            return np.zeros((0, self.dimension), dtype=np.float32)
        rows = np.stack([np.asarray(Image.fromarray(f).convert("L").resize((8, 8))) for f in faces])
        flat = rows.reshape(len(faces), -1).astype(np.float64)
        return unit_rows(flat - flat.mean(axis=1, keepdims=True) + 1e-3)
