"""Renditions: faces that generators make from a probe. An enhancement, never the evidence."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from db.models import Job, Rendition
from db.queries import probes as probe_rows
from db.queries.rows import Page
from forensic.cases import access, audit, jobs, landmarks
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action
from forensic.errors import RecordConflict, RequestRefused
from forensic.images.io import decode_image, encode_image
from forensic.images.label import label_machine_made
from forensic.storage import FileStore
from forensic.weights.catalogue import load_catalogue

GENERATORS_MAX = 10


def generator_names() -> tuple[str, ...]:
    """Return the names of the trained generators of this installation's catalogue."""
    entries = load_catalogue().values()
    return tuple(sorted(entry.name for entry in entries if entry.task == "sketch inversion"))


def check_generators(names: Sequence[str]) -> list[str]:
    """Return generators without repetition, in their order.

    Raises:
        RequestRefused: One of them is not known, or there are too many.
    """
    wanted, known = list(dict.fromkeys(names)), generator_names()
    unknown = [name for name in wanted if name not in known]
    if unknown or len(wanted) > GENERATORS_MAX:
        raise RequestRefused(
            f"Unknown or too many generators: {', '.join(map(repr, unknown or wanted))}. "
            f"Known: {', '.join(known)}.",
            field="generators",
        )
    return wanted


def request(
    session: Session,
    actor: Actor,
    probe_id: uuid.UUID,
    *,
    generators: Sequence[str],
    seed: int = 0,
) -> Job:
    """Have generators make a face each from a probe, with its landmarks as they are now.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such probe, or it is in other people's case.
        CaseClosed: The case is closed.
        RecordConflict: The probe was withdrawn, or has no landmarks yet.
        RequestRefused: A generator is not known, none is named, or the seed is out of range.
    """
    probe = access.get_probe(session, actor, probe_id, Action.RENDER, is_change=True)
    wanted = check_generators(generators)
    if not wanted:
        raise RequestRefused("Name at least one generator.", field="generators")
    if not 0 <= seed < 2**63:
        raise RequestRefused("The seed must be 0 to 2^63 - 1.", field="seed")
    if probe.withdrawn_at is not None:
        raise RecordConflict("The probe was withdrawn.")
    version = landmarks.current(session, probe)
    parameters = {
        "probe_id": str(probe_id),
        "landmark_version_id": str(version.id),
        "generators": wanted,
        "seed": seed,
    }
    job = jobs.create(session, actor, jobs.JobKind.RENDITIONS, parameters, case_id=probe.case_id)
    audit.record(
        session,
        actor,
        audit.Tag.RENDITION_REQUESTED,
        case_id=probe.case_id,
        probe_id=probe_id,
        job_id=job.id,
        generators=wanted,
        seed=seed,
    )
    return job


def record_made(session: Session, actor: Actor, rendition: Rendition) -> Rendition:
    """Keep a face that a generator made; one that is the same in every respect is kept once.

    Raises:
        NotPermitted: Not the service itself.
        RecordConflict: Its landmarks belong to another probe.
    """
    access.check_system(actor)
    known = probe_rows.find_rendition(
        session,
        rendition.probe_id,
        landmark_version_id=rendition.landmark_version_id,
        generator=rendition.generator,
        weights_sha256=rendition.weights_sha256,
        seed=rendition.seed,
    )
    if known is not None:
        return known
    with access.plain_errors():
        made = probe_rows.add_rendition(session, rendition)
        probe = probe_rows.get_probe(session, made.probe_id)
    audit.record(
        session,
        actor,
        audit.Tag.RENDITION_MADE,
        case_id=probe.case_id,
        probe_id=probe.id,
        rendition_id=made.id,
        generator=made.generator,
        weights_sha256=made.weights_sha256,
        seed=made.seed,
        output_sha256=made.output_sha256,
    )
    return made


def list_renditions(
    session: Session,
    actor: Actor,
    probe_id: uuid.UUID,
    *,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Rendition]:
    """Return the renditions of a probe, newest first.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such probe, or it is in other people's case.
    """
    probe = access.get_probe(session, actor, probe_id, Action.VIEW_CASE)
    with access.plain_errors():
        page = probe_rows.list_renditions(session, probe_id, after=after, limit=limit)
    audit.record(
        session, actor, audit.Tag.RENDITIONS_LISTED, case_id=probe.case_id, probe_id=probe_id
    )
    return page


def get_rendition(session: Session, actor: Actor, rendition_id: uuid.UUID) -> Rendition:
    """Return one rendition: what was made, by what, from which landmarks.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such rendition, or it is in other people's case.
    """
    rendition, probe = access.get_rendition(session, actor, rendition_id, Action.VIEW_CASE)
    _record_view(session, actor, rendition, probe.case_id, what="record")
    return rendition


def image_bytes(
    session: Session, actor: Actor, rendition_id: uuid.UUID, *, store: FileStore
) -> bytes:
    """Return the face as a PNG that says in its own pixels that it is machine-made.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such rendition, or it is in other people's case.
        RecordConflict: The case was expunged, and the file with it.
        StorageError: The file is missing or damaged.
    """
    rendition, probe = access.get_rendition(session, actor, rendition_id, Action.VIEW_CASE)
    if probe.expunged_at is not None:
        raise RecordConflict("The case was expunged; only the hash of this rendition remains.")
    image = labelled_png(store.read(rendition.output_sha256))
    _record_view(session, actor, rendition, probe.case_id, what="image")
    return image


def labelled_png(output: bytes) -> bytes:
    """Return what a generator made with the label burnt in; the file kept has none.

    Raises:
        ImageError: The file is not an image.
    """
    return encode_image(label_machine_made(decode_image(output, name="the rendition")))


def describe(rendition: Rendition) -> Mapping[str, Any]:
    """Return what is needed to make the same face again."""
    return {
        "generator": rendition.generator,
        "weights_sha256": rendition.weights_sha256,
        "seed": rendition.seed,
        "landmark_version_id": str(rendition.landmark_version_id),
        "output_sha256": rendition.output_sha256,
        "device": rendition.device,
        "software_version": rendition.software_version,
    }


def _record_view(
    session: Session, actor: Actor, rendition: Rendition, case_id: uuid.UUID, *, what: str
) -> None:
    audit.record(
        session,
        actor,
        audit.Tag.RENDITION_VIEWED,
        case_id=case_id,
        rendition_id=rendition.id,
        what=what,
    )
