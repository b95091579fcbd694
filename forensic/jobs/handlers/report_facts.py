"""What the records of a case say, as the plain values of a report."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

import forensic
from db.models import (
    Case,
    Gallery,
    Job,
    Probe,
    Rendition,
    Review,
    Search,
    Subject,
    User,
)
from db.queries import cases as case_rows
from db.queries import probes as probe_rows
from db.queries import reviews as review_rows
from db.queries import searches as search_rows
from db.queries.audit import find_head
from db.queries.rows import PAGE_SIZE_MAX, get_row
from forensic.cases.conclusions import Conclusion, conclusions
from forensic.cases.searches import FUSIONS
from forensic.jobs.handlers.report_accuracy import accuracy_of
from forensic.reports.case_record import (
    CandidateFacts,
    CaseFacts,
    CaseReport,
    ProbeFacts,
    RenditionFacts,
    ReviewFacts,
    SearchFacts,
)


def gather_case(
    session: Session, case_id: uuid.UUID, written_by_id: uuid.UUID, written_at: datetime
) -> CaseReport:
    """Return all that a case's report says, read in one transaction.

    Raises:
        NotFound: There is no such case.
    """
    case = get_row(session, Case, case_id)
    probes = list(probe_rows.list_probes(session, case_id, limit=PAGE_SIZE_MAX).rows)
    labels = {probe.id: f"Sketch {number}" for number, probe in enumerate(probes, start=1)}
    made = [
        rendition
        for probe in probes
        for rendition in reversed(
            probe_rows.list_renditions(session, probe.id, limit=PAGE_SIZE_MAX).rows
        )
    ]
    faces = {row.id: f"Face {number}" for number, row in enumerate(made, start=1)}
    found = search_rows.list_searches(session, case_id, limit=PAGE_SIZE_MAX).rows
    head = find_head(session)
    return CaseReport(
        case=_case(session, case),
        probes=[_probe(session, probe, labels[probe.id]) for probe in probes],
        renditions=[_rendition(session, row, faces[row.id], labels[row.probe_id]) for row in made],
        searches=[
            _search(session, row, f"Search {number}", {**labels, **faces})
            for number, row in enumerate(reversed(found), start=1)
        ],
        audit_anchor=str(head) if head else "none",
        written_at=written_at,
        written_by=_name(session, written_by_id),
        software_version=forensic.__version__,
    )


def _case(session: Session, case: Case) -> CaseFacts:
    return CaseFacts(
        number=case.number,
        offence=case.offence,
        legal_basis=case.legal_basis,
        purpose=case.purpose,
        status=case.status.value,
        opened_at=case.created_at,
        opened_by=_name(session, case.opened_by_id),
        people=[_name(session, i) for i in case_rows.list_members(session, case.id)],
        legal_hold=case.legal_hold_reason if case.legal_hold else None,
    )


def _probe(session: Session, probe: Probe, label: str) -> ProbeFacts:
    versions = probe_rows.list_landmarks(session, probe.id, limit=PAGE_SIZE_MAX).rows
    return ProbeFacts(
        label=label,
        id=str(probe.id),
        kind=probe.kind.value,
        person=probe.person_label,
        sha256=probe.sketch_sha256,
        media_type=probe.media_type,
        size_px=(probe.width_px, probe.height_px),
        artist=probe.artist,
        interviewed_on=probe.interviewed_on,
        source=probe.source,
        note=probe.note,
        sealed_at=probe.created_at,
        sealed_by=_name(session, probe.sealed_by_id),
        withdrawn_at=probe.withdrawn_at,
        landmarks=[
            f"version {v.number} by "
            f"{_name(session, v.author_id) if v.author_id else v.detector}, "
            f"{v.created_at:%Y-%m-%d %H:%M:%S} UTC"
            for v in versions
        ],
    )


def _rendition(session: Session, row: Rendition, label: str, probe: str) -> RenditionFacts:
    versions = probe_rows.list_landmarks(session, row.probe_id, limit=PAGE_SIZE_MAX).rows
    number = next(v.number for v in versions if v.id == row.landmark_version_id)
    return RenditionFacts(
        label=label,
        id=str(row.id),
        probe=probe,
        generator=row.generator,
        weights_sha256=row.weights_sha256,
        seed=row.seed,
        output_sha256=row.output_sha256,
        landmarks=number,
        device=row.device,
        software_version=row.software_version,
        made_at=row.created_at,
    )


def _search(
    session: Session, search: Search, label: str, labels: dict[uuid.UUID, str]
) -> SearchFacts:
    inputs = search_rows.list_inputs(session, search.id)
    stands = conclusions(session, search.id)
    kinds = {get_row(session, Probe, given.probe_id).kind.value for given in inputs}
    accuracy, note = accuracy_of(session, search, kinds, len(inputs))
    return SearchFacts(
        label=label,
        id=str(search.id),
        requested_at=search.created_at,
        requested_by=_name(session, search.requested_by_id),
        purpose=search.purpose,
        gallery=get_row(session, Gallery, search.gallery_id).name,
        parameters=search.parameters,
        fusion=FUSIONS.get(search.parameters.get("fusion", ""), "none"),
        inputs=[labels[given.rendition_id or given.probe_id] for given in inputs],
        list_length=search.list_length,
        threshold=search.threshold,
        state=_state(session, search),
        completed_at=search.completed_at,
        gallery_size=search.gallery_size,
        extent=search.extent or {},
        generation_id=str(search.index_generation_id) if search.index_generation_id else None,
        model_hashes=search.model_hashes or {},
        device=search.device,
        is_exact=search.is_exact,
        measured_recall=search.measured_recall,
        timings_ms=search.timings_ms or {},
        software_version=search.software_version,
        accuracy=accuracy,
        accuracy_note=note,
        candidates=[_candidate(session, search.id, stand) for stand in stands],
        result=_result(search, stands),
    )


def _state(session: Session, search: Search) -> str:
    if search.completed_at is not None:
        return "completed"
    job = session.get(Job, search.job_id) if search.job_id else None
    if job is None:
        return "not run"
    return job.state.value + (f" ({job.reason_code}: {job.detail})" if job.reason_code else "")


def _result(search: Search, stands: Sequence[Conclusion]) -> str:
    """Return the outcome in one sentence; that nobody was found is an outcome."""
    if search.completed_at is None:
        return "This search gave no list."
    if not stands:
        return "No candidate: nobody in the gallery reached the list."
    counts = {
        "potential candidate": 0,
        "no candidate": 0,
        "inconclusive": 0,
        "without conclusion": 0,
    }
    for stand in stands:
        key = stand.verdict.value.replace("_", " ") if stand.verdict else "without conclusion"
        counts[key] += 1
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    negative = (
        " Negative result: every candidate was reviewed and none is a potential candidate."
        if counts["no candidate"] == len(stands)
        else ""
    )
    return f"Of {len(stands)} candidates: {told}.{negative}"


def _candidate(session: Session, search_id: uuid.UUID, stand: Conclusion) -> CandidateFacts:
    row = stand.candidate
    history = [
        review
        for review in review_rows.list_reviews(session, search_id, with_superseded=True)
        if review.candidate_id == row.id
    ]
    current = {review.id for review in stand.reviews}
    told = stand.adjudication
    return CandidateFacts(
        rank=row.rank,
        subject=get_row(session, Subject, row.subject_id).external_id,
        photo_sha256=row.photo_sha256,
        similarity=row.similarity,
        contributions=row.contributions or {},
        standing=stand.standing.value,
        verdict=stand.verdict.value if stand.verdict else None,
        reviews=[_review(session, review, review.id in current) for review in history],
        adjudication=None
        if told is None
        else f"{told.verdict.value.replace('_', ' ')} by {_name(session, told.adjudicator_id)}, "
        f"{told.created_at:%Y-%m-%d %H:%M:%S} UTC: {told.reason}",
    )


def _review(session: Session, review: Review, is_current: bool) -> ReviewFacts:
    return ReviewFacts(
        examiner=_name(session, review.examiner_id),
        verdict=review.verdict.value,
        note=review.note,
        features=review.features,
        decided_at=review.created_at,
        is_superseded=not is_current,
    )


def _name(session: Session, user_id: uuid.UUID) -> str:
    user = get_row(session, User, user_id)
    return f"{user.full_name} ({user.name})"
