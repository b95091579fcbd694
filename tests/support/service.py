"""People, cases, sketches and finished searches for tests of the case service."""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image
from sqlalchemy.orm import Session

from db.models import AuditEvent, Case, Gallery, Probe, ProbeKind, Role, Search, Verdict
from db.queries.audit import list_events
from db.queries.galleries import create_gallery
from db.queries.photos import add_photos
from db.queries.probes import add_landmarks
from db.queries.searches import RankedPhoto
from forensic.cases import lifecycle, probes, reviews, searches
from forensic.cases.actor import Actor, worker_actor
from forensic.cases.audit import Tag
from forensic.storage import FileStore
from tests.support.factories import POINTS, make_user, new_photo, outcome, sha256

WORKER = worker_actor()


def actor_of(session: Session, *roles: Role, name: str | None = None) -> Actor:
    """Add a person and return them as they act."""
    user = make_user(session, *roles, name=name)
    return Actor(user.id, user.name, frozenset(roles), request_id="request-1")


def as_roles(actor: Actor, *roles: Role) -> Actor:
    """Return the same person with other roles."""
    return replace(actor, roles=frozenset(roles))


def png(seed: int = 0, size_px: int = 96) -> bytes:
    """Return a small picture of noise; another seed is another file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size_px, size_px), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def open_case(session: Session, actor: Actor, number: str | None = None, **changes) -> Case:
    """Open a case."""
    fields = {
        "offence": "burglary",
        "legal_basis": "court order 12",
        "purpose": "find leads",
        **changes,
    }
    number = number or f"case {uuid.uuid4().hex[:8]}"
    return lifecycle.open_case(session, actor, number=number, **fields)


def seal(session: Session, actor: Actor, case: Case, store: FileStore, **changes) -> Probe:
    """Seal a sketch, with landmarks as a detector would find them."""
    fields = {"data": png(), "kind": ProbeKind.FORENSIC, "source": "interview", **changes}
    probe, _ = probes.seal_probe(session, actor, case.id, store=store, **fields)
    add_landmarks(session, probe.id, POINTS, detector="fake")
    return probe


def fill_gallery(
    session: Session, store: FileStore, subjects: Sequence[str] = ("ann", "bea", "cyd")
) -> tuple[Gallery, list[int]]:
    """Make a gallery with one photo of each subject; return it and the photos' numbers."""
    gallery = create_gallery(
        session,
        name=f"gallery {uuid.uuid4().hex[:8]}",
        embedder="fake",
        weights_sha256=sha256("weights"),
        dimension=2,
        policy={},
    )
    photos = []
    for number, subject in enumerate(subjects):
        key = store.put(png(1000 + number))
        photos.append(replace(new_photo(subject, number), sha256=key))
    added = add_photos(session, gallery.id, photos)
    return gallery, [photo.photo_id for photo in added if photo.photo_id is not None]


def completed_search(
    session: Session, actor: Actor, case: Case, store: FileStore, *, n: int = 3
) -> Search:
    """Seal a sketch, search a new gallery of `n` people with it, and complete the search."""
    probe = seal(session, actor, case, store, data=png(int(uuid.uuid4()) % 2**32))
    gallery, photo_ids = fill_gallery(session, store, [f"subject {i}" for i in range(n)])
    search = searches.request(
        session, actor, case.id, gallery_id=gallery.id, probe_ids=[probe.id], fusion="mean"
    )
    added = {"none": 1.5}
    ranked = [RankedPhoto(number, 0.9 - i / 100, added) for i, number in enumerate(photo_ids)]
    searches.record_outcome(session, WORKER, search.id, outcome=outcome(), ranked=ranked)
    return search


def decide_all(
    session: Session, examiner: Actor, ids: Sequence[uuid.UUID], verdicts: Sequence[Verdict]
) -> None:
    """Decide on candidates, one verdict each."""
    for candidate_id, verdict in zip(ids, verdicts, strict=True):
        reviews.decide(session, examiner, candidate_id, verdict=verdict, note="seen")


def events_of(session: Session, tag: Tag) -> Sequence[AuditEvent]:
    """Return the audit's events of one kind, newest first."""
    return list_events(session, tag=tag.value, limit=1000).rows
