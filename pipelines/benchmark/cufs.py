"""`forensic benchmark cuhk`: every sub-set of CUFS that a folder holds, one report each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from forensic.errors import DataFolderError
from pipelines.benchmark.compare import compare_files
from pipelines.benchmark.output import REPORT
from pipelines.benchmark.pairs import PairsOptions, benchmark_pairs
from pipelines.benchmark.scoring import Published
from pipelines.benchmark.sketch_domain import FCN_SKETCH
from pipelines.published import CSI_TABLE_3, FCN_TABLE_1

DRAWINGS = {"gray": "Baseline", "fcn:fcn-sr": "Ours"}
"""Matchers among drawings, and the row of FCN's Table 1 that is printed for them."""


def find_subsets(folder: Path, *, split: str) -> dict[str, Path]:
    """Return the folders that hold `photos` and `sketches`, by their path inside `folder`.

    Where a sub-set is divided into parts of which one is called `split`, only that part is
    taken: training pairs are no test.

    Raises:
        DataFolderError: The folder is missing or holds no such sub-set.
    """
    if not folder.is_dir():
        raise DataFolderError(f"{folder} is not a folder. Check the path.")
    found = sorted(
        path.parent for path in folder.rglob("photos") if (path.parent / "sketches").is_dir()
    )
    divided = {path.parent for path in found if path.name == split}
    chosen = [path for path in found if path.name == split or path.parent not in divided]
    if not chosen:
        raise DataFolderError(
            f"{folder} holds no sub-set: expected folders such as cuhk_student/{split} with photos "
            "and sketches in them."
        )
    return {path.relative_to(folder).as_posix(): path for path in chosen}


def benchmark_cufs(
    folder: Path,
    options: PairsOptions,
    *,
    split: str,
    drawings: bool,
    out: Path,
    cache: Path | None,
    environment: Mapping[str, str],
) -> str:
    """Run `pairs` on each sub-set into a folder of its own, and return what to tell the user.

    Args:
        folder: CUFS.
        options: As for `pairs`; its photos and sketches are replaced by those of the sub-set.
        split: Name of the test part.
        drawings: Search the sketches of CUHK among drawings as well, see `table_1`.
        out: Gets one folder for each report.
        cache: Folder for embeddings.
        environment: Where defaults are read from.

    Raises:
        ForensicError: Anything that the user can mend; finished reports are kept.
    """
    summaries = []
    for name, path in find_subsets(folder, split=split).items():
        own = replace(options, photos=path / "photos", sketches=path / "sketches")
        target = out / name.replace("/", "-")
        printed = {"csi-line": CSI_TABLE_3[known]} if (known := _known_as(path)) else {}
        summary = benchmark_pairs(
            replace(own, published_means=printed), out=target, cache=cache, environment=environment
        )
        summaries.append(f"{name}\n{summary}")
        if drawings and known == "cuhk":
            summaries.append(table_1(own, out=target, cache=cache, environment=environment))
    return "\n\n".join(summaries)


def table_1(
    options: PairsOptions, *, out: Path, cache: Path | None, environment: Mapping[str, str]
) -> str:
    """Search sketches among drawings made of the photos, and among the photos' gray levels.

    Args:
        options: As for `pairs`; photos and sketches must lie in the geometry of CUFS.
        out: Reports are written beside it, with the matcher's name at the end.
        cache: Folder for embeddings.
        environment: Where defaults are read from.

    Returns:
        Both summaries, and McNemar's test between the two.

    Raises:
        ForensicError: Anything that the user can mend.

    Source:
        Zhang et al. 2015, Table 1: 100 sketches among the 100 drawings of CUHK's test part, by
        summed squared error.
    """
    plain = replace(
        options, methods=(FCN_SKETCH,), aligned="cufs", distractors=(), gallery_index=None
    )
    summaries, reports = [], []
    for embedder, row in DRAWINGS.items():
        target = out.with_name(f"{out.name}-{embedder.rpartition(':')[2]}")
        paper = Published(f"Zhang et al. 2015, Table 1, {row}", FCN_TABLE_1[row]["1"], 100)
        own = replace(plain, embedder=embedder, published={FCN_SKETCH: paper})
        summaries.append(benchmark_pairs(own, out=target, cache=cache, environment=environment))
        reports.append(target / REPORT)
    verdict = compare_files(*reports, methods=None, rank=1, as_json=False)
    return "\n\n".join(["FCN, Table 1: among drawings", *summaries, verdict])


def _known_as(path: Path) -> str | None:
    """Return what the CSI paper calls the sub-set in which a folder lies, None for another."""
    names = [part.lower() for part in path.parts]
    return next(
        (known for known in CSI_TABLE_3 for name in names[::-1] if name.split("_")[0] == known),
        None,
    )
