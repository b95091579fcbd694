"""The way to a record: whose case it is, whether the case is open, and errors in plain words.

What belongs to other people's cases is answered for as if it did not exist.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.orm import Session

from db.base import Base
from db.errors import Conflict, Invalid, NotFound
from db.models import Candidate, Case, CaseStatus, Probe, Rendition, Report, Search
from db.queries import cases as case_rows
from db.queries.rows import get_row
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action, member_id
from forensic.errors import (
    CaseClosed,
    CaseNotFound,
    NotPermitted,
    RecordConflict,
    RecordNotFound,
    RequestRefused,
)

Model = TypeVar("Model", bound=Base)
InCase = TypeVar("InCase", Probe, Search, Report)

TEXT_MAX = 2000
"""Characters that a field of free text may hold."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn the errors of the records inside the block into those of the case service.

    Raises:
        RecordNotFound: There is no such row.
        RecordConflict: The change contradicts another row.
        RequestRefused: A value that no row may hold.
    """
    try:
        yield
    except NotFound as error:
        raise RecordNotFound(error.kind, error.key) from error
    except Conflict as error:
        raise RecordConflict(str(error)) from error
    except Invalid as error:
        raise RequestRefused(str(error), field="") from error


def get_case(
    session: Session, actor: Actor, case_id: uuid.UUID, action: Action, *, is_change: bool = False
) -> Case:
    """Return a case in which the actor may do `action`.

    Args:
        session: An open session.
        actor: Who asks.
        case_id: Which case.
        action: What is to be done.
        is_change: Lock the case, and refuse a closed one.

    Raises:
        NotPermitted: No role of the actor allows the action.
        CaseNotFound: There is no such case, or it is other people's.
        CaseClosed: The case is closed and was to be changed.
    """
    whose = member_id(actor, action)
    try:
        case = case_rows.get_case(session, case_id, member_id=whose, lock=is_change)
    except NotFound:
        raise CaseNotFound(case_id) from None
    if is_change and case.status is not CaseStatus.OPEN:
        raise CaseClosed(f"Case {case.number!r} is closed; reopen it first.")
    return case


def get_probe(
    session: Session, actor: Actor, probe_id: uuid.UUID, action: Action, *, is_change: bool = False
) -> Probe:
    """Return a probe of a case in which the actor may do `action`; errors as `get_case`.

    Raises:
        NotPermitted: No role of the actor allows the action.
        RecordNotFound: There is no such probe, or it is in other people's case.
        CaseClosed: The case is closed and was to be changed.
    """
    return _get(session, actor, Probe, probe_id, action, is_change=is_change)


def get_rendition(
    session: Session, actor: Actor, rendition_id: uuid.UUID, action: Action
) -> tuple[Rendition, Probe]:
    """Return a rendition and its probe.

    Raises:
        NotPermitted: No role of the actor allows the action.
        RecordNotFound: There is no such rendition, or it is in other people's case.
    """
    rendition = _read(session, actor, Rendition, rendition_id, action)
    with _as_missing("rendition", rendition_id):
        return rendition, get_probe(session, actor, rendition.probe_id, action)


def get_search(
    session: Session, actor: Actor, search_id: uuid.UUID, action: Action, *, is_change: bool = False
) -> Search:
    """Return a search of a case in which the actor may do `action`.

    Raises:
        NotPermitted: No role of the actor allows the action.
        RecordNotFound: There is no such search, or it is in other people's case.
        CaseClosed: The case is closed and was to be changed.
    """
    return _get(session, actor, Search, search_id, action, is_change=is_change)


def get_candidate(
    session: Session,
    actor: Actor,
    candidate_id: uuid.UUID,
    action: Action,
    *,
    is_change: bool = False,
) -> tuple[Candidate, Search]:
    """Return a candidate and its search.

    Raises:
        NotPermitted: No role of the actor allows the action.
        RecordNotFound: There is no such candidate, or it is in other people's case.
        CaseClosed: The case is closed and was to be changed.
    """
    candidate = _read(session, actor, Candidate, candidate_id, action)
    with _as_missing("candidate", candidate_id):
        return candidate, get_search(
            session, actor, candidate.search_id, action, is_change=is_change
        )


def get_report(session: Session, actor: Actor, report_id: uuid.UUID, action: Action) -> Report:
    """Return a report of a case in which the actor may do `action`.

    Raises:
        NotPermitted: No role of the actor allows the action.
        RecordNotFound: There is no such report, or it is in other people's case.
    """
    return _get(session, actor, Report, report_id, action)


def check_system(actor: Actor) -> None:
    """Refuse anybody but the service itself, whose worker alone records what was computed.

    Raises:
        NotPermitted: A person asks.
    """
    if not actor.is_system:
        raise NotPermitted("Only the worker records results.", action="record")


def user_id(actor: Actor) -> uuid.UUID:
    """Return the person who acts, for records that name one.

    Raises:
        RequestRefused: The service itself acts.
    """
    if actor.user_id is None:
        raise RequestRefused("Only a person can do this: sign in first.", field="actor")
    return actor.user_id


def required_text(value: str, field: str, *, max_length: int = TEXT_MAX) -> str:
    """Return text without blanks around it.

    Raises:
        RequestRefused: Nothing is left, or it is too long.
    """
    text = optional_text(value, field, max_length=max_length)
    if not text:
        raise RequestRefused(f"{_shown(field)} must be given.", field=field)
    return text


def optional_text(value: str | None, field: str, *, max_length: int = TEXT_MAX) -> str:
    """Return text without blanks around it, possibly empty.

    Raises:
        RequestRefused: It is too long or holds a NUL.
    """
    text = (value or "").strip()
    if len(text) > max_length or "\x00" in text:
        raise RequestRefused(
            f"{_shown(field)} may hold at most {max_length:,} characters and no NUL.", field=field
        )
    return text


def _shown(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _read(
    session: Session, actor: Actor, model: type[Model], key: uuid.UUID, action: Action
) -> Model:
    """Return a row for an actor who may do `action` somewhere; whose case it is, is still open."""
    member_id(actor, action)
    with plain_errors():
        return get_row(session, model, key)


def _get(
    session: Session,
    actor: Actor,
    model: type[InCase],
    key: uuid.UUID,
    action: Action,
    *,
    is_change: bool = False,
) -> InCase:
    """Return a row of a case in which the actor may do `action`."""
    row = _read(session, actor, model, key, action)
    with _as_missing(model.__name__.lower(), key):
        get_case(session, actor, row.case_id, action, is_change=is_change)
    return row


@contextmanager
def _as_missing(kind: str, key: uuid.UUID) -> Iterator[None]:
    """Refuse what is in other people's case, in the words for what does not exist."""
    try:
        yield
    except (CaseNotFound, RecordNotFound):
        raise RecordNotFound(kind, key) from None
