"""Tables and figures of the photo-to-sketch paper (Zhang et al. 2015) on our trained networks.

Fig. 4, rank 1 by number of training pairs, is in `fcn_pairs.py`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from forensic.errors import InputError
from forensic.generators.registry import create_generator
from forensic.layers.memory import to_channels_last
from forensic.metrics.mprl import SCALES, mprl
from forensic.runtime import PRECISIONS, choose_precision
from forensic.stats.binomial import clopper_pearson
from forensic.stats.bootstrap import bootstrap_mean
from forensic.stats.mcnemar import compare_paired
from pipelines.papers.drawings import CROP_HW, SPLIT, draw_test, squared_error_ranks
from pipelines.papers.fcn_pairs import training_pairs
from pipelines.papers.sheets import SHOWN, write_sheet
from pipelines.papers.tables import Materials, Measured, PaperTable, Row, printed_only, try_row
from pipelines.published import FCN_MPRL, FCN_TABLE_1, FCN_TABLE_2

RANKS = (1, 3, 5, 10)
CHOSEN = "fcn-medium"
"""The network that the paper calls its own in Table 1."""

RGB = "-rgb"
"""End of the names of networks without XY channels: `--set name=fcn-sr-rgb --set
options.coordinates=false`."""

SPEED_RUNS = 9


def match_scores(materials: Materials) -> PaperTable:
    """Return Table 1: a drawing looks for its person among drawings made of photos.

    Beside the paper's own network, every other size that was trained has a row.
    """
    rows = []
    for name, paper in FCN_TABLE_1.items():
        if name == "Baseline":
            rows.append(try_row(name, paper, partial(_match, materials, None)))
        elif name == "Ours":
            rows.append(try_row(name, paper, partial(_match, materials, CHOSEN)))
        else:
            rows.append(printed_only(name, paper))
    rows += [
        try_row(name, {}, partial(_match, materials, name))
        for size in FCN_MPRL
        for name in (size, size + RGB)
        if name != CHOSEN and materials.has_generator(name)
    ]
    note = (
        "Ranked by summed squared error, ties against the system; exact intervals. p: McNemar's "
        "exact test at rank 1 against the baseline, the photos' gray levels."
    )
    columns = {**{str(r): f"CMS({r})" for r in RANKS}, "p": "p against the baseline"}
    return PaperTable("fcn-table-1", "FCN, Table 1: match scores on CUHK", columns, rows, note)


def _match(materials: Materials, name: str | None) -> Row:
    generator = materials.generator(name) if name else None
    ranks = squared_error_ranks(draw_test(materials, generator))
    n = len(ranks)
    counts = {str(r): int((ranks <= r).sum()) for r in RANKS}
    ours = {r: Measured(k / n, clopper_pearson(k, n)) for r, k in counts.items()}
    if generator is None:
        return Row("", ours=ours, n=n, split=SPLIT)
    baseline = squared_error_ranks(draw_test(materials, None))
    ours["p"] = Measured(compare_paired(ranks <= 1, baseline <= 1).p_value)
    return Row("", ours=ours, n=n, split=SPLIT, weights_sha256=generator.weights_sha256)


def reconstruction(materials: Materials) -> PaperTable:
    """Return Fig. 5 and Fig. 6: MPRL of every network, with and without XY channels."""
    printed: dict[str, Mapping[str, float]] = {**FCN_MPRL, CHOSEN + RGB: {}}
    others = [name + RGB for name in FCN_MPRL if name != CHOSEN]
    printed |= {name: {} for name in others if materials.has_generator(name)}
    rows = [
        try_row(name, paper, partial(_measure, materials, name)) for name, paper in printed.items()
    ]
    columns = {f"{scale:g}": f"MPRL ×{scale:g}" for scale in SCALES}
    columns["xy"] = "lost at ×1 without XY"
    note = (
        "Gray levels of 255, lower is better; intervals by bootstrap over people. Networks named "
        "…-rgb have no XY channels (Fig. 6); 'lost' is what each person's drawing loses "
        "against the same network with them."
    )
    return PaperTable("fcn-figure-5", "FCN, Fig. 5 and 6: MPRL on CUHK", columns, rows, note)


def _measure(materials: Materials, name: str) -> Row:
    generator = materials.generator(name)
    pictures = draw_test(materials, generator)
    if materials.sheets:
        rows = {"photo": draw_test(materials, None).made, "machine-made": pictures.made}
        rows["artist's drawing"] = pictures.drawn
        spread = np.linspace(0, len(pictures.people) - 1, SHOWN).astype(np.intp)
        shown = {label: row[spread] for label, row in rows.items()}
        write_sheet(materials.sheets / f"{name}.png", shown)
    values = mprl(pictures.made, pictures.drawn).numpy().astype(np.float64)
    people = np.array(pictures.people)
    ours = {f"{scale:g}": _mean(values[:, column], people) for column, scale in enumerate(SCALES)}
    beside = name.removesuffix(RGB)
    if beside != name and materials.has_generator(beside):
        other = draw_test(materials, materials.generator(beside))
        with_xy = mprl(other.made, other.drawn, scales=(1.0,)).numpy().astype(np.float64)[:, 0]
        ours["xy"] = _mean(values[:, SCALES.index(1.0)] - with_xy, people)
    sha = generator.weights_sha256
    return Row("", ours=ours, n=len(values), split="CUHK student, test part", weights_sha256=sha)


def _mean(values: NDArray[np.float64], people: NDArray[np.str_]) -> Measured:
    mean = bootstrap_mean(values, clusters=people)
    return Measured(mean.mean, mean.ci95)


def run_times(materials: Materials) -> PaperTable:
    """Return Table 2: milliseconds for one picture, beside the paper's K40.

    Weights do not matter to the time, so the networks are untrained ones.
    """

    def measure(name: str) -> Row:
        if not materials.speed:
            raise InputError("run times are measured with --speed, on an idle machine")
        size = name.removeprefix("fcn-")
        ours = {
            precision: Measured(time_network(size, precision=precision, device=materials.device))
            for precision in PRECISIONS
        }
        where = f"{materials.device}, {torch.get_num_threads()} threads, eager"
        return Row("", ours=ours, n=SPEED_RUNS, split=where)

    rows = [
        try_row(name, {"fp32": paper}, partial(measure, name))
        for name, paper in FCN_TABLE_2.items()
    ]
    note = f"Median of {SPEED_RUNS} passes after two that are not counted; the paper's on a K40."
    title = "FCN, Table 2: time for one 155×200 picture"
    columns = {"fp32": "ms, float32", "bf16": "ms, bfloat16"}
    return PaperTable("fcn-table-2", title, columns, rows, note)


def time_network(size: str, *, precision: str, device: torch.device) -> float:
    """Return the median time in milliseconds of one 155×200 picture through an untrained network.

    Args:
        size: A name in `forensic.generators.fcn.SIZES`.
        precision: `fp32` or `bf16`.
        device: Where to compute.

    Raises:
        UnknownNameError: No such size or precision.
    """
    network = to_channels_last(create_generator("fcn", size=size).eval(), device)
    picture = torch.zeros(1, 3, *CROP_HW, device=device)
    times = []
    with torch.inference_mode(), choose_precision(precision, device):
        for _ in range(SPEED_RUNS + 2):
            started = time.perf_counter()
            network(picture).cpu()
            times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times[2:])


TABLES = {
    "fcn-table-1": match_scores,
    "fcn-figure-4": training_pairs,
    "fcn-figure-5": reconstruction,
    "fcn-table-2": run_times,
}
