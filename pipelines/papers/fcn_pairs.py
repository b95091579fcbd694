"""Fig. 4 of the photo-to-sketch paper: rank 1 by number of training pairs.

Weights are called `fcn-fig4-nN-sSEED-with` and `-without`: pairs trained on, seed, and the
discriminative regulariser. The comment of `recipes/fcn-medium.toml` has the commands.
"""

from __future__ import annotations

import re
from functools import partial

import numpy as np
from numpy.typing import NDArray

from forensic.errors import InputError
from forensic.generators.registry import LoadedGenerator
from forensic.stats.binomial import clopper_pearson
from forensic.stats.mcnemar import compare_paired
from pipelines.papers.drawings import SPLIT, draw_test, squared_error_ranks
from pipelines.papers.tables import Materials, Measured, PaperTable, Row, try_row
from pipelines.published import FCN_FIGURE_4

NAMES = re.compile(r"fcn-fig4-n(\d+)-s(\d+)-(with|without)")


def training_pairs(materials: Materials) -> PaperTable:
    """Return Fig. 4: rank 1 by number of training pairs, with and without the regulariser."""
    found = find_figure_4(materials)
    rows = [
        try_row(f"{n} pairs", _paper_of(n), partial(_measure_pairs, materials, n, found.get(n, [])))
        for n in sorted({*FCN_FIGURE_4, *found})
    ]
    columns = {"with": "rank 1 with", "without": "rank 1 without", "p": "McNemar p"}
    note = (
        "Rates over all seeds; as these share the sketches, intervals are those of one search a "
        "person. McNemar's exact test compares the same sketches by the same seed with and "
        "without the regulariser, which seeds make a guide and no proof. Train "
        "with `--set name=fcn-fig4-nN-sSEED-with`."
    )
    title = "FCN, Fig. 4: rank 1 by number of training pairs"
    return PaperTable("fcn-figure-4", title, columns, rows, note)


def find_figure_4(materials: Materials) -> dict[int, list[tuple[int, str]]]:
    """Return, by number of training pairs, the seed and regulariser of every trained network."""
    found: dict[int, set[tuple[int, str]]] = {}
    for folder in materials.weights:
        for path in folder.rglob("fcn-fig4-*.safetensors"):
            if match := NAMES.fullmatch(path.stem):
                found.setdefault(int(match[1]), set()).add((int(match[2]), match[3]))
    return {n: sorted(trained) for n, trained in found.items()}


def _measure_pairs(materials: Materials, n: int, trained: list[tuple[int, str]]) -> Row:
    seeds = sorted(seed for seed, way in trained if way == "with" and (seed, "without") in trained)
    if not seeds:
        raise InputError("no seed was trained both with and without the regulariser")
    hits, sizes = {}, set()
    for way in ("with", "without"):
        networks = [materials.generator(f"fcn-fig4-n{n}-s{seed}-{way}") for seed in seeds]
        sizes |= {_size(network) for network in networks}
        ranks = [squared_error_ranks(draw_test(materials, network)) for network in networks]
        hits[way] = np.stack(ranks) <= 1
    if len(sizes) > 1:
        raise InputError(f"networks of several sizes were trained: {', '.join(sorted(sizes))}")
    ours = {way: _rate(hit) for way, hit in hits.items()}
    ours["p"] = Measured(compare_paired(hits["with"].ravel(), hits["without"].ravel()).p_value)
    where = f"{SPLIT}; fcn-{sizes.pop()}, seeds {seeds}"
    return Row("", ours=ours, n=hits["with"].size, split=where)


def _rate(hits: NDArray[np.bool_]) -> Measured:
    """Return the rate of (seeds, people) hits, its interval that of as many searches as people."""
    (n_seeds, n_people), found = hits.shape, int(hits.sum())
    low, _ = clopper_pearson(found // n_seeds, n_people)
    _, high = clopper_pearson(-(-found // n_seeds), n_people)
    return Measured(float(hits.mean()), (low, high))


def _size(generator: LoadedGenerator) -> str:
    config: dict[str, object] = generator.network.config  # type: ignore[assignment]
    return str(config["size"])


def _paper_of(n: int) -> dict[str, float]:
    return {"with": FCN_FIGURE_4[n]} if n in FCN_FIGURE_4 else {}
