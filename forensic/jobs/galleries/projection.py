"""The index of a gallery, projected from its records: published whole, or not at all.

    FOLDER/GALLERY/GENERATION/    one sealed generation, see `forensic.gallery.generation`
    FOLDER/GALLERY/.publishing    held by whoever publishes; others wait

The records say which generation is searched, and what its manifest's SHA-256 is. A publisher
announces a generation, writes it, and makes it the active one in a single transaction; killed at
any moment, it leaves the former one active, and the next publisher clears its traces away.
"""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from db.errors import RecordError
from db.models import Gallery, IndexGeneration
from db.queries import indexes as records
from db.queries.rows import get_row
from db.session import session_scope
from forensic.errors import CorruptIndex, CorruptRecords, DataFolderError, IndexMismatch
from forensic.files import sha256_of_file
from forensic.gallery.drafts import Draft, NumberedPhotos
from forensic.gallery.generation import Generation, open_generation, write_generation
from forensic.gallery.ivf_pq import IvfPq
from forensic.gallery.similarity import are_unit_length
from forensic.gallery.store import MANIFEST, locked

EXACT, WITH_IVF_PQ = "exact", "exact+ivf_pq"

LOCK = ".publishing"
"""Name of the file in a gallery's folder that whoever publishes holds locked."""

_CHUNK_ROWS = 4096


@dataclass(frozen=True)
class Plan:
    """What is published of a gallery: the exact index always, an approximate one on request."""

    ivf_pq: IvfPq | None = None

    @classmethod
    def of(cls, generation: IndexGeneration) -> Plan:
        """Return the plan by which a generation was built."""
        return cls(IvfPq(**generation.parameters) if generation.kind == WITH_IVF_PQ else None)

    @property
    def kind(self) -> str:
        """What the records call it."""
        return EXACT if self.ivf_pq is None else WITH_IVF_PQ

    @property
    def parameters(self) -> dict[str, int | None]:
        """What the records keep of it."""
        return {} if self.ivf_pq is None else asdict(self.ivf_pq)


@dataclass(frozen=True)
class Published:
    """The generation that is searched after publishing.

    Attributes:
        generation_id: Its identifier in the records.
        number: Its number in the gallery, from 1.
        gallery_revision: The state of the gallery that it holds.
        photo_count: How many photos it holds.
        measured_recall: Of its approximate index, where it has one.
        reused: How many of them were taken over from the generation before; None where that
            one was up to date and nothing had to be done.
    """

    generation_id: uuid.UUID
    number: int
    gallery_revision: int
    photo_count: int
    measured_recall: float | None
    reused: int | None


def generation_folder(folder: Path, generation: IndexGeneration) -> Path:
    """Return where the files of a generation lie."""
    return folder / str(generation.gallery_id) / str(generation.id)


def publish(
    engine: Engine,
    folder: Path,
    gallery_id: uuid.UUID,
    *,
    rebuild: bool = False,
    plan: Plan | None = None,
) -> Published:
    """Bring the published index of a gallery up to its present state.

    Reads from the records only what was added since the generation before, and takes the rest
    over from there; the cost is that of copying the index once. One publisher works on a gallery
    at a time, and others wait. Vectors of photos that are gone leave the disk with it.

    Args:
        engine: The records.
        folder: Where the indexes of all galleries lie.
        gallery_id: Which gallery.
        rebuild: Read everything from the records, also where the index is up to date.
        plan: What to publish; None for the same as before, and at first an exact index alone.

    Raises:
        NotFound: There is no such gallery.
        CorruptRecords: A stored vector cannot be used.
        RangeError: The approximate index of the plan cannot be built of so many photos.
        OSError: The disk is full or cannot be written; the former generation then stays.
    """
    place = folder / str(gallery_id)
    with session_scope(engine, read_only=True) as session:
        get_row(session, Gallery, gallery_id)  # no folder for a gallery that does not exist
    place.mkdir(parents=True, exist_ok=True)
    with locked(place, LOCK):
        clear_away(engine, folder, gallery_id)
        with session_scope(engine, read_only=True) as session:
            gallery = get_row(session, Gallery, gallery_id)
            active = records.find_active_generation(session, gallery_id)
        former = Plan.of(active) if active else Plan()
        plan = plan or former
        if active and not rebuild and plan == former and _is_current(active, gallery, folder):
            return _published(active, reused=None)
        base = None if rebuild or active is None else _open_base(active, gallery, folder)
        published = _build(engine, folder, gallery, base, plan)
        clear_away(engine, folder, gallery_id)
    return published


def clear_away(engine: Engine, folder: Path, gallery_id: uuid.UUID) -> None:
    """Give up generations whose builder was killed, and delete all files but the active one's.

    Only for whoever holds the gallery's lock. Readers that have a deleted generation open go on
    undisturbed until they close it.

    Raises:
        OSError: A file cannot be deleted.
    """
    with session_scope(engine) as session:
        for abandoned in records.building_generations(session, gallery_id):
            records.fail_generation(session, abandoned.id)
        active = records.find_active_generation(session, gallery_id)
    for path in stray_files(folder, gallery_id, active):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def stray_files(folder: Path, gallery_id: uuid.UUID, active: IndexGeneration | None) -> list[Path]:
    """Return what lies in the folder of a gallery and belongs to no active generation."""
    place = folder / str(gallery_id)
    known = {LOCK, str(active.id) if active else ""}
    return sorted(path for path in place.iterdir() if path.name not in known)


def _is_current(active: IndexGeneration, gallery: Gallery, folder: Path) -> bool:
    manifest = generation_folder(folder, active) / MANIFEST
    return (
        active.gallery_revision == gallery.revision
        and manifest.is_file()
        and sha256_of_file(manifest) == active.manifest_sha256
    )


def _open_base(active: IndexGeneration, gallery: Gallery, folder: Path) -> Generation | None:
    """Return the generation to take rows over from; None where its files are damaged."""
    try:
        base = open_generation(
            generation_folder(folder, active), manifest_sha256=str(active.manifest_sha256)
        )
    except (CorruptIndex, DataFolderError, IndexMismatch):
        return None  # the records are the truth: everything is read from there
    fits = base.facts["weights_sha256"] == gallery.weights_sha256
    return base if fits else None


def _build(
    engine: Engine, folder: Path, gallery: Gallery, base: Generation | None, plan: Plan
) -> Published:
    with session_scope(engine) as session:
        generation = records.begin_generation(
            session, gallery.id, kind=plan.kind, parameters=plan.parameters
        )
    target = generation_folder(folder, generation)
    facts = {
        "gallery_id": str(gallery.id),
        "generation_number": generation.number,
        "gallery_revision": generation.gallery_revision,
        "embedder_name": gallery.embedder,
        "weights_sha256": gallery.weights_sha256,
        "kind": generation.kind,
    }
    try:
        with Draft(target.parent, gallery.dimension) as draft:
            reused = _gather(engine, gallery, generation.gallery_revision, base, draft)
            photos = draft.photos()
            written = write_generation(target, photos, facts=facts, ivf_pq=plan.ivf_pq)
        with session_scope(engine) as session:
            active = records.activate_generation(
                session,
                generation.id,
                photo_count=len(photos.photo_ids),
                manifest_sha256=written.manifest_sha256,
                measured_recall=written.recall.measured if written.recall else None,
            )
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        with suppress(RecordError), session_scope(engine) as session:
            records.fail_generation(session, generation.id)  # else the next publisher does
        raise
    return _published(active, reused=reused)


def _gather(
    engine: Engine, gallery: Gallery, revision: int, base: Generation | None, draft: Draft
) -> int:
    """Fill the draft with the gallery's photos at a revision; return how many came from `base`."""
    since = 0 if base is None else int(base.facts["gallery_revision"])
    with session_scope(engine, read_only=True) as session:
        reused = 0
        if base is not None:
            gone = records.removed_photo_ids(session, gallery.id, after_revision=since)
            kept = np.flatnonzero(~base.mask_of(np.array(gone, dtype=np.int64)))
            reused = len(kept)
            for start in range(0, reused, _CHUNK_ROWS):
                rows = kept[start : start + _CHUNK_ROWS]
                draft.append(
                    NumberedPhotos(
                        base.photo_ids[rows], base.subject_ids_of(rows), base.vectors[rows]
                    )
                )
        stored = records.iterate_vectors(
            session, gallery, after_revision=since, up_to_revision=revision
        )
        while chunk := list(islice(stored, _CHUNK_ROWS)):
            draft.append(_photos_of(chunk, gallery))
    return reused


def _photos_of(chunk: list[records.StoredVector], gallery: Gallery) -> NumberedPhotos:
    """Return stored rows as arrays.

    Raises:
        CorruptRecords: A vector has another length than the gallery's, or is not of unit length.
    """
    vectors = np.empty((len(chunk), gallery.dimension), dtype=np.float32)
    for place, row in enumerate(chunk):
        if len(row.vector) != 4 * gallery.dimension:
            raise _damaged(gallery, row.photo_id, f"has {len(row.vector) // 4} numbers")
        vectors[place] = np.frombuffer(row.vector, dtype="<f4")
    wrong = np.flatnonzero(~are_unit_length(vectors))
    if wrong.size:
        raise _damaged(gallery, chunk[wrong[0]].photo_id, "is not of unit length")
    return NumberedPhotos(
        np.array([row.photo_id for row in chunk], dtype=np.int64),
        np.array([list(row.subject_id.bytes) for row in chunk], dtype=np.uint8).reshape(-1, 16),
        vectors,
    )


def _damaged(gallery: Gallery, photo_id: int, what: str) -> CorruptRecords:
    return CorruptRecords(
        f"The stored vector of photo {photo_id} in gallery {gallery.name!r} {what}; run: "
        f"forensic gallery verify {gallery.name} --fix"
    )


def _published(generation: IndexGeneration, *, reused: int | None) -> Published:
    return Published(
        generation.id,
        generation.number,
        generation.gallery_revision,
        generation.photo_count or 0,
        generation.measured_recall,
        reused,
    )
