"""`forensic benchmark cuhk`: every sub-set of CUFS that a folder holds, one report each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from forensic.errors import DataFolderError
from pipelines.benchmark.pairs import PairsOptions, benchmark_pairs


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
    out: Path,
    cache: Path | None,
    environment: Mapping[str, str],
) -> str:
    """Run `pairs` on each sub-set into a folder of its own, and return what to tell the user.

    Args:
        folder: CUFS.
        options: As for `pairs`; its photos and sketches are replaced by those of the sub-set.
        split: Name of the test part.
        out: Gets one folder for each sub-set.
        cache: Folder for embeddings.
        environment: Where defaults are read from.

    Raises:
        ForensicError: Anything that the user can mend; finished sub-sets keep their reports.
    """
    summaries = []
    for name, path in find_subsets(folder, split=split).items():
        own = replace(options, photos=path / "photos", sketches=path / "sketches")
        target = out / name.replace("/", "-")
        summary = benchmark_pairs(own, out=target, cache=cache, environment=environment)
        summaries.append(f"{name}\n{summary}")
    return "\n\n".join(summaries)
