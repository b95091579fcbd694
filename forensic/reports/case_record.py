"""What a case report says, as plain values: written from the records, rendered without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import Field

from forensic.reports.sections import StrictModel
from forensic.values import LEAD_ONLY


class CaseFacts(StrictModel):
    """The case itself."""

    number: str
    offence: str
    legal_basis: str
    purpose: str
    status: str
    opened_at: datetime
    opened_by: str
    people: list[str]
    legal_hold: str | None


class ProbeFacts(StrictModel):
    """One sketch as it was sealed."""

    label: str = Field(description="Name by which the report calls it.")
    id: str
    kind: str
    person: str
    sha256: str
    media_type: str
    size_px: tuple[int, int]
    artist: str | None
    interviewed_on: date | None
    source: str
    note: str
    sealed_at: datetime
    sealed_by: str
    withdrawn_at: datetime | None
    landmarks: list[str] = Field(description="Each version: who placed it, when.")


class RenditionFacts(StrictModel):
    """One machine-made face: an enhancement, never evidence."""

    label: str
    id: str
    probe: str
    generator: str
    weights_sha256: str
    seed: int
    output_sha256: str = Field(description="Of the generator's output, without the label.")
    landmarks: int = Field(description="Version of the sketch's landmarks it was made with.")
    device: str
    software_version: str
    made_at: datetime


class ReviewFacts(StrictModel):
    """One examiner's decision; superseded ones are listed too."""

    examiner: str
    verdict: str
    note: str
    features: dict[str, str]
    decided_at: datetime
    is_superseded: bool


class CandidateFacts(StrictModel):
    """One entry of a list: a lead, never an identification."""

    rank: int
    subject: str
    photo_sha256: str
    similarity: float
    contributions: dict[str, float] = Field(
        description="What each part of the fusion `best` adds, in log10 odds of a pair that was "
        "not searched for; empty for other fusions."
    )
    standing: str
    verdict: str | None
    reviews: list[ReviewFacts]
    adjudication: str | None


class AccuracyFacts(StrictModel):
    """One measured rate for this kind of sketch, in a gallery at least as large."""

    data: str
    kind: str
    probes: int
    gallery_size: int
    rate: str
    remark: str
    command: str


class SearchFacts(StrictModel):
    """One search: what was asked, how it was run, and every candidate."""

    label: str
    id: str
    requested_at: datetime
    requested_by: str
    purpose: str
    gallery: str
    parameters: dict[str, Any]
    fusion: str
    inputs: list[str]
    list_length: int
    threshold: float | None
    state: str = Field(description="`completed`, or what became of it and why.")
    completed_at: datetime | None
    gallery_size: int | None = Field(description="Photos that a search without filter could list.")
    extent: dict[str, Any] = Field(description="Photos and persons that the filter let through.")
    generation_id: str | None
    model_hashes: dict[str, str]
    device: str | None
    is_exact: bool | None
    measured_recall: float | None
    timings_ms: dict[str, float]
    software_version: str | None
    accuracy: list[AccuracyFacts]
    accuracy_note: str
    candidates: list[CandidateFacts]
    result: str = Field(description="The outcome in one sentence, negative ones included.")


class CaseReport(StrictModel):
    """Everything that a case report holds; pictures lie beside it, by SHA-256."""

    notice: str = LEAD_ONLY
    case: CaseFacts
    probes: list[ProbeFacts]
    renditions: list[RenditionFacts]
    searches: list[SearchFacts]
    audit_anchor: str = Field(description="Sequence and hash of the audit's last event before.")
    written_at: datetime
    written_by: str
    software_version: str


Pictures = Mapping[str, bytes]
"""Encoded pictures by the SHA-256 that the report names; what was taken out since is absent."""


def pictures_needed(report: CaseReport) -> Sequence[str]:
    """Return the SHA-256 of every picture that a report shows, once each."""
    wanted = [probe.sha256 for probe in report.probes]
    wanted += [rendition.output_sha256 for rendition in report.renditions]
    wanted += [c.photo_sha256 for search in report.searches for c in search.candidates]
    return list(dict.fromkeys(wanted))
