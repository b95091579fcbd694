"""Probes: sealing a sketch as it was received, showing it, and withdrawing it."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from sqlalchemy.orm import Session

from db.models import Probe, ProbeKind
from db.queries import probes as probe_rows
from db.queries.rows import Page
from forensic.cases import access, audit, files, jobs
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action, check
from forensic.errors import RecordConflict, RequestRefused
from forensic.images.io import decode_image, media_type_of
from forensic.storage import FileStore

DEFAULT_PERSON = "person 1"


def seal_probe(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    data: bytes,
    store: FileStore,
    kind: ProbeKind,
    source: str,
    artist: str = "",
    interviewed_on: date | None = None,
    person_label: str = DEFAULT_PERSON,
    note: str = "",
) -> tuple[Probe, bool]:
    """Seal a sketch into a case by the SHA-256 of its file, and have its landmarks found.

    Args:
        session: An open session that may write.
        actor: Who asks.
        case_id: Which case.
        data: The file as it was received; it is kept unchanged.
        store: Where files are kept.
        kind: How the sketch came to be.
        source: Where it came from, such as the interview.
        artist: Who drew it, where known.
        interviewed_on: Day of the witness's interview.
        person_label: Which person of the case it shows; sketches of one person share it.
        note: Anything more.

    Returns:
        The probe, and whether it is new: the same file sealed twice is one probe.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
        CaseClosed: The case is closed.
        ImageError: The file is not an image that can be used.
        RequestRefused: A field is missing or too long, or the interview lies in the future.
        StorageError: The file cannot be kept.
    """
    check(actor, Action.SEAL_PROBE)
    height, width, _ = decode_image(data, name="the sketch").shape  # before anything is locked
    access.get_case(session, actor, case_id, Action.SEAL_PROBE, is_change=True)
    if interviewed_on is not None and interviewed_on > datetime.now(UTC).date():
        raise RequestRefused("The interview lies in the future.", field="interviewed_on")
    fields = {
        "source": access.required_text(source, "source"),
        "artist": access.optional_text(artist, "artist", max_length=200) or None,
        "person_label": access.optional_text(person_label, "person_label", max_length=100)
        or DEFAULT_PERSON,
        "note": access.optional_text(note, "note"),
    }
    with access.plain_errors():
        probe, is_new = probe_rows.add_probe(
            session,
            Probe(
                case_id=case_id,
                sketch_sha256=files.keep(session, store, data),
                media_type=media_type_of(data),
                width_px=width,
                height_px=height,
                size_bytes=len(data),
                kind=kind,
                interviewed_on=interviewed_on,
                sealed_by_id=access.user_id(actor),
                **fields,
            ),
        )
    if is_new:
        parameters = {"probe_id": str(probe.id)}
        jobs.create(session, actor, jobs.JobKind.LANDMARKS, parameters, case_id=case_id)
    audit.record(
        session,
        actor,
        audit.Tag.PROBE_SEALED,
        case_id=case_id,
        probe_id=probe.id,
        sha256=probe.sketch_sha256,
        size_bytes=len(data),
        kind=probe.kind,
        is_new=is_new,
    )
    return probe, is_new


def get_probe(session: Session, actor: Actor, probe_id: uuid.UUID) -> Probe:
    """Return one probe.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such probe, or it is in other people's case.
    """
    probe = access.get_probe(session, actor, probe_id, Action.VIEW_CASE)
    audit.record(session, actor, audit.Tag.PROBE_VIEWED, case_id=probe.case_id, probe_id=probe_id)
    return probe


def list_probes(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Probe]:
    """Return the probes of a case in the order in which they were sealed.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
    """
    access.get_case(session, actor, case_id, Action.VIEW_CASE)
    with access.plain_errors():
        page = probe_rows.list_probes(session, case_id, after=after, limit=limit)
    audit.record(session, actor, audit.Tag.PROBES_LISTED, case_id=case_id)
    return page


def withdraw(session: Session, actor: Actor, probe_id: uuid.UUID, *, reason: str) -> Probe:
    """Mark a probe as no longer to be searched with; it stays in the record.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such probe, or it is in other people's case.
        CaseClosed: The case is closed.
        RequestRefused: No reason is given.
    """
    reason = access.required_text(reason, "reason")
    access.get_probe(session, actor, probe_id, Action.SEAL_PROBE, is_change=True)
    probe = probe_rows.withdraw_probe(session, probe_id)
    audit.record(
        session,
        actor,
        audit.Tag.PROBE_WITHDRAWN,
        case_id=probe.case_id,
        probe_id=probe_id,
        reason=reason,
    )
    return probe


def sketch_bytes(
    session: Session, actor: Actor, probe_id: uuid.UUID, *, store: FileStore
) -> tuple[bytes, str]:
    """Return the file of a sketch as it was sealed, and its media type.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such probe, or it is in other people's case.
        RecordConflict: The case was expunged, and the file with it.
        StorageError: The file is missing or damaged.
    """
    probe = access.get_probe(session, actor, probe_id, Action.VIEW_CASE)
    if probe.expunged_at is not None:
        raise RecordConflict("The case was expunged; only the seal of this sketch remains.")
    data = store.read(probe.sketch_sha256)
    audit.record(
        session,
        actor,
        audit.Tag.SKETCH_VIEWED,
        case_id=probe.case_id,
        probe_id=probe_id,
        sha256=probe.sketch_sha256,
    )
    return data, probe.media_type
