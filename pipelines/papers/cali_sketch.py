"""The measurements behind Tables 1 to 3 of Cali-Sketch, on faces that nothing was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensic.datasets.calibration import CalibrationFaces
from forensic.datasets.packed import contact_sheet
from forensic.errors import WeightsError
from forensic.generators.cali_sketch import CaliSketch
from forensic.generators.registry import LoadedGenerator
from forensic.images.io import write_image
from forensic.images.tensors import images_to_tensor, tensor_to_images
from forensic.metrics.edges import edge_accuracy
from forensic.metrics.fid import Gaussian, frechet_distance, kernel_distance
from forensic.metrics.psnr import pooled_psnr
from forensic.metrics.ssim import SCRIPT_WINDOW_PX, script_ssim, ssim
from forensic.sketches.registry import FREE_HAND
from forensic.stats.bootstrap import BootstrapMean, bootstrap_mean

Images = NDArray[np.uint8]

INPUTS = (*FREE_HAND, "drawing")
"""The kinds of sketch that are put in: the four styles, and the artist's drawing where stored."""

BATCH = 8


class SetFeatures(Protocol):
    """A frozen network whose features compare sets of images."""

    name: str

    def __call__(self, images: Tensor, /) -> Tensor:
        """Return (B, D) features of images (B, 3, H, W) in [0, 1]."""


@dataclass(frozen=True)
class SetDistance:
    """How far the made photos are from the true ones as sets.

    Attributes:
        frechet: Fréchet distance; an FID only by the features of the standard network.
        kernel: Kernel distance.
        features: The name of the network.
        n_images: Images on each side.
    """

    frechet: float
    kernel: float
    features: str
    n_images: int


@dataclass(frozen=True)
class Figures:
    """What one generator does with one kind of sketch.

    Attributes:
        kind: A name of `INPUTS`.
        size_hw: Height and width at which it was measured, in pixels.
        contours: What drew the contours that it was taught.
        images: Mean of each per-image figure with its bootstrap error over people: `psnr` (dB,
            equation 11), `ssim` (RGB, 11×11), `script_ssim` (the ancestor's script, from 51 pixels
            on), `precision` and `recall` of the refined sketch against Canny.
        distance: Distance of the sets, None without features.
    """

    kind: str
    size_hw: tuple[int, int]
    contours: str
    images: dict[str, BootstrapMean]
    distance: SetDistance | None


def measure(
    generator: LoadedGenerator,
    folder: Path,
    *,
    kind: str,
    split: str = "test",
    features: SetFeatures | None = None,
    device: torch.device,
    sheet: Path | None = None,
    limit: int | None = None,
) -> Figures:
    """Return the figures of a trained generator on one kind of sketch of a split.

    Args:
        generator: A trained `CaliSketch`; its style and frame are kept.
        folder: A packed data set with contours, or a folder of such.
        kind: A name of `INPUTS`.
        split: Which faces.
        features: What compares the sets.
        device: Where to compute.
        sheet: Write a contact sheet there: sketch, refined sketch, made photo, true photo.
        limit: Only so many faces.

    Raises:
        WeightsError: The generator is another network.
        DataFolderError: The data cannot be used, or the split is empty.
        UnknownNameError: No such kind of sketch.
    """
    network = generator.network
    if not isinstance(network, CaliSketch):
        raise WeightsError(f"{generator.name} is not Cali-Sketch.")
    frame = generator.frame
    faces = CalibrationFaces(
        folder,
        split=split,
        style=generator.style,
        styles=[kind],
        crop_hw=frame.crop_hw,
        size_hw=frame.size_hw,
        limit=limit,
    )
    refined, made = generate(network, faces.sketches[0], device=device)
    if sheet:
        write_sheet(sheet, [faces.sketches[0], 255 - refined, made, faces.photos])
    clusters = np.array([record.subject for record in faces.records])
    values = per_image(refined, made, faces)
    return Figures(
        kind=kind,
        size_hw=(made.shape[1], made.shape[2]),
        contours=faces.detector,
        images={name: bootstrap_mean(v, clusters=clusters) for name, v in values.items()},
        distance=set_distance(made, faces.photos, features, device) if features else None,
    )


@torch.inference_mode()
def generate(
    network: CaliSketch, sketches: Images, *, device: torch.device
) -> tuple[Images, Images]:
    """Return refined edge maps (N, H, W, 1) and photos (N, H, W, 3) of sketches (N, H, W, 1)."""
    refined, made = [], []
    for first in range(0, len(sketches), BATCH):
        edges = network.calibrate(images_to_tensor(sketches[first : first + BATCH]).to(device))
        refined.append(tensor_to_images(edges))
        made.append(tensor_to_images(network.synthesize(edges)))
    return np.concatenate(refined), np.concatenate(made)


def per_image(
    refined: Images, made: Images, faces: CalibrationFaces
) -> dict[str, NDArray[np.float64]]:
    """Return each per-image figure (N,) of machine-made photos as they are stored, in bytes."""
    metrics: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"psnr": pooled_psnr, "ssim": ssim}
    if min(made.shape[1:3]) >= SCRIPT_WINDOW_PX:
        metrics["script_ssim"] = script_ssim
    values: dict[str, list[float]] = {name: [] for name in (*metrics, "precision", "recall")}
    for first in range(0, len(made), BATCH):
        part = slice(first, first + BATCH)
        ours, true = images_to_tensor(made[part]), images_to_tensor(faces.photos[part])
        for name, metric in metrics.items():
            values[name] += metric(ours, true).tolist()
        accuracy = edge_accuracy(
            images_to_tensor(refined[part]), images_to_tensor(faces.edges[part])
        )
        for name, figures in zip(("precision", "recall"), accuracy, strict=True):
            values[name] += figures.tolist()
    return {name: np.array(column) for name, column in values.items()}


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
        n_images=len(made),
    )


@torch.inference_mode()
def _features_of(
    images: Images, features: SetFeatures, device: torch.device
) -> NDArray[np.float64]:
    rows = [
        features(images_to_tensor(images[first : first + BATCH]).to(device)).double().cpu()
        for first in range(0, len(images), BATCH)
    ]
    return np.asarray(torch.cat(rows).numpy())


def write_sheet(path: Path, rows: list[Images], *, n_faces: int = 8) -> None:
    """Write a picture with a row of faces for each kind of image."""
    write_image(path, contact_sheet([list(images[:n_faces]) for images in rows]))
