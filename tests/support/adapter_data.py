"""A small folder of `forensic dataset adapter`: synthetic pairs and photos, vectors of a toy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forensic.datasets.packed import PackedWriter, Record
from forensic.datasets.taught import DRAWING, save_targets
from tests.support.packed import random_photo

DIMENSION = 6


def write_taught_set(
    folder: Path,
    *,
    source: str,
    subjects: list[str],
    vectors: np.ndarray,
    teacher: str = "0" * 64,
    with_drawings: bool = False,
    style: str | None = None,
) -> Path:
    """Write one photo of 112 pixels for each subject, with vectors of somebody's."""
    with PackedWriter(folder, geometry="arcface-112", quality=90) as writer:
        for i, subject in enumerate(subjects):
            photo = random_photo(i, 112)
            images = {"photo": photo}
            if with_drawings:
                images[DRAWING] = 255 - photo
            if style:
                images[style] = photo[:, :, :1]
            record = Record(f"{source}/{i:03d}", f"{source}/{subject}", "train", f"{i:064x}")
            writer.add(record, images)
    save_targets(folder, unit(vectors), {"embedder": "toy", "weights_sha256": teacher})
    return folder


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return float32 rows of length 1."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def strangers(n: int, seed: int, dimension: int = DIMENSION) -> np.ndarray:
    """Return n vectors of which no two look alike: cosines below 0.45."""
    draw, rows = np.random.default_rng(seed), []
    while len(rows) < n:
        row = unit(draw.normal(size=(1, dimension)))[0]
        if all(row @ other < 0.45 for other in rows):
            rows.append(row)
    return np.stack(rows)
