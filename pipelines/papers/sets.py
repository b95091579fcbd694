"""What sets of machine-made photos are worth as a whole, shared by the tables of two papers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensic.backbones.inception import InceptionFeatures, load_set_features
from forensic.images.tensors import images_to_tensor
from forensic.layers.memory import to_channels_last
from forensic.metrics.fid import Gaussian, frechet_distance, kernel_distance
from forensic.metrics.inception_score import inception_score
from pipelines.papers.tables import Measured

Images = NDArray[np.uint8]
Features = NDArray[np.float64]

BATCH = 8
SET_COLUMNS = {
    "fid": "FID",
    "frechet": "Fréchet distance by other features",
    "kernel": "kernel distance",
}


class SetFeatures(Protocol):
    """A frozen network whose features compare sets of images."""

    name: str
    is_standard: bool

    def __call__(self, images: Tensor, /) -> Tensor:
        """Return (B, D) features of images (B, 3, H, W) in [0, 1]."""


@dataclass(frozen=True)
class SetDistance:
    """How far the made photos are from the true ones as sets.

    Attributes:
        frechet: Fréchet distance; an FID only by the features of the standard network.
        kernel: Kernel distance.
        features: The name of the network.
        is_standard: Whether that is the network by which an FID is defined.
        n_images: Images on each side.
        inception_score: Of the made photos in one part; None by other features.
    """

    frechet: float
    kernel: float
    features: str
    is_standard: bool
    n_images: int
    inception_score: float | None = None

    @property
    def columns(self) -> dict[str, Measured]:
        """Its figures by `SET_COLUMNS`."""
        name = "fid" if self.is_standard else "frechet"
        return {name: Measured(self.frechet), "kernel": Measured(self.kernel)}


def open_features(path: Path | None, device: torch.device) -> SetFeatures | None:
    """Return the network of a file that the user named, None where none was.

    Raises:
        MissingWeights: The file is not there.
        WeightsError: It is neither Inception-v3 nor a VGG-19.
    """
    return to_channels_last(load_set_features(path), device) if path else None


def describe_features(features: SetFeatures | None) -> str:
    """Return what the note of a table says of them."""
    return f"Sets compared by {features.name}." if features else "No --features for the FID."


def set_distance(
    made: Images, true: Images, features: SetFeatures, device: torch.device
) -> SetDistance:
    """Return the distances of two sets of photos (N, H, W, 3) uint8, N at least 2.

    Raises:
        ShapeError: Fewer than two photos on a side.
    """
    ours, theirs = (_features_of(images, features, device) for images in (made, true))
    return SetDistance(
        frechet=frechet_distance(Gaussian.of(ours), Gaussian.of(theirs)),
        kernel=kernel_distance(ours, theirs),
        features=features.name,
        is_standard=features.is_standard,
        n_images=len(made),
        inception_score=_score(ours, features, device),
    )


def _score(ours: Features, features: SetFeatures, device: torch.device) -> float | None:
    """Return the inception score by the classes of the network that defines it."""
    if not isinstance(features, InceptionFeatures):
        return None
    odds = features.probabilities(torch.from_numpy(ours).float().to(device))
    return inception_score(odds.cpu().numpy(), n_splits=1)[0]


@torch.inference_mode()
def _features_of(images: Images, features: SetFeatures, device: torch.device) -> Features:
    rows = [
        features(images_to_tensor(images[first : first + BATCH]).to(device)).double().cpu()
        for first in range(0, len(images), BATCH)
    ]
    return np.asarray(torch.cat(rows).numpy())
