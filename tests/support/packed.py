"""Tiny packed data sets of random pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensic.datasets.packed import PackedWriter, Record

SIDE_PX = 16


def random_photo(seed: int, side_px: int = SIDE_PX) -> NDArray[np.uint8]:
    """Return a smooth random picture, (side_px, side_px, 3)."""
    coarse = np.random.default_rng(seed).random((4, 4, 3))
    weights = np.linspace(0, 3, side_px)
    rows = np.stack([np.interp(weights, range(4), coarse[:, i, c]) for i, c in np.ndindex(4, 3)], 1)
    grid = rows.reshape(side_px, 4, 3)
    out = np.stack(
        [np.interp(weights, range(4), grid[i, :, c]) for i, c in np.ndindex(side_px, 3)], 0
    )
    pixels: NDArray[np.uint8] = (255 * out.reshape(side_px, 3, side_px).transpose(0, 2, 1)).astype(
        np.uint8
    )
    return pixels


def write_packed(
    folder: Path,
    *,
    n_train: int = 6,
    n_validation: int = 2,
    n_test: int = 0,
    quality: int = 100,
    geometry: str = "test",
) -> Path:
    """Write a data set of photos, one person each, and return its folder."""
    splits = ["train"] * n_train + ["validation"] * n_validation + ["test"] * n_test
    with PackedWriter(folder, geometry=geometry, quality=quality) as writer:
        for seed, split in enumerate(splits):
            record = Record(f"toy/{seed}", f"toy/person-{seed}", split, f"{seed:064x}")
            writer.add(record, {"photo": random_photo(seed)})
    return folder
