"""Plain matchers beside trained embedders: pixels and VGG features of the CSI crop.

They are what a paper without a face recogniser may have matched with. Both obey the `Embedder`
protocol: a vector freed of its mean and scaled to length 1 makes inner products correlations.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from forensic.backbones.vgg import load_vgg_features
from forensic.embedders.embedder import Embedder, check_faces, unit_rows
from forensic.embedders.registry import create_embedder
from forensic.files import sha256_of_file
from forensic.identification.inverter import CROP
from forensic.images.color import rgb_to_gray
from forensic.images.tensors import images_to_tensor
from forensic.values import Vectors
from forensic.weights.store import find_weights

PIXELS, VGG = "pixels", "vgg"
GRID = 6  # VGG features are averaged over this many cells a side: 128·6·6 numbers a face


class PixelMatcher:
    """Pearson's correlation of the luminance of two CSI crops."""

    name = "pixel correlation"
    template = CROP
    dimension = 96 * 96
    weights_sha256 = hashlib.sha256().hexdigest()  # of nothing: there are no weights

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, 9216) unit rows for (B, 96, 96, 3) uint8 faces.

        Raises:
            ShapeError: The faces are not (B, 96, 96, 3).
            DtypeError: The faces are not uint8.
            RangeError: A face is of one shade all over, so that it correlates with nothing.
        """
        check_faces(faces, self.template)
        gray = [rgb_to_gray(face).reshape(-1).astype(np.float64) for face in faces]
        return centred_rows(np.array(gray).reshape(len(faces), self.dimension))


class VGGMatcher:
    """Correlation of VGG features at relu2_2 of two CSI crops, averaged over a 6×6 grid.

    Args:
        weights_path: A file that `load_vgg_features` reads; a stand-in says so in its name.
        device: Where to compute.

    Raises:
        WeightsError: The file is missing or is not such a network.
    """

    template = CROP
    dimension = 128 * GRID * GRID

    def __init__(self, *, weights_path: Path, device: torch.device) -> None:
        self._network = load_vgg_features(weights_path).to(device)
        self._device = device
        self.name = f"{self._network.name}, {GRID}×{GRID} means"
        self.weights_sha256 = sha256_of_file(weights_path)

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, 4608) unit rows for (B, 96, 96, 3) uint8 faces.

        Raises:
            ShapeError: The faces are not (B, 96, 96, 3).
            DtypeError: The faces are not uint8.
            RangeError: The features of a face are all equal.
        """
        check_faces(faces, self.template)
        if not len(faces):
            return np.zeros((0, self.dimension), dtype=np.float32)
        with torch.inference_mode():
            features = self._network(images_to_tensor(faces).to(self._device))
            cells = F.adaptive_avg_pool2d(features, GRID)
        return centred_rows(cells.flatten(1).double().cpu().numpy())


def create_matcher(name: str, *, device: torch.device, weights: Path | None = None) -> Embedder:
    """Return a plain matcher, or the embedder called so.

    Args:
        name: `pixels`, `vgg` for the fetched VGG-16, `vgg:PATH`, or as for `create_embedder`.
        device: Where to compute.
        weights: Folder of fetched weights.

    Raises:
        UnknownNameError: Neither a matcher nor an embedder.
        WeightsError: Weights are missing or damaged.
        RecipeError: A description of an embedder is malformed.
        DeviceError: The device cannot be used by this embedder.
    """
    if name == PIXELS:
        return PixelMatcher()
    kind, colon, path = name.partition(":")
    if kind == VGG:
        found = Path(path).expanduser() if colon else find_weights("vgg16", folder=weights)
        return VGGMatcher(weights_path=found, device=device)
    return create_embedder(name, device=device, weights=weights)


def centred_rows(rows: NDArray[np.float64]) -> Vectors:
    """Return rows freed of their mean and scaled to length 1, so that products are Pearson's R.

    Raises:
        RangeError: A row is constant.
    """
    if not len(rows):
        return rows.astype(np.float32)
    return unit_rows(rows - rows.mean(axis=1, keepdims=True))
