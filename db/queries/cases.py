"""Cases: opening, people, legal hold, closing, expunging, reports."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, select, union
from sqlalchemy.orm import Session

from db.base import utc_now
from db.errors import Conflict, NotFound
from db.models.cases import Case, CaseMember, CaseStatus, Report, ReportFormat
from db.models.probes import Probe, Rendition
from db.queries.files import free_files, hold_files
from db.queries.rows import Page, fetch_page, get_row


def open_case(
    session: Session,
    *,
    number: str,
    offence: str,
    legal_basis: str,
    purpose: str,
    opened_by_id: uuid.UUID,
    retain_until_on: date | None = None,
) -> Case:
    """Open a case and assign it to the person who opens it.

    Raises:
        Conflict: The number is taken; seen when the transaction is flushed.
    """
    case = Case(
        number=number,
        offence=offence,
        legal_basis=legal_basis,
        purpose=purpose,
        opened_by_id=opened_by_id,
        retain_until_on=retain_until_on,
    )
    session.add(case)
    session.flush()
    assign(session, case.id, opened_by_id, assigned_by_id=opened_by_id)
    return case


def get_case(
    session: Session,
    case_id: uuid.UUID,
    *,
    member_id: uuid.UUID | None = None,
    lock: bool = False,
) -> Case:
    """Return one case; with `member_id`, only where that person is assigned to it.

    Raises:
        NotFound: There is none, or it is other people's: the answer is the same for both.
    """
    if member_id is not None and session.get(CaseMember, (case_id, member_id)) is None:
        raise NotFound("case", case_id)
    return get_row(session, Case, case_id, lock=lock)


def find_case(session: Session, number: str) -> Case | None:
    """Return the case with this number."""
    return session.scalars(select(Case).where(Case.number == number)).one_or_none()


def list_cases(
    session: Session,
    *,
    member_id: uuid.UUID | None = None,
    status: CaseStatus | None = None,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Case]:
    """Return cases, newest first; with `member_id`, only those that person is assigned to."""
    statement = select(Case)
    if member_id is not None:
        statement = statement.join(CaseMember, CaseMember.case_id == Case.id).where(
            CaseMember.user_id == member_id
        )
    if status is not None:
        statement = statement.where(Case.status == status)
    return fetch_page(session, statement, key=Case.id, after=after, limit=limit, descending=True)


def assign(
    session: Session, case_id: uuid.UUID, user_id: uuid.UUID, *, assigned_by_id: uuid.UUID
) -> None:
    """Assign a person to a case; one who is already assigned stays so."""
    if session.get(CaseMember, (case_id, user_id)) is None:
        session.add(CaseMember(case_id=case_id, user_id=user_id, assigned_by_id=assigned_by_id))
        session.flush()


def unassign(session: Session, case_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Take a person off a case; one who was not assigned is no error."""
    session.execute(
        delete(CaseMember).where(CaseMember.case_id == case_id, CaseMember.user_id == user_id)
    )


def list_members(session: Session, case_id: uuid.UUID) -> Sequence[uuid.UUID]:
    """Return the ids of the people assigned to a case, in the order of assignment."""
    statement = select(CaseMember.user_id).where(CaseMember.case_id == case_id)
    return session.scalars(statement.order_by(CaseMember.created_at, CaseMember.user_id)).all()


def close_case(session: Session, case_id: uuid.UUID) -> Case:
    """Close a case; one that is closed stays as it is.

    Raises:
        NotFound: There is no such case.
    """
    case = get_row(session, Case, case_id, lock=True)
    if case.status is CaseStatus.OPEN:
        case.status, case.closed_at = CaseStatus.CLOSED, utc_now()
    session.flush()
    return case


def reopen_case(session: Session, case_id: uuid.UUID) -> Case:
    """Open a closed case again.

    Raises:
        NotFound: There is no such case.
        Conflict: Its content was expunged.
    """
    case = get_row(session, Case, case_id, lock=True)
    if case.expunged_at is not None:
        raise Conflict(f"Case {case.number!r} was expunged and cannot be opened again.")
    case.status, case.closed_at = CaseStatus.OPEN, None
    session.flush()
    return case


def set_legal_hold(session: Session, case_id: uuid.UUID, reason: str | None) -> Case:
    """Forbid expunging, for a reason, or with None allow it again.

    Raises:
        NotFound: There is no such case.
        Conflict: The case was expunged already.
    """
    case = get_row(session, Case, case_id, lock=True)
    if case.expunged_at is not None:
        raise Conflict(f"Case {case.number!r} was expunged; there is nothing left to hold.")
    case.legal_hold, case.legal_hold_reason = reason is not None, reason
    session.flush()
    return case


def list_due_cases(
    session: Session, on: date, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Case]:
    """Return cases that may no longer be kept on a day: past retention, not held or expunged."""
    statement = select(Case).where(
        Case.retain_until_on < on, Case.legal_hold.is_(False), Case.expunged_at.is_(None)
    )
    return fetch_page(session, statement, key=Case.id, after=after, limit=limit)


def expunge_case(session: Session, case_id: uuid.UUID) -> frozenset[str]:
    """Clear what a case holds about people and return the SHA-256 of files to delete.

    Decisions, searches and seals stay, as numbers and hashes. A file that another record still
    holds is not among those returned; until the transaction ends nobody can begin to hold those
    that are. Expunging again returns the same files, so that a crash between this and the deletion
    of files can be mended.

    Raises:
        NotFound: There is no such case.
        Conflict: The case is under legal hold.
    """
    case = get_row(session, Case, case_id, lock=True)
    if case.legal_hold:
        raise Conflict(f"Case {case.number!r} is under legal hold: {case.legal_hold_reason}.")
    now = utc_now()
    case.expunged_at = case.expunged_at or now
    if case.status is CaseStatus.OPEN:
        case.status, case.closed_at = CaseStatus.CLOSED, now
    for probe in session.scalars(select(Probe).where(Probe.case_id == case_id)):
        probe.artist, probe.interviewed_on, probe.source, probe.note = None, None, "", ""
        probe.expunged_at = probe.expunged_at or now
    session.flush()
    return free_files(session, _files(session, case_id))


def _files(session: Session, case_id: uuid.UUID) -> frozenset[str]:
    of_probes = select(Probe.sketch_sha256).where(Probe.case_id == case_id)
    of_renditions = (
        select(Rendition.output_sha256)
        .join(Probe, Probe.id == Rendition.probe_id)
        .where(Probe.case_id == case_id)
    )
    of_reports = select(Report.sha256).where(Report.case_id == case_id)
    return frozenset(session.scalars(union(of_probes, of_renditions, of_reports)))


def add_report(
    session: Session,
    *,
    case_id: uuid.UUID,
    written_by_id: uuid.UUID,
    format: ReportFormat,  # noqa: A002 - the column's name
    sha256: str,
    size_bytes: int,
    contents: Mapping[str, Any],
    software_version: str,
) -> Report:
    """Keep what a report held and the hash of its file."""
    hold_files(session)
    report = Report(
        case_id=case_id,
        written_by_id=written_by_id,
        format=format,
        sha256=sha256,
        size_bytes=size_bytes,
        contents=dict(contents),
        software_version=software_version,
    )
    session.add(report)
    session.flush()
    return report


def list_reports(
    session: Session, case_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Report]:
    """Return the reports of a case, newest first."""
    statement = select(Report).where(Report.case_id == case_id)
    return fetch_page(session, statement, key=Report.id, after=after, limit=limit, descending=True)
