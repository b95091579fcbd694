"""A tiny packed data set with contours, of random pictures large enough for edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forensic.datasets.calibration import save_contours
from forensic.datasets.packed import PackedDataset, PackedWriter, Record
from tests.support.packed import random_photo

SIDE_PX = 32


def write_calibration(
    folder: Path,
    *,
    n_train: int = 4,
    n_validation: int = 2,
    n_test: int = 0,
    detector: str = "toy",
    first: int = 0,
    drawing: bool = False,
) -> Path:
    """Write faces of 32 pixels with a half-black photo each, one person a face, and contours."""
    splits = ["train"] * n_train + ["validation"] * n_validation + ["test"] * n_test
    with PackedWriter(folder, geometry="test", quality=100) as writer:
        for seed, split in enumerate(splits, first):
            photo = random_photo(seed, SIDE_PX)
            photo[:, 16:] //= 4
            record = Record(f"toy/{seed}", f"toy/person-{seed}", split, f"{seed:064x}")
            images = {"photo": photo} | ({"drawing": 255 - photo[:, :, :1]} if drawing else {})
            writer.add(record, images)
    n = len(PackedDataset(folder).records)
    contours = np.zeros((n, SIDE_PX, SIDE_PX, 1), dtype=np.uint8)
    contours[:, :, 15:17] = np.arange(100, 100 + n).reshape(n, 1, 1, 1)
    save_contours(folder, contours, detector=detector, weights_sha256="")
    return folder
