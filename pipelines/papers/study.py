"""Tables III and IV of the investigative study on our trained networks.

Weights are called `study-MODEL-f2s` and `study-MODEL-s2f` when trained on the study's split, which
leaks people, and with `-disjoint` when trained on the 88 people of the usual split.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from forensic.datasets.pairs import SketchPhotoPairs
from forensic.datasets.taught import DRAWING
from forensic.generators.registry import LoadedGenerator
from forensic.stats.bootstrap import bootstrap_mean
from forensic.training.tasks.autoencoder import as_rgb, check_direction, picture_figures
from pipelines.papers.sheets import SHOWN, write_sheet
from pipelines.papers.tables import Materials, Measured, PaperTable, Row, try_row
from pipelines.published import STUDY_TABLE_3, STUDY_TABLE_4

DATA = "cuhk"
COMMON_PX = 256
"""The one size at which all networks are scored beside their own."""

SMALL_PX = 128
"""Size of the recipes for a CPU, part of their names."""

BATCH = 16
SPLITS = {
    "": "study split, leaky: 300 pictures, siblings of nearly all were trained on",
    "-disjoint": "100 people of the test part, eight pictures each; nobody was trained on",
}
PRINTED = {
    "f2s": ("study-table-3", "Study, Table III: photo to sketch", STUDY_TABLE_3),
    "s2f": ("study-table-4", "Study, Table IV: sketch to photo", STUDY_TABLE_4),
}
COLUMNS = {
    "ssim": "SSIM",
    "mse": "MSE",
    f"ssim{COMMON_PX}": f"SSIM at {COMMON_PX} px",
    f"mse{COMMON_PX}": f"MSE at {COMMON_PX} px",
}


def measure_direction(materials: Materials, *, direction: str) -> PaperTable:
    """Return Table III (`f2s`) or IV (`s2f`), on the leaky split and on one without shared people.

    Args:
        materials: Weights and data.
        direction: A key of `PRINTED`.
    """
    name, title, printed = PRINTED[direction]
    rows = []
    for suffix in SPLITS:
        for model, paper in printed.items():
            beside = {} if suffix else paper
            for weights in _names(materials, f"study-{model}-{direction}", suffix):
                measure = partial(_measure, materials, weights, suffix)
                rows.append(try_row(weights, beside, measure))
    note = (
        "Pictures in [0, 1]; intervals by bootstrap over people. The study's figures stand "
        "beside the split that it used; networks named …-128 work at another size than the "
        "study's, which is 256 pixels and 224 for VGG-16."
    )
    return PaperTable(name, title, COLUMNS, rows, note)


def _names(materials: Materials, name: str, suffix: str) -> list[str]:
    """Return the network of full size, and the one made for a CPU where it was trained."""
    small = f"{name}-{SMALL_PX}{suffix}"
    return [name + suffix, *([small] if materials.has_generator(small) else [])]


def _training(weights: str) -> str:
    """Return the recipe and its changes that make weights of a name.

    There is one recipe a network and size: from sketch to photo, on the study's split.
    """
    changes = [f"name={weights}"]
    if weights.endswith("-disjoint"):
        changes.append("data.options.people=disjoint")
    if "-f2s" in weights:
        changes.append("options.direction=photo-to-sketch")
    recipe = weights.removesuffix("-disjoint").replace("-f2s", "-s2f")
    return " --set ".join([recipe, *changes] if len(changes) > 1 else [recipe])


def _measure(materials: Materials, weights: str, suffix: str) -> Row:
    generator = materials.generator(weights, train=_training(weights))
    pairs = load_pairs(materials, generator, is_leaky=not suffix)
    values = score_pairs(generator, pairs, device=materials.device)
    if materials.sheets:
        _write_sheet(materials.sheets / f"{weights}.png", generator, pairs, materials.device)
    people = np.array(pairs.subjects)
    ours = {}
    for column, numbers in values.items():
        mean = bootstrap_mean(numbers, clusters=people)
        ours[column] = Measured(mean.mean, mean.ci95)
    height, width = pairs.photos.shape[1:3]
    where = f"{SPLITS[suffix]}; own size {width}×{height}"
    return Row("", ours=ours, n=len(pairs), split=where, weights_sha256=generator.weights_sha256)


def load_pairs(
    materials: Materials, generator: LoadedGenerator, *, is_leaky: bool
) -> SketchPhotoPairs:
    """Return the test pictures of a split, in the generator's own frame.

    Raises:
        DataFolderError: The data are missing.
    """
    return SketchPhotoPairs(
        materials.folder(DATA),
        split="test",
        style=DRAWING,
        crop_hw=generator.frame.crop_hw,
        size_hw=generator.frame.size_hw,
        symmetries=8,
        people="leaky" if is_leaky else "disjoint",
    )


def score_pairs(
    generator: LoadedGenerator, pairs: SketchPhotoPairs, *, device: torch.device
) -> dict[str, np.ndarray]:
    """Return (N,) figures of every picture at the network's size and at the common one."""
    source, target = check_direction(generator.direction)
    columns: dict[str, list[Tensor]] = {name: [] for name in COLUMNS}
    for first in range(0, len(pairs), BATCH):
        batch = pairs.batch(np.arange(first, min(first + BATCH, len(pairs))))
        with torch.inference_mode():
            made = generator.network(as_rgb(batch[source]).to(device)).float().cpu()
        wanted = as_rgb(batch[target])
        own = picture_figures(made, wanted)
        common = picture_figures(_common(made), _common(wanted))
        for name in ("ssim", "mse"):
            columns[name].append(own[name])
            columns[f"{name}{COMMON_PX}"].append(common[name])
    return {name: torch.cat(parts).double().numpy() for name, parts in columns.items()}


def _write_sheet(
    path: Path, generator: LoadedGenerator, pairs: SketchPhotoPairs, device: torch.device
) -> None:
    """Show pictures from all over the test part."""
    source, target = check_direction(generator.direction)
    batch = pairs.batch(np.linspace(0, len(pairs) - 1, min(SHOWN, len(pairs))).astype(np.intp))
    with torch.inference_mode():
        made = generator.network(as_rgb(batch[source]).to(device)).float().cpu()
    write_sheet(
        path, {source: batch[source], "machine-made": made, f"true {target}": batch[target]}
    )


def _common(pictures: Tensor) -> Tensor:
    size = [COMMON_PX, COMMON_PX]
    if list(pictures.shape[2:]) == size:
        return pictures
    return F.interpolate(pictures, size=size, mode="bilinear", antialias=True)


TABLES = {
    name: partial(measure_direction, direction=direction)
    for direction, (name, *_) in PRINTED.items()
}
