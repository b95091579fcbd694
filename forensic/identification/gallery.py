"""A folder of photos as a gallery that can be searched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from forensic.errors import EmptyGallery
from forensic.gallery.index import GalleryIndex
from forensic.identification.enrol import Enrolment, FaceEnroller, Photo
from forensic.images.io import list_images


def photos_of_folder(folder: Path, *, subject_from: str = "file") -> list[Photo]:
    """Return every photo below a folder, with its identifiers.

    The photo's identifier is its path below the folder, with `/` between parts.

    Args:
        folder: Folder of photos, nested or not.
        subject_from: `file` takes every photo for another person, named after the photo without
            its suffix; `folder` takes the photos of one folder for one person.

    Raises:
        DataFolderError: The folder is missing, unreadable, or holds no image.
        ValueError: `subject_from` is neither.
    """
    if subject_from not in ("file", "folder"):
        raise ValueError(f"subject_from is {subject_from!r}, expected 'file' or 'folder'.")
    photos = []
    for path in list_images(folder):
        relative = path.relative_to(folder)
        subject = relative.with_suffix("") if subject_from == "file" else relative.parent
        photos.append(Photo(path, relative.as_posix(), subject.as_posix()))
    return photos


def build_gallery(
    photos: list[Photo],
    *,
    enroller: FaceEnroller,
    device: str = "cpu",
    on_photos: Callable[[int], None] | None = None,
) -> tuple[GalleryIndex, Enrolment]:
    """Return an index of all photos that show one usable face, and what became of each photo.

    Args:
        photos: What to enrol.
        enroller: Turns photos into vectors.
        device: Where the index is searched.
        on_photos: Told the number of photos done since it was last called.

    Raises:
        EmptyGallery: No photo gave a vector; the message tells the first reason.
    """
    enrolment = enroller.enrol(photos, on_photos=on_photos)
    if not enrolment.photos:
        first = enrolment.rejected[0].reason if enrolment.rejected else "there are no photos"
        raise EmptyGallery(f"None of {len(photos)} photos could be enrolled: {first}")
    index = GalleryIndex.build(
        enrolment.vectors,
        photo_ids=[photo.photo_id for photo in enrolment.photos],
        subject_ids=[photo.subject_id for photo in enrolment.photos],
        embedder_name=enroller.embedder.name,
        weights_sha256=enroller.embedder.weights_sha256,
        device=device,
    )
    return index, enrolment
