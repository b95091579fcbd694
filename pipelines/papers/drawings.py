"""Drawings of the CUHK test part: the artists', and those that a network made of the photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from forensic.datasets.pairs import SketchPhotoPairs
from forensic.datasets.taught import DRAWING
from forensic.errors import DataFolderError, InputError
from forensic.generators.registry import PHOTO_TO_SKETCH, LoadedGenerator
from forensic.stats.ranks import mate_ranks
from forensic.training.drawing import to_gray
from pipelines.papers.tables import Materials

DATA = "cuhk"
CROP_HW, SIZE_HW = (200, 155), (188, 143)
SPLIT = "CUHK student, test part; the gallery holds one photo of each person"


@dataclass(frozen=True)
class Drawings:
    """Artists' drawings and those made of the photos of the same people, in one order.

    Attributes:
        drawn: (N, 1, 188, 143) float in [0, 1].
        made: Likewise.
        people: N names.
    """

    drawn: torch.Tensor
    made: torch.Tensor
    people: list[str]


def draw_test(materials: Materials, generator: LoadedGenerator | None) -> Drawings:
    """Return the artists' drawings of the test part and those made by a network.

    Args:
        materials: Where the data lie.
        generator: From photo to sketch; None takes the photo's gray levels.

    Raises:
        DataFolderError: The data are missing, or not in the geometry of CUFS.
        InputError: The generator does not draw.
    """
    if generator and generator.direction != PHOTO_TO_SKETCH:
        raise InputError(f"{generator.name} goes from {generator.direction}; it does not draw")
    pairs = SketchPhotoPairs(
        materials.folder(DATA), split="test", style=DRAWING, crop_hw=CROP_HW, symmetries=1
    )
    if pairs.geometry != "cufs-250":
        raise DataFolderError(
            f"{DATA} lies in geometry {pairs.geometry}; build it with --aligned cufs --geometry "
            "cufs-250"
        )
    drawn, made = [], []
    for first in range(0, len(pairs), 8):
        batch = pairs.batch(np.arange(first, min(first + 8, len(pairs))))
        drawn.append(_centre(to_gray(batch["sketch"])))
        with torch.inference_mode():
            photo = batch["photo"].to(materials.device)
            out = generator.network(photo).float().cpu() if generator else to_gray(batch["photo"])
        made.append(_centre(out))
    return Drawings(torch.cat(drawn), torch.cat(made), pairs.subjects)


def squared_error_ranks(pictures: Drawings) -> NDArray[np.float64]:
    """Return (N,) ranks of each artist's drawing among all made ones, ties pessimistic."""
    drawn = (pictures.drawn * 255).round().flatten(1).double()
    made = (pictures.made * 255).round().flatten(1).double()
    errors = torch.cdist(drawn, made).square().numpy()
    return mate_ranks(-errors, np.arange(len(errors)))


def _centre(pictures: torch.Tensor) -> torch.Tensor:
    top, left = ((a - b) // 2 for a, b in zip(pictures.shape[2:], SIZE_HW, strict=True))
    return pictures[:, :, top : top + SIZE_HW[0], left : left + SIZE_HW[1]]
