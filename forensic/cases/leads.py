"""The ranked list of a search as each person may see it: leads, never an identification.

An examiner sees neither rank nor similarity nor what it is made of, nor whose photo it is, before
deciding on every candidate of the list.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.models import Candidate, Photo, PhotoState, Review, Role, Search, Subject, Verdict
from db.queries import reviews as review_rows
from db.queries import searches as search_rows
from db.queries.rows import PAGE_SIZE_MAX, get_rows
from forensic.cases import access, audit
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action
from forensic.errors import RecordConflict
from forensic.images.io import media_type_of
from forensic.storage import FileStore
from forensic.values import LEAD_ONLY


@dataclass(frozen=True)
class CandidateView:
    """One candidate as one person may see it now.

    Attributes:
        label: 1, 2, … in the order in which the viewer sees the list.
        id: Random; says nothing of the rank.
        photo_sha256: Of the gallery's file.
        size_px: Width and height of the photo.
        landmarks: Five [x, y] pairs in its pixels; empty once it was taken out of the gallery.
        rank: 1 is the most similar; None while hidden.
        similarity: Cosine of the fused query and the photo; None while hidden.
        contributions: What each part of a fitted fusion adds to the score, in log10 odds of a
            pair; None while hidden, and where another fusion was used.
        subject_external_id: The operator's identifier of the person; None while hidden.
        own_review: The decision that the viewing examiner holds now.
    """

    label: int
    id: uuid.UUID
    photo_sha256: str
    size_px: tuple[int, int]
    landmarks: list[list[float]]
    rank: int | None
    similarity: float | None
    contributions: Mapping[str, float] | None
    subject_external_id: str | None
    own_review: Review | None

    @property
    def own_verdict(self) -> Verdict | None:
        """The viewing examiner's present decision."""
        return self.own_review.verdict if self.own_review else None


@dataclass(frozen=True)
class CandidateList:
    """The list of a search: leads, never an identification.

    Attributes:
        entries: By rank; in an order of the viewer's own while `is_blind`.
        is_blind: Whether rank, similarity and person are hidden.
        decided: How many candidates the viewer has decided on.
        notice: What must be shown with the list.
    """

    search: Search
    entries: tuple[CandidateView, ...]
    is_blind: bool
    decided: int
    notice: str = LEAD_ONLY


def candidates(session: Session, actor: Actor, search_id: uuid.UUID) -> CandidateList:
    """Return the whole list of a search as the actor may see it now.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such search, or it is in other people's case.
    """
    search = access.get_search(session, actor, search_id, Action.VIEW_CASE)
    rows = all_candidates(session, search_id)
    own = own_reviews(session, actor, search_id)
    is_blind = must_stay_blind(actor, rows, own)
    if is_blind:
        rows.sort(key=lambda row: _shuffled(actor, row))
    entries = _views(session, rows, own, is_blind=is_blind)
    audit.record(
        session,
        actor,
        audit.Tag.CANDIDATES_VIEWED,
        case_id=search.case_id,
        search_id=search_id,
        count=len(entries),
        is_blind=is_blind,
    )
    return CandidateList(search, entries, is_blind, len(own))


def candidate_photo(
    session: Session, actor: Actor, candidate_id: uuid.UUID, *, store: FileStore
) -> tuple[bytes, str]:
    """Return the gallery photo of a candidate and its media type.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such candidate, or it is in other people's case.
        RecordConflict: The photo was taken out of the gallery since.
        StorageError: The file is missing or damaged.
    """
    candidate, search = access.get_candidate(session, actor, candidate_id, Action.VIEW_CASE)
    data = photo_of(session, candidate, store)
    if data is None:
        raise RecordConflict("The photo was taken out of the gallery since; its hash remains.")
    audit.record(
        session,
        actor,
        audit.Tag.CANDIDATE_PHOTO_VIEWED,
        case_id=search.case_id,
        candidate_id=candidate_id,
        photo_sha256=candidate.photo_sha256,
    )
    return data, media_type_of(data)


def photo_of(session: Session, candidate: Candidate, store: FileStore) -> bytes | None:
    """Return the file of a candidate's photo, None where it was removed or expunged.

    Raises:
        StorageError: The file is missing or damaged.
    """
    photo = session.get(Photo, candidate.photo_id)
    if photo is None or photo.state is not PhotoState.ACTIVE:
        return None
    return store.read(candidate.photo_sha256)


def all_candidates(session: Session, search_id: uuid.UUID) -> list[Candidate]:
    """Return the ranked list of a search, best first; for the service's own use."""
    page = search_rows.list_candidates(session, search_id, limit=PAGE_SIZE_MAX)
    return list(page.rows)


def own_reviews(session: Session, actor: Actor, search_id: uuid.UUID) -> dict[uuid.UUID, Review]:
    """Return the decisions that the actor holds now, by candidate."""
    if actor.user_id is None:
        return {}
    held = review_rows.list_reviews(session, search_id, examiner_id=actor.user_id)
    return {review.candidate_id: review for review in held}


def must_stay_blind(
    actor: Actor, rows: Sequence[Candidate], own: Mapping[uuid.UUID, Review]
) -> bool:
    """Answer whether an examiner has still to decide before ranks may be shown."""
    return Role.EXAMINER in actor.roles and any(row.id not in own for row in rows)


def _shuffled(actor: Actor, candidate: Candidate) -> str:
    """Return a sorting key that is stable for one person and tells nothing of the rank."""
    return hashlib.sha256(f"{actor.user_id}:{candidate.id}".encode()).hexdigest()


def _views(
    session: Session,
    rows: Sequence[Candidate],
    own: Mapping[uuid.UUID, Review],
    *,
    is_blind: bool,
) -> tuple[CandidateView, ...]:
    photos = get_rows(session, Photo, {row.photo_id for row in rows})
    subjects = get_rows(session, Subject, {row.subject_id for row in rows})
    return tuple(
        CandidateView(
            label=label,
            id=row.id,
            photo_sha256=row.photo_sha256,
            size_px=(photos[row.photo_id].width_px, photos[row.photo_id].height_px),
            landmarks=photos[row.photo_id].landmarks,
            rank=None if is_blind else row.rank,
            similarity=None if is_blind else row.similarity,
            contributions=None if is_blind else row.contributions,
            subject_external_id=None if is_blind else subjects[row.subject_id].external_id,
            own_review=own.get(row.id),
        )
        for label, row in enumerate(rows, start=1)
    )
