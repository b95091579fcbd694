"""Whether the files that a gallery keeps of its photos are in the store as they were put there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine

from db.models import Gallery
from db.queries.held import iterate_photos
from db.queries.rows import get_row
from db.session import session_scope
from forensic.cases.intake import read_policy
from forensic.errors import CorruptFile, MissingFile
from forensic.storage import FileStore


@dataclass(frozen=True)
class LostFile:
    """A photo or crop that the records name and the store cannot give.

    Attributes:
        photo_id: Which photo.
        source: Where its file came from, relative to the import's root.
        told: What is wrong.
    """

    photo_id: int
    source: str
    told: str


def find_lost_files(engine: Engine, store: FileStore, gallery_id: uuid.UUID) -> Iterator[LostFile]:
    """Read every file that a gallery keeps, and yield those that are gone or have changed.

    Importing a photo again brings its file back where it is gone. Nothing else is changed: the
    vector is whole without the file, and a store that is only away for now would look the same.

    Raises:
        NotFound: There is no such gallery.
        StorageError: The store cannot be read at all.
    """
    with session_scope(engine, read_only=True) as session:
        policy = read_policy(get_row(session, Gallery, gallery_id).policy)
        for photo, _ in iterate_photos(session, gallery_id):
            kept = [photo.sha256] if policy.originals == "copy" else []
            for sha256 in [*kept, photo.crop_sha256]:
                if sha256 is None:
                    continue
                try:
                    store.read(sha256)
                except (MissingFile, CorruptFile) as error:
                    yield LostFile(photo.id, photo.source, str(error))
