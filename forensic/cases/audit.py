"""What the audit keeps of each thing done: one tag per kind of event, and how to record it."""

from __future__ import annotations

import enum
import uuid
from typing import Any

from sqlalchemy.orm import Session

from db.models import AuditEvent
from db.queries import audit as events
from forensic.cases.actor import Actor


class Tag(enum.StrEnum):
    """Everything that the audit tells, as `source:subject:action`.

    The source is the family of records, not the program: how the actor came in (`session`,
    `api_key`, `worker`, `command`) stands in the details of each event.
    """

    LOGIN = "accounts:session:open"
    LOGIN_FAILED = "accounts:session:refuse"
    LOGOUT = "accounts:session:close"
    ACCOUNT_LOCKED = "accounts:user:lock"
    PASSWORD_CHANGED = "accounts:password:change"  # noqa: S105 - a tag
    PASSWORD_RESET = "accounts:password:reset"  # noqa: S105 - a tag
    USER_ADDED = "accounts:user:add"
    USER_CHANGED = "accounts:user:change"
    USERS_LISTED = "accounts:user:list"
    ROLES_SET = "accounts:roles:set"
    KEY_CREATED = "accounts:api_key:create"
    KEY_REVOKED = "accounts:api_key:revoke"
    KEY_REFUSED = "accounts:api_key:refuse"
    PERMISSION_REFUSED = "accounts:permission:refuse"

    CASE_OPENED = "cases:case:open"
    CASE_VIEWED = "cases:case:view"
    CASES_LISTED = "cases:case:list"
    CASE_CHANGED = "cases:case:change"
    CASE_CLOSED = "cases:case:close"
    CASE_REOPENED = "cases:case:reopen"
    CASE_HELD = "cases:case:hold"
    CASE_RELEASED = "cases:case:release"
    CASE_EXPUNGED = "cases:case:expunge"
    CASE_FILES_DELETED = "cases:files:delete"
    MEMBER_ASSIGNED = "cases:member:assign"
    MEMBER_UNASSIGNED = "cases:member:unassign"
    RETENTION_LISTED = "cases:retention:list"

    PROBE_SEALED = "cases:probe:seal"
    PROBE_VIEWED = "cases:probe:view"
    PROBE_ASSESSED = "cases:probe:assess"
    PROBES_LISTED = "cases:probe:list"
    PROBE_WITHDRAWN = "cases:probe:withdraw"
    SKETCH_VIEWED = "cases:sketch:view"
    LANDMARKS_FOUND = "cases:landmarks:find"
    LANDMARKS_PLACED = "cases:landmarks:place"
    LANDMARKS_VIEWED = "cases:landmarks:view"

    RENDITION_REQUESTED = "cases:rendition:request"
    RENDITION_MADE = "cases:rendition:make"
    RENDITION_VIEWED = "cases:rendition:view"
    RENDITIONS_LISTED = "cases:rendition:list"

    SEARCH_REQUESTED = "cases:search:request"
    SEARCH_COMPLETED = "cases:search:complete"
    SEARCH_FAILED = "cases:search:fail"
    SEARCH_VIEWED = "cases:search:view"
    SEARCHES_LISTED = "cases:search:list"
    CANDIDATES_VIEWED = "cases:candidates:view"
    CANDIDATE_PHOTO_VIEWED = "cases:candidate_photo:view"

    REVIEW_DECIDED = "cases:review:decide"
    REVIEW_SUPERSEDED = "cases:review:supersede"
    REVIEWS_VIEWED = "cases:review:view"
    DISAGREEMENTS_VIEWED = "cases:disagreement:view"
    ADJUDICATED = "cases:adjudication:decide"

    REPORT_REQUESTED = "cases:report:request"
    REPORT_WRITTEN = "cases:report:write"
    REPORTS_LISTED = "cases:report:list"
    REPORT_EXPORTED = "cases:report:export"

    GALLERY_CREATED = "galleries:gallery:create"
    GALLERY_VIEWED = "galleries:gallery:view"
    GALLERIES_LISTED = "galleries:gallery:list"
    GALLERY_CHANGED = "galleries:gallery:change"
    GALLERY_EXPORTED = "galleries:gallery:export"
    GALLERY_MENDED = "galleries:gallery:mend"
    GALLERY_SEARCHED = "galleries:gallery:search"
    SUBJECTS_LISTED = "galleries:subject:list"
    SUBJECT_VIEWED = "galleries:subject:view"
    SUBJECT_CHANGED = "galleries:subject:change"
    SUBJECT_EXPUNGED = "galleries:subject:expunge"
    PHOTO_VIEWED = "galleries:photo:view"
    IMPORT_REQUESTED = "galleries:import:request"
    IMPORT_ENDED = "galleries:import:end"
    INDEX_REQUESTED = "galleries:index:request"
    INDEX_BUILT = "galleries:index:build"
    INDEX_ACTIVATED = "galleries:index:activate"

    JOB_VIEWED = "jobs:job:view"
    JOBS_LISTED = "jobs:job:list"
    JOB_ITEMS_VIEWED = "jobs:items:view"
    JOB_CANCELLED = "jobs:job:cancel"
    JOB_FAILED = "jobs:job:fail"

    BENCHMARK_REQUESTED = "benchmarks:benchmark:request"
    BENCHMARK_ENDED = "benchmarks:benchmark:end"
    BENCHMARK_VIEWED = "benchmarks:benchmark:view"

    AUDIT_VIEWED = "audit:events:view"
    USAGE_VIEWED = "audit:usage:view"
    AUDIT_VERIFIED = "audit:events:verify"


def record(
    session: Session, actor: Actor, tag: Tag, *, case_id: uuid.UUID | None = None, **facts: Any
) -> AuditEvent:
    """Append one event to the audit, in the caller's transaction; call it last.

    Args:
        session: An open session that may write.
        actor: Who did it.
        tag: What was done.
        case_id: The case it concerns.
        facts: Anything more, as plain values, UUIDs, dates, enums, or lists and dicts of them.
            No images, vectors, passwords or keys.

    Raises:
        db.errors.Invalid: A fact is nothing that JSON can hold.
    """
    where = {"address": actor.address} if actor.address else {}
    details = {
        "by": actor.name,
        "via": actor.via,
        **where,
        **{k: plain(v) for k, v in facts.items()},
    }
    return events.append(
        session,
        actor=actor.audit_name,
        tag=tag.value,
        case_id=case_id,
        request_id=actor.request_id,
        details=details,
    )


def plain(value: Any) -> Any:
    """Return identifiers, instants and sets as text and lists, all else as it is."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    return str(value) if hasattr(value, "isoformat") or isinstance(value, uuid.UUID) else value
