"""Search of a published gallery over its records.

Every search runs in one generation. Photos that were taken out since are left out, and the list
is checked against the records once more before it is returned: whoever is removed or expunged by
then is in no result, whichever generation was searched.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.models import Gallery, IndexGeneration
from db.queries import indexes as records
from db.queries.rows import get_row
from db.queries.subjects import SubjectFilter, iterate_photo_ids
from db.session import session_scope
from forensic.errors import (
    CorruptIndex,
    DataFolderError,
    EmptyGallery,
    ForensicError,
    IndexMismatch,
    NotIndexed,
)
from forensic.gallery.generation import Generation, RankedRows, open_generation
from forensic.gallery.ivf_pq import Recall
from forensic.jobs.galleries.found import Found, Hit
from forensic.jobs.galleries.projection import generation_folder
from forensic.values import Vectors

__all__ = ["Found", "GallerySearcher", "Hit"]

_log = logging.getLogger(__name__)
_NO_ROWS: NDArray[np.int64] = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class _View:
    """One generation as a search may use it."""

    gallery: Gallery
    record: IndexGeneration
    opened: Generation
    present: NDArray[np.bool_]
    allowed: NDArray[np.bool_]

    def hide(self, photo_ids: Sequence[int]) -> None:
        """Leave photos out from now on."""
        gone = self.opened.mask_of(_numbers(photo_ids))
        self.present[gone] = self.allowed[gone] = False


class GallerySearcher:
    """Searches published galleries; keeps the newest generation of each open.

    One for a process; its methods may be called by several threads.

    Args:
        engine: The records.
        folder: Where the indexes of all galleries lie.
        device: Where to search: `cpu`, `cuda` or `cuda:N`.
    """

    def __init__(self, engine: Engine, folder: Path, *, device: str = "cpu") -> None:
        self._engine, self._folder, self._device = engine, folder, device
        self._locks: dict[uuid.UUID, threading.Lock] = {}  # opening one gallery delays no other
        self._open: dict[uuid.UUID, tuple[uuid.UUID, Generation]] = {}

    def search(
        self,
        gallery_id: uuid.UUID,
        vectors: Vectors,
        k: int,
        *,
        weights_sha256: str,
        wanted: SubjectFilter | None = None,
        group_by_subject: bool = True,
        approximate: bool = False,
    ) -> Found:
        """Return the most similar photos of the gallery for each probe; all of them, by default.

        Args:
            gallery_id: Which gallery.
            vectors: (Q, D) float32 rows of unit length.
            k: 1 to 2048; fewer are returned where fewer pass the filter.
            weights_sha256: Of the embedder that made the probes; must be the gallery's.
            wanted: Which persons may be returned; None admits all.
            group_by_subject: Whether a person appears once, with the best photo.
            approximate: Use the approximate index, which may miss photos; the answer tells its
                measured recall. Never used unless asked for.

        Raises:
            NotFound: There is no such gallery.
            NotIndexed: The gallery was never published, or without an approximate index.
            EmptyGallery: It holds no photo.
            IndexMismatch: The probes come from another embedder.
            CorruptIndex: The files of the index are missing or damaged.
            ShapeError: The probes have another dimension.
            DtypeError: The probes are not float32.
            RangeError: `k` is out of range, or a probe is not of unit length.
            DeviceError: The device is not there or too small.
        """
        view = self._view(gallery_id, weights_sha256, wanted)
        if approximate and view.opened.approximate is None:
            name = view.gallery.name
            raise NotIndexed(
                f"Gallery {name!r} has no approximate index; search exactly, or run: "
                f"forensic gallery rebuild {name} --ivf-pq"
            )
        while True:
            ranked = view.opened.search(
                vectors,
                k,
                group_by_subject=group_by_subject,
                allowed=view.allowed,
                approximate=approximate,
            )
            listed = np.unique(np.concatenate([_NO_ROWS, *(rows for rows, _ in ranked)]))
            numbers = view.opened.photo_ids[listed].tolist()
            with session_scope(self._engine, read_only=True) as session:
                shown = records.shown_photos(session, numbers)
                gone = [number for number in numbers if number not in shown]
                if not gone:
                    break
                removed = _removed(session, view.record)  # while we searched
            view.hide([*gone, *removed])
        return self._found(view, ranked, shown, view.opened.recall if approximate else None)

    def similarity_spread(
        self,
        gallery_id: uuid.UUID,
        vectors: Vectors,
        *,
        weights_sha256: str,
        wanted: SubjectFilter | None = None,
    ) -> NDArray[np.float64]:
        """Return the standard deviation of each probe's similarity over the photos, (Q,).

        Args:
            gallery_id: Which gallery.
            vectors: (Q, D) float32 rows of unit length.
            weights_sha256: Of the embedder that made the probes; must be the gallery's.
            wanted: Which persons count; None counts all.

        Raises:
            NotFound: There is no such gallery.
            NotIndexed: The gallery was never published.
            EmptyGallery: It holds no photo.
            IndexMismatch: The probes come from another embedder.
            CorruptIndex: The files of the index are missing or damaged.
            ShapeError: The probes have another dimension.
            DtypeError: The probes are not float32.
            RangeError: A probe is not of unit length.
        """
        view = self._view(gallery_id, weights_sha256, wanted)
        return view.opened.similarity_spread(vectors, allowed=view.allowed)

    def warm(self, gallery_id: uuid.UUID | None = None) -> None:
        """Open what is published now, so that no search has to wait while it is checked.

        What cannot be opened is logged only: the search that needs it says what to do.

        Args:
            gallery_id: Which gallery; None opens all.
        """
        with session_scope(self._engine, read_only=True) as session:
            published = records.active_generations(session, gallery_id)
        for record in published:
            try:
                self._opened(record)
            except ForensicError:
                _log.warning("generation %s cannot be opened", record.id, exc_info=True)

    def _view(
        self, gallery_id: uuid.UUID, weights_sha256: str, wanted: SubjectFilter | None
    ) -> _View:
        """Return the newest generation with its masks, all read from the records together."""
        tried: uuid.UUID | None = None
        while True:
            with session_scope(self._engine, read_only=True) as session:
                gallery = get_row(session, Gallery, gallery_id)
                _check_weights(gallery, weights_sha256)
                record = records.find_active_generation(session, gallery_id)
                if record is None:
                    raise NotIndexed(
                        f"Gallery {gallery.name!r} has no index yet; run: forensic gallery "
                        f"rebuild {gallery.name}"
                    )
                removed = _removed(session, record)
                chosen = None
                if wanted is not None:
                    chosen = list(iterate_photo_ids(session, gallery_id, wanted))
            try:
                opened = self._opened(record)
                break
            except (CorruptIndex, DataFolderError) as error:
                if tried == record.id:  # it is still the one to search, so it is damaged
                    raise CorruptIndex(
                        f"{error} Build it again: forensic gallery rebuild {gallery.name}"
                    ) from error
                tried = record.id
        everything = np.ones(len(opened), dtype=bool)
        allowed = everything.copy() if chosen is None else opened.mask_of(_numbers(chosen))
        view = _View(gallery, record, opened, everything, allowed)
        view.hide(removed)
        if not view.present.any():
            raise EmptyGallery(f"Gallery {gallery.name!r} holds no photo to compare with.")
        return view

    def _opened(self, record: IndexGeneration) -> Generation:
        """Return a generation, opened and checked once per process."""
        with self._locks.setdefault(record.gallery_id, threading.Lock()):
            held = self._open.get(record.gallery_id)
            if held is not None and held[0] == record.id:
                return held[1]
            self._open.pop(record.gallery_id, None)  # a GPU may not hold both
            opened = open_generation(
                generation_folder(self._folder, record),
                manifest_sha256=str(record.manifest_sha256),
                device=self._device,
            )
            self._open[record.gallery_id] = (record.id, opened)
            return opened

    def _found(
        self,
        view: _View,
        ranked: RankedRows,
        shown: dict[int, records.ShownPhoto],
        recall: Recall | None,
    ) -> Found:
        return Found(
            lists=_hits(view.opened, ranked, shown),
            vectors=tuple(view.opened.vectors[rows] for rows, _ in ranked),
            generation_id=view.record.id,
            generation_number=view.record.number,
            is_current=view.record.gallery_revision == view.gallery.revision,
            gallery_size=int(view.present.sum()),
            n_searched=int(view.allowed.sum()),
            n_subjects=view.opened.count_subjects(view.allowed),
            is_exact=recall is None,
            measured_recall=recall.measured if recall else None,
            recall_at=recall.at if recall else None,
            device=self._device,
        )


def _removed(session: Session, record: IndexGeneration) -> Sequence[int]:
    """Return the photos that were taken out since the generation was announced."""
    return records.removed_photo_ids(
        session, record.gallery_id, after_revision=record.gallery_revision
    )


def _numbers(photo_ids: Sequence[int]) -> NDArray[np.int64]:
    return np.array(photo_ids, dtype=np.int64)


def _check_weights(gallery: Gallery, weights_sha256: str) -> None:
    if weights_sha256 != gallery.weights_sha256:
        raise IndexMismatch(
            f"Gallery {gallery.name!r} was embedded by {gallery.embedder} with weights "
            f"{gallery.weights_sha256}, the probe with weights {weights_sha256}; use that embedder."
        )


def _hits(
    opened: Generation, ranked: RankedRows, shown: dict[int, records.ShownPhoto]
) -> tuple[tuple[Hit, ...], ...]:
    return tuple(
        tuple(
            Hit(rank, photo.photo_id, photo.sha256, photo.subject_id, photo.external_id, similarity)
            for rank, (photo, similarity) in enumerate(
                zip(
                    [shown[number] for number in opened.photo_ids[rows].tolist()],
                    np.clip(similarities, -1, 1).tolist(),
                    strict=True,
                ),
                start=1,
            )
        )
        for rows, similarities in ranked
    )
