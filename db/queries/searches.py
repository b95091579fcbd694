"""Searches: asking, completing once, and reading the ranked list."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.base import utc_now
from db.errors import Conflict, Invalid
from db.models.cases import Case, CaseStatus
from db.models.galleries import Photo, PhotoState
from db.models.probes import LandmarkVersion, Probe, Rendition
from db.models.searches import Candidate, Search, SearchInput
from db.queries.rows import Page, fetch_page, get_row


@dataclass(frozen=True)
class RankedPhoto:
    """One entry of a list as a search found it; the list is in order of rank.

    Attributes:
        photo_id: Number of the photo.
        similarity: Fused cosine similarity.
        contributions: What each part of a fitted fusion adds to the score, in log10 odds.
    """

    photo_id: int
    similarity: float
    contributions: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Outcome:
    """All that is known about how a search was run, once it has been run."""

    index_generation_id: uuid.UUID | None
    gallery_size: int
    extent: Mapping[str, Any]
    model_hashes: Mapping[str, str]
    device: str
    is_exact: bool
    measured_recall: float | None
    timings_ms: Mapping[str, float]
    software_version: str


def request_search(session: Session, search: Search, inputs: Sequence[SearchInput]) -> Search:
    """Keep a search that is to be run; the inputs are numbered in their order.

    Raises:
        Invalid: There is no input.
        Conflict: The case is closed, or an input belongs to another case, is withdrawn, or
            mixes probes.
        NotFound: There is no such case, probe, landmarks or rendition.
    """
    if not inputs:
        raise Invalid("A search needs at least one sketch or rendition.")
    case = get_row(session, Case, search.case_id, lock=True)
    if case.status is not CaseStatus.OPEN:
        raise Conflict(f"Case {case.number!r} is closed; open it again to search.")
    session.add(search)
    session.flush()
    for position, given in enumerate(inputs):
        _check_input(session, given, search.case_id)
        given.search_id, given.position = search.id, position
    session.add_all(inputs)
    session.flush()
    return search


def add_inputs(
    session: Session, search_id: uuid.UUID, inputs: Sequence[SearchInput]
) -> Sequence[SearchInput]:
    """Append inputs that came to be only while the search was run: renditions made for it.

    Raises:
        NotFound: There is no such search, probe, landmarks or rendition.
        Conflict: The search was completed before, or an input belongs to another case.
    """
    search = get_row(session, Search, search_id, lock=True)
    if search.completed_at is not None:
        raise Conflict(f"Search {search_id} was completed before.")
    first = len(list_inputs(session, search_id))
    for position, given in enumerate(inputs, start=first):
        _check_input(session, given, search.case_id)
        given.search_id, given.position = search_id, position
    session.add_all(inputs)
    session.flush()
    return inputs


def _check_input(session: Session, given: SearchInput, case_id: uuid.UUID) -> None:
    probe = get_row(session, Probe, given.probe_id)
    if probe.case_id != case_id or probe.withdrawn_at is not None:
        raise Conflict(f"Probe {probe.id} belongs to another case or was withdrawn.")
    parts: list[LandmarkVersion | Rendition] = [
        get_row(session, LandmarkVersion, given.landmark_version_id)
    ]
    if given.rendition_id is not None:
        parts.append(get_row(session, Rendition, given.rendition_id))
    if any(part.probe_id != probe.id for part in parts):
        raise Conflict("The landmarks or the rendition of an input belong to another probe.")


def complete_search(
    session: Session, search_id: uuid.UUID, outcome: Outcome, ranked: Sequence[RankedPhoto]
) -> Sequence[Candidate]:
    """Fill in the outcome and the ranked list of a search, once and for all.

    Raises:
        NotFound: There is no such search.
        Conflict: It was completed before; or a photo is not of its gallery or was removed
            meanwhile, in which case the search is to be run again.
    """
    search = get_row(session, Search, search_id, lock=True)
    if search.completed_at is not None:
        raise Conflict(f"Search {search_id} was completed before.")
    if len(ranked) > search.list_length:
        raise Conflict(f"The list has {len(ranked)} entries, {search.list_length} were asked for.")
    # Locked, so that nobody is expunged between this look and the end of the transaction.
    statement = select(Photo).where(
        Photo.id.in_([entry.photo_id for entry in ranked]),
        Photo.gallery_id == search.gallery_id,
        Photo.state == PhotoState.ACTIVE,
    )
    photos = {photo.id: photo for photo in session.scalars(statement.with_for_update(read=True))}
    if len(photos) != len(ranked):
        raise Conflict("A photo of the list is no longer in the gallery; search again.")
    for name, value in asdict(outcome).items():
        setattr(search, name, value)
    search.completed_at = utc_now()
    candidates = [
        Candidate(
            search_id=search_id,
            rank=rank,
            subject_id=photos[entry.photo_id].subject_id,
            photo_id=entry.photo_id,
            photo_sha256=photos[entry.photo_id].sha256,
            similarity=entry.similarity,
            contributions=dict(entry.contributions) if entry.contributions else None,
        )
        for rank, entry in enumerate(ranked, start=1)
    ]
    session.add_all(candidates)
    session.flush()
    return candidates


def list_searches(
    session: Session, case_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Search]:
    """Return the searches of a case, newest first."""
    statement = select(Search).where(Search.case_id == case_id)
    return fetch_page(session, statement, key=Search.id, after=after, limit=limit, descending=True)


def list_inputs(session: Session, search_id: uuid.UUID) -> Sequence[SearchInput]:
    """Return what a search compared with the gallery, in the order given."""
    statement = select(SearchInput).where(SearchInput.search_id == search_id)
    return session.scalars(statement.order_by(SearchInput.position)).all()


def list_candidates(
    session: Session, search_id: uuid.UUID, *, after: int | None = None, limit: int = 50
) -> Page[Candidate]:
    """Return the ranked list of a search, best first."""
    statement = select(Candidate).where(Candidate.search_id == search_id)
    return fetch_page(session, statement, key=Candidate.rank, after=after, limit=limit)
