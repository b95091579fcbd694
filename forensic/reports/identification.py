"""The page of one search: sketch, machine-made face, and the first candidates side by side."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from forensic.identification.identifier import RankList
from forensic.images.io import encode_image
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
    candidates = [
        {
            "rank": candidate.rank,
            "subject_id": candidate.subject_id,
            "similarity": candidate.similarity,
            "picture": None if (photo := picture_of(candidate)) is None else as_data_uri(photo),
        }
        for candidate in ranked.candidates
    ]
    return (
        _environment()
        .get_template("identify.html")
        .render(
            notice=ranked.notice,
            candidates=candidates,
            gallery_size=ranked.gallery_size,
            n_photos=ranked.n_photos,
            sketch=as_data_uri(sketch),
            machine_made=None if face is None else as_data_uri(face.labelled()),
            provenance={**ranked.provenance, **provenance},
        )
    )


def as_data_uri(image: RGB) -> str:
    """Return an image as a `data:` address, so that a page needs no second file."""
    encoded = base64.b64encode(encode_image(image, format="JPEG", quality=90)).decode()
    return f"data:image/jpeg;base64,{encoded}"


def _environment() -> Environment:
    loader = PackageLoader("forensic.reports", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
