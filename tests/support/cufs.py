"""A packed data set of phantoms in the geometry of CUFS."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forensic.datasets.packed import PackedWriter, Record
from tests.support.images import face_photo, face_sketch


def write_cufs(folder: Path, *, n_train: int = 2, n_test: int = 3) -> Path:
    """Write phantoms whose drawing is their line sketch, and return the folder."""
    splits = ["train"] * n_train + ["test"] * n_test
    with PackedWriter(folder, geometry="cufs-250", quality=100) as writer:
        for seed, split in enumerate(splits):
            photo = face_photo(seed)
            sketch = np.asarray(face_sketch(seed) // 2 + photo // 2)
            record = Record(f"toy/{seed}", f"toy/{seed}", split, f"{seed:064x}")
            writer.add(record, {"photo": photo, "drawing": sketch})
    return folder
