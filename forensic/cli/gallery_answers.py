"""How the answers to `forensic gallery search` are printed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from db.models import Gallery
    from forensic.jobs.galleries.found import Found
    from forensic.jobs.galleries.image_search import Answer


def show_answers(
    gallery: Gallery, answered: Iterable[tuple[list[Answer], Found | None]], *, as_json: bool
) -> None:
    """Print the lists, what was searched, and how photos of the gallery found themselves."""
    from forensic.values import LEAD_ONLY

    told: list[dict[str, Any]] = []
    counts = {"searched": 0, "refused": 0, "own": 0, "own_first": 0}
    last: Found | None = None
    if not as_json:
        click.echo(LEAD_ONLY)
    for answers, found in answered:
        last = found or last
        for answer in answers:
            counts["refused" if answer.hits is None else "searched"] += 1
            counts["own"] += answer.is_own and answer.hits is not None
            counts["own_first"] += answer.is_own and answer.finds_itself
            if as_json:
                told.append(_as_json(answer))
            else:
                click.echo(_as_text(answer))
    if as_json:
        document: dict[str, Any] = {"notice": LEAD_ONLY, "gallery": gallery.name, "counts": counts}
        document["searched"] = _facts(last)
        document["probes"] = told
        click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))
    else:
        click.echo(_summary(gallery, counts, last))


def _facts(found: Found | None) -> dict[str, Any]:
    """Return what was searched and how, without the lists."""
    facts = asdict(replace(found, lists=())) if found else {}
    return {name: value for name, value in facts.items() if name != "lists"}


def _as_json(answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {"image": str(answer.probe.path), "sha256": answer.probe.sha256}
    if answer.hits is None or answer.probe.refusal:
        return told | {"refused": answer.probe.refusal and asdict(answer.probe.refusal)}
    return told | {"is_own": answer.is_own, "hits": [asdict(hit) for hit in answer.hits]}


def _as_text(answer: Answer) -> str:
    lines = ["", str(answer.probe.path)]
    if answer.probe.refusal:
        lines.append(f"  not searched: {answer.probe.refusal.reason}")
    lines += [
        f"{hit.rank:>6}  {hit.similarity:>7.3f}  {hit.external_id} (photo {hit.photo_id})"
        for hit in answer.hits or ()
    ]
    return "\n".join(lines)


def _summary(gallery: Gallery, counts: dict[str, int], found: Found | None) -> str:
    lines = ["", f"{counts['searched']} images searched with, {counts['refused']} refused."]
    if found is not None:
        lines.append(
            f"Gallery {gallery.name}: {found.n_searched} of {found.gallery_size} photos searched, "
            f"{found.n_subjects} persons, generation {found.generation_number}"
            + ("." if found.is_current else ", which lacks the latest changes.")
        )
        if found.measured_recall is not None:
            recall = describe_recall(found.measured_recall, at=found.recall_at)
            lines.append(
                f"APPROXIMATE: {recall}; photos may be missing. Search without --approximate to "
                "miss none."
            )
    if counts["own"]:
        lines.append(
            f"{counts['own']} images are photos of this gallery; {counts['own_first']} of them "
            "found themselves first."
        )
    return "\n".join(lines)


def describe_recall(measured: float, *, at: int | None = None) -> str:
    """Return in words what the measured recall of an approximate index means."""
    length = f" {at}" if at else ""
    return (
        f"lists held {measured:.1%} of the{length} truly best when the index was built, measured "
        "with photos kept out of its training and without a filter"
    )
