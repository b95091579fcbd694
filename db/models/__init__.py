"""Every model, and so every table; importing this package makes `Base.metadata` complete."""

from db.models.audit import AuditEvent
from db.models.cases import Case, CaseMember, CaseStatus, Report, ReportFormat
from db.models.galleries import (
    Embedding,
    Gallery,
    GenerationState,
    IndexGeneration,
    Photo,
    PhotoState,
    Subject,
)
from db.models.jobs import ItemState, Job, JobItem, JobState
from db.models.probes import LandmarkOrigin, LandmarkVersion, Probe, ProbeKind, Rendition
from db.models.reviews import Adjudication, Review, Verdict
from db.models.searches import LIST_LENGTH_MAX, Candidate, Search, SearchInput
from db.models.users import ApiKey, Role, User, UserRole
from db.models.web import IdempotentReply, WebSession

__all__ = [
    "LIST_LENGTH_MAX",
    "Adjudication",
    "ApiKey",
    "AuditEvent",
    "Candidate",
    "Case",
    "CaseMember",
    "CaseStatus",
    "Embedding",
    "Gallery",
    "GenerationState",
    "IdempotentReply",
    "IndexGeneration",
    "ItemState",
    "Job",
    "JobItem",
    "JobState",
    "LandmarkOrigin",
    "LandmarkVersion",
    "Photo",
    "PhotoState",
    "Probe",
    "ProbeKind",
    "Rendition",
    "Report",
    "ReportFormat",
    "Review",
    "Role",
    "Search",
    "SearchInput",
    "Subject",
    "User",
    "UserRole",
    "Verdict",
    "WebSession",
]
