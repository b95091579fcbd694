"""A tiny packed data set of triplets for DeepFacePencil."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forensic.datasets.deformed import BOUNDARY, DEFORMED
from forensic.datasets.packed import PackedWriter, Record
from tests.support.packed import random_photo

SIDE_PX = 32


def write_triplets(
    folder: Path,
    *,
    n_train: int = 4,
    n_validation: int = 2,
    n_test: int = 0,
    max_offset_px: float = 11.0,
) -> Path:
    """Write faces with a vertical stroke, and the same one pixel further right as deformed."""
    splits = ["train"] * n_train + ["validation"] * n_validation + ["test"] * n_test
    with PackedWriter(folder, geometry="test", quality=100) as writer:
        for seed, split in enumerate(splits):
            boundary = np.full((SIDE_PX, SIDE_PX, 1), 255, dtype=np.uint8)
            boundary[4:28, 5 + seed] = 0
            record = Record(f"toy/{seed}", f"toy/{seed}", split, f"{seed:064x}")
            deformed = np.roll(boundary, 1, axis=1)
            photo = random_photo(seed, SIDE_PX)
            writer.add(record, {"photo": photo, BOUNDARY: boundary, DEFORMED: deformed})
        writer.facts = {"max_offset_px": max_offset_px}
    return folder
