"""One factory per family of records: a plausible row, with what the test cares about given."""

from __future__ import annotations

import hashlib
import itertools
import struct
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from db.models import (
    Candidate,
    Case,
    Gallery,
    Probe,
    ProbeKind,
    Rendition,
    Role,
    Search,
    SearchInput,
    User,
)
from db.queries.cases import open_case
from db.queries.galleries import create_gallery
from db.queries.photos import NewPhoto, add_photos
from db.queries.probes import add_landmarks, add_probe, find_landmarks
from db.queries.searches import Outcome, RankedPhoto, complete_search, request_search
from db.queries.users import create_user

_numbers = itertools.count(1)
POINTS = [[30.0, 40.0], [66.0, 40.0], [48.0, 60.0], [34.0, 76.0], [62.0, 76.0]]


def sha256(text: object) -> str:
    """Return the SHA-256 of any text, to stand for a file."""
    return hashlib.sha256(str(text).encode()).hexdigest()


def make_user(session: Session, *roles: Role, name: str | None = None) -> User:
    """Add a person."""
    return create_user(
        session,
        name=name or f"person{next(_numbers)}",
        full_name="A Person",
        password_digest="scrypt$not-a-digest",
        roles=roles,
    )


def make_case(session: Session, opened_by: User | None = None) -> Case:
    """Open a case, by a new person unless one is given."""
    return open_case(
        session,
        number=f"2026/{next(_numbers)}",
        offence="burglary",
        legal_basis="court order 12",
        purpose="find leads",
        opened_by_id=(opened_by or make_user(session)).id,
    )


def new_probe(case: Case, *, file: object = None, kind: ProbeKind = ProbeKind.FORENSIC) -> Probe:
    """Return a probe that is not added yet."""
    return Probe(
        case_id=case.id,
        sketch_sha256=sha256(file or next(_numbers)),
        media_type="image/png",
        width_px=96,
        height_px=96,
        size_bytes=1000,
        kind=kind,
        artist="R. Artist",
        source="witness interview",
        sealed_by_id=case.opened_by_id,
    )


def make_gallery(session: Session, *, dimension: int = 2) -> Gallery:
    """Make an empty gallery."""
    return create_gallery(
        session,
        name=f"gallery{next(_numbers)}",
        embedder="fake",
        weights_sha256=sha256("weights"),
        dimension=dimension,
        policy={"min_face_px": 40},
    )


def new_photo(subject: str, file: object, **changes: Any) -> NewPhoto:
    """Return a photo of `subject` whose content is `file`, with a vector of two numbers."""
    values: dict[str, Any] = {
        "subject_external_id": subject,
        "sha256": sha256(file),
        "source": f"{subject}/{file}.png",
        "size_px": (96, 96),
        "vector": struct.pack("<2f", 0.6, 0.8),
        "quality": {"sharpness": 0.5},
        "landmarks": POINTS,
        "crop_sha256": sha256(f"crop of {file}"),
    }
    return NewPhoto(**{**values, **changes})


def make_photos(session: Session, gallery: Gallery, subjects: Sequence[str]) -> list[int]:
    """Add one new photo of each subject and return their numbers."""
    photos = [new_photo(subject, f"{subject}-{next(_numbers)}") for subject in subjects]
    numbers = [added.photo_id for added in add_photos(session, gallery.id, photos)]
    return [number for number in numbers if number is not None]


def make_search(session: Session, gallery: Gallery, case: Case | None = None) -> Search:
    """Ask for a search by one sketch; it is not run."""
    case = case or make_case(session)
    probe, _ = add_probe(session, new_probe(case))
    landmarks = add_landmarks(session, probe.id, POINTS, detector="fake")
    search = Search(
        case_id=case.id,
        gallery_id=gallery.id,
        requested_by_id=case.opened_by_id,
        purpose="find leads",
        list_length=20,
        parameters={"matchers": ["fake"]},
    )
    given = SearchInput(probe_id=probe.id, landmark_version_id=landmarks.id)
    return request_search(session, search, [given])


def outcome(**changes: Any) -> Outcome:
    """Return how a search was run."""
    values: dict[str, Any] = {
        "index_generation_id": None,
        "gallery_size": 3,
        "extent": {"photos": 3, "subjects": 3, "generation": 1, "is_current": True},
        "model_hashes": {"embedder": sha256("weights")},
        "device": "cpu",
        "is_exact": True,
        "measured_recall": None,
        "timings_ms": {"search": 1.5},
        "software_version": "0",
    }
    return Outcome(**{**values, **changes})


def make_candidates(session: Session, n: int = 3) -> Sequence[Candidate]:
    """Run a search that lists `n` people."""
    gallery = make_gallery(session)
    photo_ids = make_photos(session, gallery, [f"subject{i}" for i in range(n)])
    search = make_search(session, gallery)
    ranked = [RankedPhoto(photo_id, 0.9 - i / 10) for i, photo_id in enumerate(photo_ids)]
    return complete_search(session, search.id, outcome(), ranked)


def unknown_id() -> uuid.UUID:
    """Return an identifier that no row has."""
    return uuid.uuid4()


def new_rendition(session: Session, probe: Probe, **changes: Any) -> Rendition:
    """Return a rendition of a probe with its present landmarks, not added yet."""
    landmarks = find_landmarks(session, probe.id)
    assert landmarks is not None
    values: dict[str, Any] = {
        "generator": "fake",
        "weights_sha256": sha256("generator"),
        "seed": 0,
        "parameters": {},
        "output_sha256": sha256(next(_numbers)),
        "device": "cpu",
        "software_version": "0",
        "duration_ms": 1.0,
        "made_by_id": probe.sealed_by_id,
    }
    return Rendition(probe_id=probe.id, landmark_version_id=landmarks.id, **{**values, **changes})
