"""Galleries of made-up unit vectors in real records, and the answer found by plain arithmetic."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Engine

from db.models import Embedding
from db.queries.galleries import create_gallery
from db.queries.photos import add_photos
from db.session import session_scope
from tests.support.factories import new_photo, sha256
from tests.support.galleries import oracle, unit_rows

DIMENSION = 8
WEIGHTS = sha256("weights")


def new_gallery(engine: Engine, name: str = "test", *, dimension: int = DIMENSION) -> uuid.UUID:
    """Make an empty gallery and return its id."""
    with session_scope(engine) as session:
        return create_gallery(
            session,
            name=name,
            embedder="fake",
            weights_sha256=WEIGHTS,
            dimension=dimension,
            policy={"originals": "reference"},  # there are no files
        ).id


def add(engine, gallery_id, vectors, subjects: Sequence[str], **changes):
    """Add one photo for each vector; return number to person and vector of those taken in."""
    photos = [
        new_photo(
            subject,
            uuid.uuid4(),
            **{"vector": vector.astype("<f4").tobytes(), "crop_sha256": None, **changes},
        )
        for vector, subject in zip(vectors, subjects, strict=True)
    ]
    with session_scope(engine) as session:
        made = add_photos(session, gallery_id, photos)
    return {
        photo.photo_id: (subject, vector)
        for photo, subject, vector in zip(made, subjects, vectors, strict=True)
        if photo.photo_id is not None
    }


def replace_vector(engine, photo_id: int, vector) -> None:
    """Plant a vector as no import would write it; None plants none."""
    with session_scope(engine) as session:
        held = session.get(Embedding, (photo_id, WEIGHTS))
        session.delete(held)
        session.flush()
        if vector is not None:
            planted = Embedding(
                photo_id=photo_id,
                weights_sha256=WEIGHTS,
                embedder=held.embedder,
                dimension=len(vector),
                vector=np.asarray(vector, dtype="<f4").tobytes(),
            )
            session.add(planted)


def listed(found) -> list[list[tuple[str, int]]]:
    """Return person and photo of each hit of each list."""
    return [[(hit.external_id, hit.photo_id) for hit in hits] for hits in found.lists]


def expected(query, held: dict[int, tuple[str, np.ndarray]], k: int, *, grouped: bool = True):
    """Return what a search must list of the photos held: number to person and vector."""
    numbers = sorted(held)
    if not numbers:
        return []
    vectors = np.stack([held[number][1] for number in numbers])
    rows, _ = oracle(query, vectors, numbers, len(numbers))
    ranked = [(held[numbers[row]][0], numbers[row]) for row in rows]
    if grouped:
        best: dict[str, int] = {}
        for subject, number in ranked:
            best.setdefault(subject, number)
        ranked = list(best.items())
    return ranked[:k]


def filled(
    engine, gallery_id, count: int, *, kind: str = "random", seed: int = 0, persons: int = 5
):
    """Add photos; return number to person and vector."""
    vectors = unit_rows(kind, count, DIMENSION, seed)
    subjects = [f"s{i % persons}" for i in range(count)]
    return add(engine, gallery_id, vectors, subjects)
