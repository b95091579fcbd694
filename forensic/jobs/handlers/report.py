"""Writing the reports of a case: from its records to documents and a bundle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from db.models import Job, ReportFormat
from db.queries.jobs import end_job
from forensic.cases import files, reports
from forensic.cases.renditions import labelled_png
from forensic.errors import JobError, MissingFile
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.handlers.report_facts import gather_case
from forensic.jobs.tasks import Workshop, asker_of
from forensic.reports.case_file import (
    bundle_case,
    render_case_csv,
    render_case_html,
    render_case_json,
)
from forensic.reports.case_pdf import render_case_pdf
from forensic.reports.case_record import CaseReport, Pictures, pictures_needed

RENDERERS: dict[ReportFormat, Callable[[CaseReport, Pictures], bytes]] = {
    ReportFormat.PDF: render_case_pdf,
    ReportFormat.HTML: render_case_html,
    ReportFormat.JSON: lambda report, _: render_case_json(report),
    ReportFormat.CSV: lambda report, _: render_case_csv(report),
}


def write_reports(shop: Workshop, hold: Hold, job: Job) -> None:
    """Write the formats asked for, all from the records as they are at one moment.

    Raises:
        StorageError: A file is damaged, or cannot be kept.
        JobError: The job is not ours any more, or names nobody.
    """
    if job.case_id is None or job.requested_by_id is None:
        raise JobError("The job names no case or nobody who asked.", reason="no_case")
    case_id, asked_by_id = job.case_id, job.requested_by_id
    written_at = datetime.now(UTC)
    report = hold.read(lambda session: gather_case(session, case_id, asked_by_id, written_at))
    pictures = _pictures(shop, report)
    documents = _documents(report, pictures, job.parameters["formats"])
    kept = {kind: shop.store.put(data) for kind, data in documents.items()}
    contents = {
        "job_id": str(job.id),
        "searches": [search.id for search in report.searches],
        "probes": [probe.id for probe in report.probes],
        "candidates": sum(len(search.candidates) for search in report.searches),
        "audit_anchor": report.audit_anchor,
        "notice": report.notice,
    }

    def keep(session: Session) -> None:
        end_job(session, job.id, shop.worker)
        for kind, data in documents.items():
            files.check_kept(session, shop.store, kept[kind])
            reports.record_written(
                session,
                asker_of(job),
                case_id,
                kind=kind,
                sha256=kept[kind],
                size_bytes=len(data),
                written_by_id=asked_by_id,
                contents=contents,
            )

    hold.write(keep)


def _documents(
    report: CaseReport, pictures: Pictures, formats: list[str]
) -> dict[ReportFormat, bytes]:
    wanted = [ReportFormat(name) for name in formats]
    documents = {
        kind: render(report, pictures)
        for kind, render in RENDERERS.items()
        if kind in wanted or ReportFormat.ZIP in wanted
    }
    if ReportFormat.ZIP in wanted:
        files = {f"report.{kind.value}": data for kind, data in documents.items()}
        documents[ReportFormat.ZIP] = bundle_case(
            files | _evidence(report, pictures), written_at=report.written_at
        )
    return {kind: documents[kind] for kind in wanted}


def _evidence(report: CaseReport, pictures: Pictures) -> dict[str, bytes]:
    """Return sketches as sealed, labelled faces, and candidates' photos, by name in the ZIP."""
    named = [(f"sketches/{p.sha256}", p.sha256) for p in report.probes]
    named += [
        (f"machine-made/{r.output_sha256}-labelled.png", r.output_sha256) for r in report.renditions
    ]
    named += [
        (f"photos/{c.photo_sha256}", c.photo_sha256)
        for search in report.searches
        for c in search.candidates
    ]
    return {name: pictures[sha256] for name, sha256 in named if sha256 in pictures}


def _pictures(shop: Workshop, report: CaseReport) -> dict[str, bytes]:
    """Return what the report shows; a file that was expunged since is left out."""
    made = {rendition.output_sha256 for rendition in report.renditions}
    pictures = {}
    for sha256 in pictures_needed(report):
        try:
            data = shop.store.read(sha256)
        except MissingFile:
            continue
        pictures[sha256] = labelled_png(data) if sha256 in made else data
    return pictures
