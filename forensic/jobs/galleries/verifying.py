"""Whether records and index of a gallery agree, and mending them where they do not.

The records are the truth, except for a vector that cannot be one: it is taken back from the
index where that is whole, and its photo is taken out where it is not, to be imported again.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.models import Gallery, IndexGeneration
from db.queries import indexes as records
from db.queries.galleries import gallery_ids
from db.queries.photos import BATCH_MAX, remove_photos
from db.queries.rows import get_row
from db.session import session_scope
from forensic.cases import audit
from forensic.cases.actor import Actor
from forensic.errors import CorruptIndex, DataFolderError, IndexMismatch
from forensic.gallery.generation import Generation, open_generation
from forensic.gallery.similarity import are_unit_length
from forensic.gallery.store import locked
from forensic.jobs.galleries.projection import LOCK, generation_folder, publish, stray_files

_CHUNK_ROWS = 4096


class Kind(enum.StrEnum):
    """One kind of damage."""

    VECTOR_MISSING = "vector_missing"
    VECTOR_SIZE = "vector_size"
    VECTOR_LENGTH = "vector_length"
    NOT_INDEXED = "not_indexed"
    FILES_MISSING = "files_missing"
    FILES_CORRUPT = "files_corrupt"
    ROWS_DIFFER = "rows_differ"
    BEHIND = "behind"
    BUILDING = "building"
    STRAY_FILES = "stray_files"


MEANING = {
    Kind.VECTOR_MISSING: "photos have no vector",
    Kind.VECTOR_SIZE: "vectors have another size than the gallery's",
    Kind.VECTOR_LENGTH: "vectors are not of unit length",
    Kind.NOT_INDEXED: "photos, but no published index",
    Kind.FILES_MISSING: "the index lacks files",
    Kind.FILES_CORRUPT: "the index differs from its checksums",
    Kind.ROWS_DIFFER: "photos differ between records and index",
    Kind.BEHIND: "changes are not in the index yet",
    Kind.BUILDING: "generations were begun and never finished",
    Kind.STRAY_FILES: "files belong to no generation",
}
_OF_VECTORS = (Kind.VECTOR_MISSING, Kind.VECTOR_SIZE, Kind.VECTOR_LENGTH)
_OF_INDEX = (Kind.FILES_MISSING, Kind.FILES_CORRUPT, Kind.ROWS_DIFFER)


@dataclass(frozen=True)
class Damage:
    """One kind of damage found in a gallery.

    Attributes:
        kind: What is wrong.
        count: How often.
        photo_ids: The photos concerned, where photos are.
        told: What exactly was found first.
    """

    kind: Kind
    count: int
    told: str = ""
    photo_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Mended:
    """What mending did.

    Attributes:
        found: The damage before.
        restored: Photos whose vector was taken back from the index.
        removed: Photos that were taken out and must be imported again.
        left: The damage after; empty when all was mended.
    """

    found: tuple[Damage, ...]
    restored: tuple[int, ...]
    removed: tuple[int, ...]
    left: tuple[Damage, ...]


def verify(engine: Engine, folder: Path, gallery_id: uuid.UUID) -> tuple[Damage, ...]:
    """Compare records and index of a gallery, byte by byte; change nothing.

    Waits for whoever publishes the gallery at the moment.

    Args:
        engine: The records.
        folder: Where the indexes of all galleries lie.
        gallery_id: Which gallery.

    Raises:
        NotFound: There is no such gallery.
    """
    place = folder / str(gallery_id)
    with locked(place, LOCK) if place.is_dir() else nullcontext():
        with session_scope(engine, read_only=True) as session:
            gallery = get_row(session, Gallery, gallery_id)
            active = records.find_active_generation(session, gallery_id)
            opened, damage = _open(folder, active)
            bad, differing, held = _compare(session, gallery, opened)
        found = [*_of_vectors(bad), *damage]
        if differing:
            found.append(_of_photos(Kind.ROWS_DIFFER, differing))
        if active is None and held:
            found.append(Damage(Kind.NOT_INDEXED, held))
        found += _of_generations(engine, gallery, active)
        if place.is_dir() and (stray := stray_files(folder, gallery_id, active)):
            found.append(Damage(Kind.STRAY_FILES, len(stray), str(stray[0])))
    return tuple(found)


def mend(engine: Engine, folder: Path, gallery_id: uuid.UUID, *, actor: Actor) -> Mended:
    """Find the damage in a gallery, mend it, look again, and tell the audit.

    Args:
        engine: The records.
        folder: Where the indexes of all galleries lie.
        gallery_id: Which gallery.
        actor: Who mends, for the audit.

    Raises:
        NotFound: There is no such gallery.
        OSError: The disk is full or cannot be written.
    """
    found = verify(engine, folder, gallery_id)
    if not found:
        return Mended((), (), (), ())
    bad = [i for damage in found if damage.kind in _OF_VECTORS for i in damage.photo_ids]
    restored = _restore_vectors(engine, folder, gallery_id, bad)
    removed = sorted(set(bad) - set(restored))
    for start in range(0, len(removed), BATCH_MAX):
        with session_scope(engine) as session:
            remove_photos(session, gallery_id, removed[start : start + BATCH_MAX])
    publish(engine, folder, gallery_id, rebuild=any(d.kind in _OF_INDEX for d in found))
    with session_scope(engine) as session:
        audit.record(
            session,
            actor,
            audit.Tag.GALLERY_MENDED,
            gallery_id=gallery_id,
            damage=[damage.kind for damage in found],
            restored_photo_ids=restored,
            removed_photo_ids=removed,
        )
    left = verify(engine, folder, gallery_id)
    return Mended(found, tuple(restored), tuple(removed), left)


def stray_galleries(engine: Engine, folder: Path) -> list[Path]:
    """Return folders of indexes whose gallery the records do not know."""
    with session_scope(engine, read_only=True) as session:
        known = {str(gallery_id) for gallery_id in gallery_ids(session)}
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.name not in known)


def _open(folder: Path, active: IndexGeneration | None) -> tuple[Generation | None, list[Damage]]:
    """Return the active generation, or what is wrong with its files."""
    if active is None:
        return None, []
    place = generation_folder(folder, active)
    try:
        return open_generation(place, manifest_sha256=str(active.manifest_sha256)), []
    except DataFolderError as error:
        return None, [Damage(Kind.FILES_MISSING, 1, str(error))]
    except (CorruptIndex, IndexMismatch) as error:
        is_missing = isinstance(error.__cause__, FileNotFoundError)
        kind = Kind.FILES_MISSING if is_missing else Kind.FILES_CORRUPT
        return None, [Damage(kind, 1, str(error))]


def _compare(
    session: Session, gallery: Gallery, opened: Generation | None
) -> tuple[dict[int, Kind], list[int], int]:
    """Return photos with bad vectors, those that the index has otherwise, and how many there are.

    The index must hold what was active at its revision; photos added since are no difference,
    and those taken out since are left out by every search.
    """
    bad: dict[int, Kind] = {}
    differing: list[int] = []
    held = 0
    unseen = np.ones(len(opened) if opened else 0, dtype=bool)
    revision = int(opened.facts["gallery_revision"]) if opened else -1
    for chunk in _chunks(records.iterate_held(session, gallery)):
        held += len(chunk)
        vectors, kinds = _check_vectors(chunk, gallery.dimension)
        bad |= kinds
        if opened is None:
            continue
        numbers = np.array([row.photo_id for row in chunk], dtype=np.int64)
        rows, is_there = opened.rows_of(numbers)
        unseen[rows[is_there]] = False
        same = is_there.copy()
        same[is_there] &= (opened.vectors[rows[is_there]] == vectors[is_there]).all(axis=1)
        persons = np.array([list(row.subject_id.bytes) for row in chunk], dtype=np.uint8)
        same[is_there] &= (opened.subject_ids_of(rows[is_there]) == persons[is_there]).all(axis=1)
        due = np.array([row.added_revision <= revision for row in chunk])
        differing += [int(n) for n in numbers[(due | is_there) & ~same] if int(n) not in bad]
    if opened is not None:
        gone = records.removed_photo_ids(session, gallery.id, after_revision=revision)
        unseen &= ~opened.mask_of(np.array(gone, dtype=np.int64))
        differing += opened.photo_ids[unseen].tolist()
    return bad, differing, held


def _check_vectors(
    chunk: Sequence[records.HeldPhoto], dimension: int
) -> tuple[NDArray[np.float32], dict[int, Kind]]:
    """Return the vectors as rows, zero where there is none to read, and which cannot be."""
    kinds: dict[int, Kind] = {}
    vectors = np.zeros((len(chunk), dimension), dtype=np.float32)
    for place, row in enumerate(chunk):
        if row.vector is None:
            kinds[row.photo_id] = Kind.VECTOR_MISSING
        elif len(row.vector) != 4 * dimension:
            kinds[row.photo_id] = Kind.VECTOR_SIZE
        else:
            vectors[place] = np.frombuffer(row.vector, dtype="<f4")
    for place in np.flatnonzero(~are_unit_length(vectors)).tolist():
        kinds.setdefault(chunk[place].photo_id, Kind.VECTOR_LENGTH)
    return vectors, kinds


def _of_vectors(bad: dict[int, Kind]) -> Iterator[Damage]:
    for kind in _OF_VECTORS:
        photo_ids = [photo_id for photo_id, found in bad.items() if found is kind]
        if photo_ids:
            yield _of_photos(kind, photo_ids)


def _of_photos(kind: Kind, photo_ids: Sequence[int]) -> Damage:
    return Damage(kind, len(photo_ids), f"the first is photo {photo_ids[0]}", tuple(photo_ids))


def _of_generations(
    engine: Engine, gallery: Gallery, active: IndexGeneration | None
) -> Iterator[Damage]:
    """Yield what is wrong with the generations as the records tell them; the lock is held."""
    if active is not None and active.gallery_revision < gallery.revision:
        yield Damage(Kind.BEHIND, gallery.revision - active.gallery_revision)
    with session_scope(engine, read_only=True) as session:
        unfinished = records.building_generations(session, gallery.id)
    if unfinished:
        told = f"the first is generation {unfinished[0].number}"
        yield Damage(Kind.BUILDING, len(unfinished), told)


def _restore_vectors(
    engine: Engine, folder: Path, gallery_id: uuid.UUID, photo_ids: Sequence[int]
) -> list[int]:
    """Take vectors back from the index where that is whole; return whose could be."""
    with session_scope(engine, read_only=True) as session:
        gallery = get_row(session, Gallery, gallery_id)
        active = records.find_active_generation(session, gallery_id)
    opened, _ = _open(folder, active)
    if opened is None or not photo_ids:
        return []
    numbers = np.array(sorted(photo_ids), dtype=np.int64)
    rows, is_there = opened.rows_of(numbers)
    numbers, rows = numbers[is_there], rows[is_there]
    for start in range(0, len(numbers), _CHUNK_ROWS):
        part = slice(start, start + _CHUNK_ROWS)
        kept = opened.vectors[rows[part]].astype("<f4")
        with session_scope(engine) as session:
            pairs = zip(numbers[part].tolist(), kept, strict=True)
            records.replace_vectors(session, gallery, {i: row.tobytes() for i, row in pairs})
    return list(map(int, numbers))


def _chunks(held: Iterable[records.HeldPhoto]) -> Iterator[list[records.HeldPhoto]]:
    remaining = iter(held)
    while chunk := list(islice(remaining, _CHUNK_ROWS)):
        yield chunk
