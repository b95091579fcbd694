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


def write_adapter_data(
    folder: Path, *, teacher: str = "0" * 64, dimension: int = DIMENSION
) -> Path:
    """Write what `forensic dataset adapter` would: 12 pairs, 4 of them held out, and 6 photos."""
    draw = np.random.default_rng(7)
    with PackedWriter(folder / "pairs", geometry="arcface-112", quality=100) as writer:
        for i in range(12):
            photo = random_photo(i, 112)
            split = "validation" if i >= 8 else "train"
            record = Record(f"toy/{i}", f"toy/{i}", split, f"{i:064x}")
            writer.add(record, {"photo": photo, DRAWING: 255 - photo})
    vectors = unit(draw.normal(size=(12, dimension)))
    save_targets(folder / "pairs", vectors, {"embedder": "toy", "weights_sha256": teacher})
    with PackedWriter(folder / "photos", geometry="arcface-112", quality=100) as writer:
        for i in range(6):
            photo = random_photo(100 + i, 112)
            images = {"photo": photo} | ({"line": photo[:, :, :1]} if i < 3 else {})
            writer.add(Record(f"many/{i}", f"many/{i}", "train", f"{100 + i:064x}"), images)
    vectors = unit(draw.normal(size=(6, dimension)))
    save_targets(folder / "photos", vectors, {"embedder": "toy", "weights_sha256": teacher})
    return folder
