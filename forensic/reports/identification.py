"""The page of one search: sketch, machine-made face, and the first candidates side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from forensic.identification.identifier import RankList
from forensic.reports.html import picture_uri, render_page
from forensic.values import RGB, Candidate


def render_rank_list(
    ranked: RankList,
    *,
    sketch: RGB,
    picture_of: Callable[[Candidate], RGB | None],
    provenance: Mapping[str, Any],
) -> str:
    """Return a self-contained HTML page; nothing in it is loaded from elsewhere.

    Args:
        ranked: The list, its notice and the machine-made face.
        sketch: (H, W, 3) uint8, as it was given.
        picture_of: The gallery photo of a candidate, or None where it is not at hand.
        provenance: Facts to print below, besides those of the list.
    """
    face = ranked.machine_made
    added = ranked.contributions or ({},) * len(ranked.candidates)
    candidates = [
        {
            "rank": candidate.rank,
            "subject_id": candidate.subject_id,
            "photo_id": candidate.photo_id,
            "similarity": candidate.similarity,
            "parts": parts,
            "picture": None if (photo := picture_of(candidate)) is None else picture_uri(photo),
        }
        for candidate, parts in zip(ranked.candidates, added, strict=True)
    ]
    return render_page(
        "identify.html.j2",
        notice=ranked.notice,
        candidates=candidates,
        parts=list(added[0]) if added else [],
        gallery_size=ranked.gallery_size,
        n_photos=ranked.n_photos,
        sketch=picture_uri(sketch),
        machine_made=None if face is None else picture_uri(face.labelled()),
        provenance={**ranked.provenance, **provenance},
    )
