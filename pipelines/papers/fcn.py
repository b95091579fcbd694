"""Tables and figures of the photo-to-sketch paper (Zhang et al. 2015) on our trained networks."""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from forensic.datasets.pairs import SketchPhotoPairs
from forensic.datasets.taught import DRAWING
from forensic.errors import DataFolderError, InputError
from forensic.generators.registry import PHOTO_TO_SKETCH, LoadedGenerator
from forensic.images.tensors import images_to_tensor
from forensic.metrics.mprl import SCALES, mprl
from forensic.stats.binomial import clopper_pearson
from forensic.stats.bootstrap import bootstrap_mean
from forensic.stats.mcnemar import compare_paired
from forensic.stats.ranks import mate_ranks
from forensic.training.drawing import to_gray
from pipelines.papers.sheets import write_sheet
from pipelines.papers.tables import Materials, Measured, PaperTable, Row, printed_only, try_row
from pipelines.published import FCN_FIGURE_4, FCN_MPRL, FCN_TABLE_1, FCN_TABLE_2

DATA = "cuhk"
CROP_HW, SIZE_HW = (200, 155), (188, 143)
RANKS = (1, 3, 5, 10)
SPLIT = "CUHK student, test part; the gallery holds one photo of each person"
FIGURE_4 = re.compile(r"fcn-fig4-n(\d+)-s(\d+)-(with|without)")
"""How the weights of Fig. 4 are called: pairs trained on, seed, and the regulariser."""

SPEED_RUNS = 9


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


def tables(materials: Materials) -> list[PaperTable]:
    """Return Table 1, Fig. 4, Fig. 5 with Fig. 6, and Table 2."""
    return [
        match_scores(materials),
        training_pairs(materials),
        reconstruction(materials),
        run_times(materials),
    ]


def match_scores(materials: Materials) -> PaperTable:
    """Return Table 1: a drawing looks for its person among drawings made of photos."""

    def measure(name: str | None) -> Row:
        generator = materials.generator(name) if name else None
        pictures = draw_test(materials, generator)
        ranks = squared_error_ranks(pictures)
        n = len(ranks)
        counts = {str(r): int((ranks <= r).sum()) for r in RANKS}
        ours = {r: Measured(k / n, clopper_pearson(k, n)) for r, k in counts.items()}
        sha = generator.weights_sha256 if generator else ""
        return Row("", ours=ours, n=n, split=SPLIT, weights_sha256=sha)

    ours = {"Baseline": None, "Ours": "fcn-medium"}
    rows = [
        try_row(name, paper, partial(measure, ours[name]))
        if name in ours
        else printed_only(name, paper)
        for name, paper in FCN_TABLE_1.items()
    ]
    note = "Ranked by summed squared error, ties against the system; exact intervals."
    columns = {str(r): f"CMS({r})" for r in RANKS}
    return PaperTable("fcn-table-1", "FCN, Table 1: match scores on CUHK", columns, rows, note)


def training_pairs(materials: Materials) -> PaperTable:
    """Return Fig. 4: rank 1 by number of training pairs, with and without the regulariser."""
    found = find_figure_4(materials)
    rows = [
        try_row(str(n), _paper_of(n), partial(_measure_pairs, materials, n, found.get(n, [])))
        for n in sorted({*FCN_FIGURE_4, *found})
    ]
    columns = {"with": "rank 1 with", "without": "rank 1 without", "p": "McNemar p"}
    note = (
        "Searches of all seeds are counted together in the rates. McNemar's exact test compares "
        "the same sketches by the same seed with and without the regulariser; seeds share the "
        "sketches, so p is a guide and no proof. Train with `--set name=fcn-fig4-nN-sSEED-with`."
    )
    title = "FCN, Fig. 4: rank 1 by number of training pairs"
    return PaperTable("fcn-figure-4", title, columns, rows, note)


def reconstruction(materials: Materials) -> PaperTable:
    """Return Fig. 5 and Fig. 6: MPRL of every network, and of the medium one without XY."""

    def measure(name: str) -> Row:
        generator = materials.generator(name)
        pictures = draw_test(materials, generator)
        if materials.sheets:
            rows = {"photo": draw_test(materials, None).made, "machine-made": pictures.made}
            path = materials.sheets / f"{name}.png"
            write_sheet(path, {**rows, "artist's drawing": pictures.drawn})
        values = mprl(pictures.made, pictures.drawn).numpy().astype(np.float64)
        people = np.array(pictures.people)
        ours = {}
        for column, scale in enumerate(SCALES):
            mean = bootstrap_mean(values[:, column], clusters=people)
            ours[f"{scale:g}"] = Measured(mean.mean, mean.ci95)
        sha = generator.weights_sha256
        return Row(
            "", ours=ours, n=len(values), split="CUHK student, test part", weights_sha256=sha
        )

    printed = {**FCN_MPRL, "fcn-medium-rgb": {}}
    rows = [try_row(name, paper, partial(measure, name)) for name, paper in printed.items()]
    columns = {f"{scale:g}": f"MPRL ×{scale:g}" for scale in SCALES}
    note = "Gray levels of 255, lower is better. fcn-medium-rgb has no XY channels (Fig. 6)."
    return PaperTable("fcn-figure-5", "FCN, Fig. 5 and 6: MPRL on CUHK", columns, rows, note)


def run_times(materials: Materials) -> PaperTable:
    """Return Table 2: milliseconds for one picture, beside the paper's K40."""

    def measure(name: str) -> Row:
        if not materials.speed:
            raise InputError("run times are measured with --speed, on an idle machine")
        milliseconds = time_network(materials.generator(name), materials.device)
        where = f"{materials.device}, {torch.get_num_threads()} threads, float32, eager"
        return Row("", ours={"ms": Measured(milliseconds)}, n=SPEED_RUNS, split=where)

    rows = [
        try_row(name, {"ms": paper}, partial(measure, name)) for name, paper in FCN_TABLE_2.items()
    ]
    note = f"Median of {SPEED_RUNS} passes after two that are not counted; the paper's on a K40."
    title = "FCN, Table 2: time for one 155×200 picture"
    return PaperTable("fcn-table-2", title, {"ms": "ms"}, rows, note)


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


def time_network(generator: LoadedGenerator, device: torch.device) -> float:
    """Return the median time in milliseconds of one 155×200 picture."""
    picture = images_to_tensor(np.zeros((1, *CROP_HW, 3), dtype=np.uint8)).to(device)
    times = []
    with torch.inference_mode():
        for _ in range(SPEED_RUNS + 2):
            started = time.perf_counter()
            generator.network(picture).cpu()
            times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times[2:])


def find_figure_4(materials: Materials) -> dict[int, list[tuple[int, str]]]:
    """Return, by number of training pairs, the seed and regulariser of every trained network."""
    found: dict[int, set[tuple[int, str]]] = {}
    for folder in materials.weights:
        for path in folder.rglob("fcn-fig4-*.safetensors"):
            if match := FIGURE_4.fullmatch(path.stem):
                found.setdefault(int(match[1]), set()).add((int(match[2]), match[3]))
    return {n: sorted(trained) for n, trained in found.items()}


def _measure_pairs(materials: Materials, n: int, trained: list[tuple[int, str]]) -> Row:
    seeds = sorted(seed for seed, way in trained if way == "with" and (seed, "without") in trained)
    if not seeds:
        raise InputError("no seed was trained both with and without the regulariser")
    hits = {}
    for way in ("with", "without"):
        names = [f"fcn-fig4-n{n}-s{seed}-{way}" for seed in seeds]
        drawn = [draw_test(materials, materials.generator(name)) for name in names]
        hits[way] = np.concatenate([squared_error_ranks(pictures) <= 1 for pictures in drawn])
    ours = {
        way: Measured(float(hit.mean()), clopper_pearson(int(hit.sum()), len(hit)))
        for way, hit in hits.items()
    }
    ours["p"] = Measured(compare_paired(hits["with"], hits["without"]).p_value)
    return Row("", ours=ours, n=len(hits["with"]), split=f"{SPLIT}; seeds {seeds}")


def _paper_of(n: int) -> dict[str, float]:
    return {"with": FCN_FIGURE_4[n]} if n in FCN_FIGURE_4 else {}


def _centre(pictures: torch.Tensor) -> torch.Tensor:
    top, left = ((a - b) // 2 for a, b in zip(pictures.shape[2:], SIZE_HW, strict=True))
    return pictures[:, :, top : top + SIZE_HW[0], left : left + SIZE_HW[1]]
