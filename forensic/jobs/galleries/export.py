"""A gallery as a folder that can be imported again: photos, a manifest, and the rejected items.

    OUT/photos/          the photos, named by their content
    OUT/manifest.csv     path, subject_id, sex, birth_year and one column for each attribute
    OUT/rejected.csv     the rejected items of all imports

The manifest is written last, so a folder without one is an export that was cut off. Its cells are
exactly as given, for a machine to read; `rejected.csv` is made safe for spreadsheets.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlalchemy import Engine

from db.models import Gallery, Photo, Subject
from db.queries.held import attribute_names, iterate_photos
from db.queries.jobs import list_jobs
from db.session import session_scope
from forensic.cases import audit
from forensic.cases.actor import Actor
from forensic.cases.intake import read_policy
from forensic.cases.rejected import rejected_csv
from forensic.errors import DataFolderError
from forensic.files import atomic_write
from forensic.images.io import SUFFIXES
from forensic.jobs.galleries.sources.manifest import BIRTH_YEAR, PATH, SEX, SUBJECT
from forensic.storage import FileStore


@dataclass(frozen=True)
class Exported:
    """What was written: photos, and whether their files are there too."""

    photos: int
    has_files: bool


def export_gallery(
    engine: Engine, gallery: Gallery, out: Path, *, store: FileStore, actor: Actor
) -> Exported:
    """Write a gallery into an empty folder.

    Where the gallery keeps no copies of its photos, the manifest names them by their path in the
    import's folder.

    Args:
        engine: The records.
        gallery: What to export.
        out: Made where missing.
        store: Where photos are kept.
        actor: Who does it, for the audit.

    Raises:
        DataFolderError: The folder is not empty.
        StorageError: A photo is missing from the store, or damaged.
        OSError: The folder cannot be written.
    """
    if out.exists() and any(out.iterdir()):
        raise DataFolderError(f"{out} is not empty; choose a new folder.")
    has_files = read_policy(gallery.policy).originals == "copy"
    with session_scope(engine) as session:  # first: an export that fails half-way was one too
        audit.record(session, actor, audit.Tag.GALLERY_EXPORTED, gallery_id=gallery.id)
    with session_scope(engine, read_only=True) as session:
        attributes = attribute_names(session, gallery.id)
        _write_rejected(out / "rejected.csv", _rejected_lines(engine, gallery))
        photos = 0
        with atomic_write(out / "manifest.csv", "w") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([PATH, SUBJECT, SEX, BIRTH_YEAR, *attributes])
            for photo, subject in iterate_photos(session, gallery.id):
                path = _copied(photo, out, store) if has_files else photo.source
                writer.writerow([path, *_cells(subject, attributes)])
                photos += 1
    return Exported(photos, has_files)


def _copied(photo: Photo, out: Path, store: FileStore) -> str:
    suffix = PurePosixPath(photo.source).suffix.lower()
    path = f"photos/{photo.sha256}{suffix if suffix in SUFFIXES else ''}"
    (out / "photos").mkdir(exist_ok=True)
    store.fetch(photo.sha256, out / path)
    return path


def _cells(subject: Subject, attributes: list[str]) -> list[object]:
    told = [subject.attributes.get(name, "") for name in attributes]
    return [subject.external_id, subject.sex or "", subject.birth_year or "", *told]


def _rejected_lines(engine: Engine, gallery: Gallery) -> Iterator[str]:
    after = None
    is_first = True
    while True:
        with session_scope(engine, read_only=True) as session:
            page = list_jobs(session, gallery_id=gallery.id, after=after)
            for job in page.rows:
                lines = rejected_csv(session, job.id)
                header = next(lines)
                if is_first:
                    yield header
                is_first = False
                yield from lines
        after = page.next_after
        if after is None:
            return


def _write_rejected(path: Path, lines: Iterator[str]) -> None:
    with atomic_write(path, "w") as file:
        file.writelines(lines)
