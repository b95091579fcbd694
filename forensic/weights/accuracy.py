"""What was measured about an embedder, and for which sketches and galleries it may be quoted.

The figures are those of the results file that comes beside the weights of the embedder, or, for the
fusion `best`, of its sketch encoder: rates at which artist's
sketches, drawn while looking at a photo, find that photo. A figure is quoted only for the same
weights, the same kind of sketch, and a gallery no larger than the one it was measured in, because
the rate falls as a gallery grows. For anything else nothing was measured, and that is what is said.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensic.errors import MissingWeights
from forensic.files import read_json
from forensic.weights.catalogue import WeightsEntry, load_catalogue
from forensic.weights.fusions import BEST, find_fusion
from forensic.weights.store import BUNDLED

KIND = "viewed"
"""The kind of sketch of every figure in the results files."""

NOT_MEASURED = "not measured"

EMBEDDED_BY = "Gallery embedded by"
"""Row of a table of `best`: a sketch encoder has other figures in another gallery."""

_TITLE = re.compile(
    r"Sketch to photo, rank 1\. (?P<set>[^:]+): (?P<probes>[\d,]+) probes in a gallery of "
    r"(?P<gallery>[\d,]+)(?P<rest>.*)"
)


@dataclass(frozen=True)
class Measured:
    """One measured rate, with all that it holds for.

    Attributes:
        data: The set of sketches and photos.
        kind: Kind of sketch.
        probes: How many sketches were searched with.
        gallery_size: How many persons were enrolled.
        rate: Rank-1 rate with its interval, in words.
        remark: What else bears on it, such as people seen in training.
        command: What prints it.
    """

    data: str
    kind: str
    probes: int
    gallery_size: int
    rate: str
    remark: str
    command: str


def measured_accuracy(
    embedder: str,
    weights_sha256: str,
    *,
    kind: str,
    gallery_size: int,
    best_of: Collection[str] | None = None,
) -> tuple[Measured, ...]:
    """Return the figures that may be quoted for a search by one sketch; often none.

    Args:
        embedder: Its name; for its own figures, the one in the catalogue.
        weights_sha256: Of the weights that were used; figures of others do not hold.
        kind: Kind of the sketch.
        gallery_size: Persons searched.
        best_of: SHA-256 of everything beside the embedder that a search by the fusion `best` used;
            None for one by the sketch itself. Figures of another fusion do not hold.

    Returns:
        In order of gallery size, the nearest first.
    """
    by_best = best_of is not None
    measured = _fused(embedder, weights_sha256) if by_best else {weights_sha256}
    if best_of is not None and measured != set(best_of):
        return ()
    method = BEST if by_best else embedder
    found = [
        figure
        for entry in load_catalogue().values()
        if kind == KIND and entry.sha256 in measured
        for title, rows in _results(entry).items()
        if not by_best or weights_sha256[:12] in rows.get(EMBEDDED_BY, "")
        if (figure := _read(title, rows, method))
    ]
    fitting = [m for m in found if m.gallery_size >= gallery_size]
    return tuple(sorted(fitting, key=lambda m: (m.gallery_size, m.data)))


def _fused(embedder: str, weights_sha256: str) -> set[str]:
    """Return the SHA-256 of all that the bundled fusion of an embedder uses."""
    try:
        fusion = find_fusion(embedder, weights_sha256)
    except MissingWeights:
        return set()
    return {sha256 for part in fusion.parts for sha256 in part.weights_sha256.values()}


def _results(entry: WeightsEntry) -> Mapping[str, Any]:
    """Return the titled tables of a results file, none where there is no file."""
    path = BUNDLED / f"{Path(entry.file).stem}.results.json"
    results: Mapping[str, Any] = read_json(path) if path.is_file() else {}
    return results


def _read(title: str, rows: Mapping[str, Any], method: str) -> Measured | None:
    match = _TITLE.match(title)
    if match is None or method not in rows:
        return None
    return Measured(
        data=match["set"],
        kind=KIND,
        probes=int(match["probes"].replace(",", "")),
        gallery_size=int(match["gallery"].replace(",", "")),
        rate=str(rows[method]),
        remark=match["rest"].lstrip("; "),
        command=str(rows.get("Command", "")),
    )
