"""Tiny taught data sets: random pictures, some with a drawing, and random unit vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forensic.datasets.packed import PackedWriter, Record
from forensic.datasets.taught import DRAWING, save_targets
from forensic.sketches.line import LineStyle
from tests.support.packed import random_photo

SIDE_PX = 112
TEACHER = {"embedder": "toy", "weights_sha256": "0" * 64}


def write_taught(
    folder: Path,
    *,
    n_train: int = 12,
    n_validation: int = 4,
    n_drawings: int = 4,
    styles: bool = False,
    first_seed: int = 0,
    teacher: dict[str, str] | None = None,
) -> Path:
    """Write photos of one person each, the first `n_drawings` of each split with a drawing."""
    line = LineStyle()
    with PackedWriter(folder, geometry="arcface-112", quality=100) as writer:
        for i in range(n_train + n_validation):
            split, place = ("train", i) if i < n_train else ("validation", i - n_train)
            photo = random_photo(first_seed + i, SIDE_PX)
            images = {"photo": photo}
            if place < n_drawings:
                images[DRAWING] = 255 - photo
            if styles:
                images["line"] = line(photo)
            writer.add(Record(f"toy/{i}", f"toy/{i}", split, f"{i:064x}"), images)
    vectors = np.random.default_rng(first_seed).normal(size=(n_train + n_validation, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    save_targets(folder, vectors.astype(np.float32), teacher or TEACHER)
    return folder
