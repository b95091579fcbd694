"""What became of a batch, written into store and records: all of it, or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from db.models import ItemState, Job
from db.queries import job_items, jobs
from db.queries.job_items import EndedItem
from db.queries.photos import Added, AddedPhoto, NewPhoto, add_photos
from db.queries.rows import get_row
from forensic.cases.files import delete_free
from forensic.cases.intake import IntakePolicy
from forensic.images.io import encode_image
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.galleries.intake import Item
from forensic.jobs.galleries.pace import Progress
from forensic.storage import FileStore

_TOLD = {
    Added.DUPLICATE: "The gallery holds this very file already.",
    Added.EXPUNGED: "The person or the file was expunged.",
}


class Recorder:
    """Writes batches, one after another.

    Files go to the store before the records name them: a crash in between leaves a file that
    nobody names, never a name without its file.

    Args:
        hold: The job.
        gallery_id: The gallery that takes the photos in.
        policy: Says what is kept of a photo beside its vector.
        store: Where photos and crops are kept.
    """

    def __init__(
        self, hold: Hold, gallery_id: uuid.UUID, *, policy: IntakePolicy, store: FileStore
    ) -> None:
        self._hold, self._gallery_id = hold, gallery_id
        self._policy, self._store = policy, store

    def record(self, batch: Sequence[Item], tell: Callable[[Job], Progress]) -> Progress:
        """End every item of a batch, and return the progress that was noted with it.

        Args:
            batch: Items that have a vector, are refused, or known.
            tell: Makes the progress from the job as it is after the batch.

        Raises:
            JobError: The job is not this worker's any more.
            StorageError: The store cannot be written, for example because its disk is full.
            Unavailable: The database stayed away.
        """
        self._bring_back(batch)
        good = [item for item in batch if item.vector is not None]
        crops = [self._put_files(item) for item in good]
        photos = [_new_photo(item, crop) for item, crop in zip(good, crops, strict=True)]

        def write(session: Session) -> tuple[Progress, list[AddedPhoto]]:
            added = add_photos(session, self._gallery_id, photos) if photos else []
            outcomes = dict(zip((item.item_id for item in good), added, strict=True))
            ended = [_ended(item, outcomes.get(item.item_id, item.known)) for item in batch]
            job_items.end_items(session, self._hold.job_id, self._hold.worker, ended)
            job = get_row(session, Job, self._hold.job_id)
            progress = tell(job)
            jobs.note_progress(session, job.id, self._hold.worker, progress.record())
            return progress, added

        progress, added = self._hold.write(write)
        for item, photo, outcome in zip(good, photos, added, strict=True):
            self._settle_files(item, photo, outcome.outcome)
        return progress

    def _bring_back(self, batch: Sequence[Item]) -> None:
        """Keep the files of known photos again where the store has lost them."""
        if self._policy.originals != "copy":
            return
        lost = {
            item.sha256: item.data
            for item in batch
            if item.known is not None and item.known.outcome is Added.DUPLICATE
            if item.sha256 is not None and not self._store.exists(item.sha256)
        }
        for data in lost.values():
            self._store.put(data)
        if lost:  # an expunging at the same moment would otherwise leave a file behind
            self._hold.write(lambda session: delete_free(session, self._store, list(lost)))

    def _put_files(self, item: Item) -> str | None:
        """Keep what the policy says of a photo; return the crop's SHA-256 where it is kept."""
        if self._policy.originals == "copy":
            self._store.put(item.data)
        if not self._policy.keep_crops or item.examined is None:
            return None
        return self._store.put(encode_image(item.examined.face))

    def _settle_files(self, item: Item, photo: NewPhoto, outcome: Added) -> None:
        """Mend what an expunging at the same moment did to the files of a photo."""
        files = [sha256 for sha256 in (photo.sha256, photo.crop_sha256) if sha256]
        if outcome is not Added.EXPUNGED:
            if self._policy.originals == "copy" and not self._store.exists(photo.sha256):
                self._put_files(item)
            return
        self._hold.write(lambda session: delete_free(session, self._store, files))


def _new_photo(item: Item, crop_sha256: str | None) -> NewPhoto:
    """Return an item that has a vector as the records take it."""
    if item.examined is None or item.vector is None or item.sha256 is None:
        raise ValueError(f"Item {item.item_id} has no vector.")
    return NewPhoto(
        subject_external_id=item.subject,
        sha256=item.sha256,
        source=item.name,
        size_px=item.examined.size_px,
        vector=item.vector.astype("<f4").tobytes(),
        quality=item.examined.quality,
        landmarks=item.examined.landmarks,
        crop_sha256=crop_sha256,
        sex=item.metadata.get("sex"),
        birth_year=item.metadata.get("birth_year"),
        attributes=item.metadata.get("attributes") or {},
    )


def _ended(item: Item, added: AddedPhoto | None) -> EndedItem:
    if item.refusal is not None:
        return EndedItem(
            item.item_id,
            ItemState.REJECTED,
            reason_code=item.refusal.reason,
            detail=item.refusal.detail,
            sha256=item.sha256,
        )
    if added is None:
        raise ValueError(f"Item {item.item_id} has neither a vector nor a refusal.")
    if added.outcome is Added.EXPUNGED:
        told = _TOLD[Added.EXPUNGED]
        return EndedItem(item.item_id, ItemState.REJECTED, reason_code="expunged", detail=told)
    return EndedItem(
        item.item_id,
        ItemState.INDEXED if added.outcome is Added.INDEXED else ItemState.DUPLICATE,
        detail=_TOLD.get(added.outcome),
        sha256=item.sha256,
        photo_id=added.photo_id,
    )
