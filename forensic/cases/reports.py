"""Case reports: asking for them, keeping what was handed out, and handing it out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

import forensic
from db.models import Job, Report, ReportFormat
from db.queries import cases as case_rows
from db.queries import searches as search_rows
from db.queries.rows import PAGE_SIZE_MAX, Page
from forensic.cases import access, audit, jobs
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action
from forensic.cases.reviews import check_not_blind
from forensic.errors import RecordConflict, RequestRefused
from forensic.storage import FileStore

MEDIA_TYPES: Mapping[ReportFormat, str] = {
    ReportFormat.PDF: "application/pdf",
    ReportFormat.HTML: "text/html",
    ReportFormat.JSON: "application/json",
    ReportFormat.CSV: "text/csv",
    ReportFormat.ZIP: "application/zip",
}


def request(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    formats: Sequence[str] = ("pdf", "html", "zip"),
) -> Job:
    """Have reports written of a case as it is when the worker comes to it.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
        RecordConflict: The case was expunged.
        ReviewConflict: The actor is an examiner who has still to decide blindly in this case.
        RequestRefused: No format, or an unknown one.
    """
    case = access.get_case(session, actor, case_id, Action.WRITE_REPORT)
    if case.expunged_at is not None:
        raise RecordConflict("The case was expunged; there is nothing left to report.")
    _check_not_blind(session, actor, case_id)
    wanted = [_format(name) for name in dict.fromkeys(formats)]
    if not wanted:
        raise RequestRefused("Name at least one format.", field="formats")
    parameters = {"formats": [kind.value for kind in wanted]}
    job = jobs.create(session, actor, jobs.JobKind.REPORT, parameters, case_id=case_id)
    audit.record(
        session, actor, audit.Tag.REPORT_REQUESTED, case_id=case_id, job_id=job.id, **parameters
    )
    return job


def record_written(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    kind: ReportFormat,
    sha256: str,
    size_bytes: int,
    written_by_id: uuid.UUID,
    contents: Mapping[str, Any],
) -> Report:
    """Keep what a report holds, and the hash of its file.

    Raises:
        NotPermitted: Not the service itself.
    """
    access.check_system(actor)
    report = case_rows.add_report(
        session,
        case_id=case_id,
        written_by_id=written_by_id,
        format=kind,
        sha256=sha256,
        size_bytes=size_bytes,
        contents=contents,
        software_version=forensic.__version__,
    )
    audit.record(
        session,
        actor,
        audit.Tag.REPORT_WRITTEN,
        case_id=case_id,
        report_id=report.id,
        format=kind,
        sha256=sha256,
        written_by_id=written_by_id,
    )
    return report


def list_reports(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Report]:
    """Return the reports of a case, newest first.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
    """
    access.get_case(session, actor, case_id, Action.VIEW_REPORT)
    with access.plain_errors():
        page = case_rows.list_reports(session, case_id, after=after, limit=limit)
    audit.record(session, actor, audit.Tag.REPORTS_LISTED, case_id=case_id)
    return page


def get_report(session: Session, actor: Actor, report_id: uuid.UUID) -> Report:
    """Return what one report holds, without its file.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such report, or it is of other people's case.
    """
    report = access.get_report(session, actor, report_id, Action.VIEW_REPORT)
    audit.record(
        session, actor, audit.Tag.REPORTS_LISTED, case_id=report.case_id, report_id=report_id
    )
    return report


def report_bytes(
    session: Session, actor: Actor, report_id: uuid.UUID, *, store: FileStore
) -> tuple[bytes, str, str]:
    """Return the file of a report, its media type, and a name for it.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such report, or it is of other people's case.
        RecordConflict: The case was expunged, and the file with it.
        ReviewConflict: The actor is an examiner who has still to decide blindly in this case.
        StorageError: The file is missing or damaged.
    """
    report = access.get_report(session, actor, report_id, Action.VIEW_REPORT)
    _check_not_blind(session, actor, report.case_id)
    case = case_rows.get_case(session, report.case_id)
    if case.expunged_at is not None:
        raise RecordConflict("The case was expunged; only the hash of this report remains.")
    data = store.read(report.sha256)
    audit.record(
        session,
        actor,
        audit.Tag.REPORT_EXPORTED,
        case_id=report.case_id,
        report_id=report_id,
        format=report.format,
        sha256=report.sha256,
    )
    safe = "".join(c if c.isalnum() else "-" for c in case.number)
    name = f"case-{safe}-{report.created_at:%Y%m%d-%H%M%S}.{report.format.value}"
    return data, MEDIA_TYPES[report.format], name


def _check_not_blind(session: Session, actor: Actor, case_id: uuid.UUID) -> None:
    """Refuse an examiner who would see ranks of a list before deciding on it.

    Raises:
        ReviewConflict: There is such a list.
    """
    for search in search_rows.list_searches(session, case_id, limit=PAGE_SIZE_MAX).rows:
        check_not_blind(session, actor, search.id)


def _format(name: str) -> ReportFormat:
    try:
        return ReportFormat(name)
    except ValueError:
        known = ", ".join(kind.value for kind in ReportFormat)
        raise RequestRefused(f"Unknown format {name!r}. Known: {known}.", field="formats") from None
