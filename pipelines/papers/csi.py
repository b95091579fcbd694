"""Tables 2 to 5 of Convolutional Sketch Inversion on our trained networks.

Networks trained by the feature loss alone (Tables 4 and 5) are called `csi-line-features` and so
on; their recipes differ from the others in their weights of the losses only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensic.datasets.pairs import SketchPhotoPairs
from forensic.datasets.taught import DRAWING
from forensic.errors import DataFolderError
from forensic.faces.align import align_face
from forensic.faces.landmarks import aligned_landmarks
from forensic.generators.registry import LoadedGenerator
from forensic.sketches.registry import SKETCH_STYLES
from pipelines.evaluate_images import Faces, score, score_faces, synthesize
from pipelines.papers.sheets import write_spread
from pipelines.papers.tables import Materials, Measured, PaperTable, Row, try_row
from pipelines.published import CSI_TABLE_2, CSI_TABLE_3, CSI_TABLE_4, CSI_TABLE_5

COLUMNS = {"psnr": "PSNR (dB)", "ssim": "SSIM", "r": "R"}
SHOWN, DRAWS = 6, 10_000
"""The paper shows six sketches of a sub-set; so many random sixes tell what six can show."""

Printed = Mapping[str, Mapping[str, tuple[float, float]]]


def measure_simulated(
    materials: Materials, *, name: str, title: str, printed: Printed, suffix: str = ""
) -> PaperTable:
    """Return Table 2 or 4: sketches simulated from photos of LFW.

    Args:
        materials: Weights and data.
        name: Of the table.
        title: Of the table.
        printed: The paper's figures by model.
        suffix: What ends the names of the weights.
    """
    rows = [
        try_row(model, _means(paper), partial(_measure_simulated, materials, model + suffix))
        for model, paper in printed.items()
    ]
    note = "The paper's figures come from 11,990 faces of LFW. Intervals by bootstrap over people."
    return PaperTable(name, title, COLUMNS, rows, note)


def measure_drawn(
    materials: Materials, *, name: str, title: str, printed: Printed, suffix: str = ""
) -> PaperTable:
    """Return Table 3 or 5: drawings of CUFS through the line model; arguments likewise."""
    rows = [
        try_row(subset, _means(paper), partial(_measure_drawn, materials, [subset], suffix))
        for subset, paper in printed.items()
    ]
    rows += [
        try_row(
            f"{subset}, any six", _means(paper), partial(_measure_six, materials, subset, suffix)
        )
        for subset, paper in printed.items()
        if subset in materials.data
    ]
    given = [subset for subset in printed if subset in materials.data]
    together = {
        column: float(np.mean([printed[subset][column][0] for subset in given or printed]))
        for column in COLUMNS
    }
    rows.append(try_row("together", together, partial(_measure_drawn, materials, given, suffix)))
    note = (
        "The paper shows six sketches of each sub-set, which it does not list; ours are all pairs "
        "of the data given. Rows with 'any six' hold the range of 95 % of the means of six pairs "
        "drawn at random: the paper's figure may be expected in it. The last row's printed figures "
        "are the means of the same sub-sets. XM2VTS asks for a licence of its own."
    )
    return PaperTable(name, title, COLUMNS, rows, note)


def _measure_simulated(materials: Materials, weights: str) -> Row:
    generator = materials.generator(weights)
    pairs = SketchPhotoPairs(materials.folder("lfw"), split="test", style=generator.style)
    faces = Faces(pairs.sketches, pairs.photos, [record.subject for record in pairs.records])
    made = synthesize(generator, faces.sketches, device=materials.device)
    _show(materials, f"{weights}-lfw", faces, made)
    return _row(score(made, faces, seed=0), len(made), "LFW, people not trained on", generator)


def _measure_drawn(materials: Materials, subsets: list[str], suffix: str) -> Row:
    if not subsets:
        raise DataFolderError("no sub-set of CUFS was given; give --data cuhk=FOLDER")
    generator = materials.generator(f"csi-line{suffix}")
    faces = _all_faces(materials, subsets, style=generator.style)
    made = synthesize(generator, faces.sketches, device=materials.device)
    _show(materials, f"{generator.name}-{'-'.join(subsets)}", faces, made)
    where = f"{', '.join(subsets)}: all pairs"
    return _row(score(made, faces, seed=0), len(made), where, generator)


def _measure_six(materials: Materials, subset: str, suffix: str) -> Row:
    generator = materials.generator(f"csi-line{suffix}")
    faces = faces_of_cufs(materials, subset, style=generator.style)
    if len(faces.subjects) < SHOWN:
        raise DataFolderError(f"{subset} has only {len(faces.subjects)} pairs")
    made = synthesize(generator, faces.sketches, device=materials.device)
    ours = {name: _any_six(values) for name, values in score_faces(made, faces).items()}
    where = f"{subset}: {DRAWS:,} random draws of six of {len(made)} pairs"
    return Row("", ours=ours, n=SHOWN, split=where, weights_sha256=generator.weights_sha256)


def _show(materials: Materials, name: str, faces: Faces, made: NDArray[np.uint8]) -> None:
    if materials.sheets:
        rows = {"sketch": faces.sketches, "machine-made face": made, "true photo": faces.photos}
        write_spread(materials.sheets / f"{name}.png", rows)


def _any_six(values: NDArray[np.float64]) -> Measured:
    """Return the mean of (N,) values and the range of 95 % of the means of six of them."""
    order = np.random.default_rng(0).random((DRAWS, len(values))).argsort(axis=1)[:, :SHOWN]
    low, high = np.quantile(values[order].mean(axis=1), (0.025, 0.975))
    return Measured(float(values.mean()), (float(low), float(high)))


def _all_faces(materials: Materials, subsets: list[str], *, style: str) -> Faces:
    parts = [faces_of_cufs(materials, subset, style=style) for subset in subsets]
    return Faces(
        np.concatenate([part.sketches for part in parts]),
        np.concatenate([part.photos for part in parts]),
        [person for part in parts for person in part.subjects],
    )


def faces_of_cufs(materials: Materials, subset: str, *, style: str) -> Faces:
    """Return the drawings of a sub-set, cropped as CSI does and put through its style.

    Raises:
        DataFolderError: The sub-set was not given.
        LandmarksError: It does not lie in the geometry of CUFS.
    """
    packed = materials.packed(subset)
    operator = SKETCH_STYLES[style]
    drawn, true = [], []
    photos, sketches = (packed.images(packed.records, kind) for kind in ("photo", DRAWING))
    for photo, sketch in zip(photos, sketches, strict=True):
        five = aligned_landmarks(photo, "cufs")
        true.append(align_face(photo, five, "csi-96")[0])
        drawn.append(operator(align_face(sketch, five, "csi-96")[0]))
    return Faces(np.stack(drawn), np.stack(true), [record.subject for record in packed.records])


def _row(
    figures: Mapping[str, Mapping[str, Any]], n: int, split: str, generator: LoadedGenerator
) -> Row:
    ours = {name: Measured(figure["mean"], figure["ci95"]) for name, figure in figures.items()}
    return Row("", ours=ours, n=n, split=split, weights_sha256=generator.weights_sha256)


def _means(paper: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    return {column: figure[0] for column, figure in paper.items()}


TABLES = {
    "csi-table-2": partial(
        measure_simulated,
        name="csi-table-2",
        title="CSI, Table 2: all losses, LFW",
        printed=CSI_TABLE_2,
    ),
    "csi-table-3": partial(
        measure_drawn,
        name="csi-table-3",
        title="CSI, Table 3: line model, CUFS",
        printed=CSI_TABLE_3,
    ),
    "csi-table-4": partial(
        measure_simulated,
        name="csi-table-4",
        title="CSI, Table 4: feature loss alone, LFW",
        printed=CSI_TABLE_4,
        suffix="-features",
    ),
    "csi-table-5": partial(
        measure_drawn,
        name="csi-table-5",
        title="CSI, Table 5: feature loss alone, CUFS",
        printed=CSI_TABLE_5,
        suffix="-features",
    ),
}
