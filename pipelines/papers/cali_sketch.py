"""Tables 1 to 3 of Cali-Sketch on our trained networks, and the measurements behind them.

Weights are called `cali-sketch` and, for Tables 2 and 3, `cali-sketch-both`, `-detail`, `-contour`,
`-improved-1` and `-improved-2`; those made for a CPU have `-128-narrow` behind that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from forensic.datasets.calibration import CalibrationFaces
from forensic.datasets.taught import DRAWING
from forensic.errors import MissingWeights, WeightsError
from forensic.generators.cali_sketch import CaliSketch
from forensic.generators.registry import LoadedGenerator
from forensic.images.tensors import images_to_tensor, tensor_to_images
from forensic.metrics.edges import edge_accuracy
from forensic.metrics.psnr import pooled_psnr
from forensic.metrics.ssim import SCRIPT_WINDOW_PX, script_ssim, ssim
from forensic.sketches.registry import FREE_HAND
from forensic.stats.bootstrap import BootstrapMean, bootstrap_mean
from forensic.weights.bundle import read_bundle_metadata
from forensic.weights.store import find_weights
from pipelines.papers.sets import (
    SET_COLUMNS,
    SetDistance,
    SetFeatures,
    describe_features,
    open_features,
    set_distance,
)
from pipelines.papers.sheets import write_spread
from pipelines.papers.tables import Materials, Measured, PaperTable, Row, printed_only, try_row
from pipelines.published import CALI_TABLE_1, CALI_TABLE_2, CALI_TABLE_3

Images = NDArray[np.uint8]

DATA = "cuhk-portrait"
"""The data set's name in `--data`: CUHK's test part in geometry portrait-256, drawings included."""

INPUTS = (DRAWING, *FREE_HAND)
"""The kinds of sketch that are put in: the artist's drawing, and the four styles."""

SMALL = "-128-narrow"
PICTURE_COLUMNS = {
    "psnr": "PSNR (dB)",
    "ssim": "SSIM",
    "script_ssim": "SSIM by the ancestor's script",
    **SET_COLUMNS,
}
EDGE_COLUMNS = {"precision": "precision", "recall": "recall"}
ALONE = "options.calibration_only=true"
CHANGES = {
    "": (),
    "-both": (ALONE,),
    "-detail": (ALONE, 'options.targets=["detail"]'),
    "-contour": (ALONE, 'options.targets=["contour"]'),
    "-improved-1": ("options.synthesis=improved-1",),
    "-improved-2": ("options.synthesis=improved-2",),
}
"""How the recipe of a variant differs from that of Table 1."""

TARGETS = {
    "-detail": "detail",
    "-contour": "contour",
    "-both": "detail and contour",
    "": "detail and contour",
}
"""What calibrates each variant of Table 2: the first three alone, the last with the synthesis."""

SYNTHESES = {"": "original", "-improved-1": "improved-1", "-improved-2": "improved-2"}

ABOUT = (
    "The paper states neither split, number nor kind of sketch; every drawing goes through the "
    "operator that the weights name. Intervals by bootstrap over people."
)

BATCH = 8


@dataclass(frozen=True)
class Figures:
    """What one generator does with one kind of sketch.

    Attributes:
        kind: A name of `INPUTS`.
        size_hw: Height and width at which it was measured, in pixels.
        images: Mean of each per-image figure with its bootstrap error over people: `psnr` (dB,
            equation 11), `ssim` (RGB, 11×11), `script_ssim` (the ancestor's script, from 51 pixels
            on), `precision` and `recall` of the refined sketch against Canny.
        distance: Distance of the sets, None without features.
    """

    kind: str
    size_hw: tuple[int, int]
    images: dict[str, BootstrapMean]
    distance: SetDistance | None


def photo_quality(materials: Materials) -> PaperTable:
    """Return Table 1, each kind of sketch and size of network a row of its own."""
    features = open_features(materials.features, materials.device)
    ours = CALI_TABLE_1["Cali-Sketch"]
    rows = [printed_only(n, paper) for n, paper in CALI_TABLE_1.items() if n != "Cali-Sketch"]
    rows += [
        _row(materials, features, weights, kind, ours)
        for weights in _names(materials, "")
        for kind in INPUTS
    ]
    title = "Cali-Sketch, Table 1: CUHK"
    return PaperTable("cali-table-1", title, PICTURE_COLUMNS, rows, _about(features))


def calibration_targets(materials: Materials) -> PaperTable:
    """Return Table 2: the refined sketch against Canny, by what calibrates."""
    rows = [
        _row(materials, None, weights, FREE_HAND[0], CALI_TABLE_2[targets])
        for variant, targets in TARGETS.items()
        for weights in _names(materials, variant)
    ]
    title = "Cali-Sketch, Table 2: refined sketch against Canny, by what calibrates"
    return PaperTable("cali-table-2", title, EDGE_COLUMNS, rows, ABOUT)


def synthesis_networks(materials: Materials) -> PaperTable:
    """Return Table 3: the original synthesis network and its two improvements."""
    features = open_features(materials.features, materials.device)
    rows = [
        _row(materials, features, weights, DRAWING, CALI_TABLE_3[synthesis])
        for variant, synthesis in SYNTHESES.items()
        for weights in _names(materials, variant)
    ]
    title = "Cali-Sketch, Table 3: synthesis networks"
    return PaperTable("cali-table-3", title, PICTURE_COLUMNS, rows, _about(features))


TABLES = {
    "cali-table-1": photo_quality,
    "cali-table-2": calibration_targets,
    "cali-table-3": synthesis_networks,
}


def _about(features: SetFeatures | None) -> str:
    return f"{describe_features(features)} {ABOUT}"


def _names(materials: Materials, variant: str) -> list[str]:
    """Return the network of full size, and the one made for a CPU where it was trained."""
    small = f"cali-sketch{variant}{SMALL}"
    return [f"cali-sketch{variant}", *([small] if materials.has_generator(small) else [])]


def _command(weights: str) -> str:
    """Return what trains weights of a name."""
    variant = weights.removeprefix("cali-sketch").removesuffix(SMALL)
    recipe = "cali-sketch" + (SMALL if weights.endswith(SMALL) else "")
    changes = [f"name={weights}", *CHANGES[variant]] if variant else []
    return " ".join([f"forensic train {recipe}", *(f"--set '{c}'" for c in changes), "--out RUN"])


def _row(
    materials: Materials,
    features: SetFeatures | None,
    weights: str,
    kind: str,
    paper: dict[str, float],
) -> Row:
    def compute() -> Row:
        if not materials.has_generator(weights):
            raise MissingWeights(
                f"no {weights}.safetensors in --weights; train it with `{_command(weights)}`"
            )
        generator = materials.generator(weights)
        folder = materials.folder(DATA)
        found = measure(
            generator,
            folder,
            kind=kind,
            features=features,
            device=materials.device,
            sheet=materials.sheets / f"{weights}-{kind}.png" if materials.sheets else None,
        )
        ours = {name: Measured(m.mean, m.ci95) for name, m in found.images.items()}
        ours |= found.distance.columns if found.distance else {}
        facts = read_bundle_metadata(materials.find_weights(weights) or find_weights(weights))
        height, width = found.size_hw
        return Row(
            "",
            ours=ours,
            n=found.images["psnr"].n_values,
            split=f"CUHK test part, {width}×{height}, contours by {facts.get('contours', '?')}",
            weights_sha256=generator.weights_sha256,
        )

    return try_row(f"{weights}, {kind}", paper, compute)


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
        folder: A packed data set, or a folder of such.
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
        with_contours=False,
    )
    refined, made = generate(network, faces.sketches[0], device=device)
    if sheet:
        pictures = {
            f"sketch: {kind}": faces.sketches[0],
            "refined sketch (machine-made)": 255 - refined,
            "machine-made face": made,
            "true photo": faces.photos,
        }
        write_spread(sheet, pictures)
    clusters = np.array([record.subject for record in faces.records])
    values = per_image(refined, made, faces)
    return Figures(
        kind=kind,
        size_hw=(made.shape[1], made.shape[2]),
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
