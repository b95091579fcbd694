"""A gallery in a folder that many processes search while others change it.

Each change publishes a whole new generation (see `store`); a reader takes up the newest one at
its next search, and searches exactly one. Persons who were expunged are listed beside the
generations, by SHA-256 of their identifier. The list only grows and outlives every generation:
whoever is on it is in no result, not even from an older generation that was put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forensic.errors import CorruptIndex
from forensic.files import read_json, sha256_of_bytes, write_json
from forensic.gallery.index import GalleryIndex
from forensic.gallery.store import MANIFEST, locked
from forensic.values import Candidate, Vectors

EXPUNGED = ".expunged.json"

_WRITER = ".writer"

_Stamp = tuple[tuple[int, int, int], ...]


class PublishedGallery:
    """One process's view of a published gallery; always of its newest generation.

    Args:
        folder: Where generations are published.
        expect_embedder: Name of the embedder in use, or None to take any.
        expect_weights_sha256: SHA-256 of its weights, or None to take any.
        device: Where to search: `cpu`, `cuda` or `cuda:N`.
    """

    def __init__(
        self,
        folder: Path | str,
        *,
        expect_embedder: str | None = None,
        expect_weights_sha256: str | None = None,
        device: str = "cpu",
    ) -> None:
        self.folder = Path(folder)
        self._expected = (expect_embedder, expect_weights_sha256)
        self._device = device
        self._seen: tuple[_Stamp, GalleryIndex, NDArray[np.bool_] | None] | None = None

    def publish(self, index: GalleryIndex) -> None:
        """Make `index` the newest generation; whoever is expunged stays so.

        Raises:
            DataFolderError: The folder holds other files and no gallery, or is no folder.
            OSError: The disk is full or cannot be written; the old generation then stays.
        """
        index.save(self.folder)

    @contextmanager
    def changing(self) -> Iterator[GalleryIndex]:
        """Yield the newest generation for changes, and publish it when the block ends well.

        One process at a time; others wait, so that no change is lost.

        Raises:
            DataFolderError: Nothing has been published yet.
            CorruptIndex: The newest generation is damaged.
            IndexMismatch: It was made by another embedder or a newer format.
        """
        with locked(self.folder, _WRITER):
            index = self._load()
            yield index
            self.publish(index)

    def expunge(self, subject_ids: Iterable[str]) -> None:
        """Keep persons out of every later result, in all processes, from now on.

        Their vectors leave the disk with the next `compact`.

        Raises:
            CorruptIndex: The list of the expunged is damaged.
            OSError: The disk is full or cannot be written.
        """
        with locked(self.folder, _WRITER):
            listed = self._expunged().union(_digest(s) for s in subject_ids)
            names = sorted(listed)
            write_json(self.folder / EXPUNGED, {"sha256": names, "seal": _digest("".join(names))})

    def compact(self) -> int:
        """Publish a generation without the rows of the expunged; return how many went.

        Raises:
            DataFolderError: Nothing has been published yet.
            CorruptIndex: The newest generation is damaged.
            IndexMismatch: It was made by another embedder or a newer format.
        """
        with self.changing() as index:
            listed = self._expunged()
            return index.remove_subjects(
                {s for s in set(index.subject_ids) if _digest(s) in listed}
            )

    def search(
        self,
        vectors: Vectors,
        k: int,
        *,
        group_by_subject: bool = True,
    ) -> list[list[Candidate]]:
        """Search the newest generation; arguments, result and errors as `GalleryIndex.search`.

        Raises:
            DataFolderError: Nothing has been published yet.
            CorruptIndex: The newest generation, or the list of the expunged, is damaged.
            IndexMismatch: It was made by another embedder or a newer format.
        """
        index, allowed = self._newest()
        return index.search(vectors, k, group_by_subject=group_by_subject, allowed=allowed)

    def _newest(self) -> tuple[GalleryIndex, NDArray[np.bool_] | None]:
        stamp = self._stamp()
        if self._seen is None or self._seen[0] != stamp:
            same_rows = self._seen is not None and self._seen[0][0] == stamp[0]
            index = self._seen[1] if self._seen and same_rows else self._load()
            self._seen = (stamp, index, self._allowed(index))
        return self._seen[1:]

    def _load(self) -> GalleryIndex:
        embedder, weights = self._expected
        return GalleryIndex.load(
            self.folder,
            expect_embedder=embedder,
            expect_weights_sha256=weights,
            device=self._device,
        )

    def _allowed(self, index: GalleryIndex) -> NDArray[np.bool_] | None:
        listed = self._expunged()
        if not listed:
            return None
        return np.array([_digest(s) not in listed for s in index.subject_ids], dtype=bool)

    def _expunged(self) -> set[str]:
        path = self.folder / EXPUNGED
        if not path.exists():
            return set()
        try:
            record = read_json(path)
            names = list(map(str, record["sha256"]))
            whole = record["seal"] == _digest("".join(names))
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptIndex(f"{path} is no list of the expunged: {error}.") from error
        if not whole:
            raise CorruptIndex(f"{path} was changed after it was written; restore it.")
        return set(names)

    def _stamp(self) -> _Stamp:
        """Return what differs whenever a generation or the list was replaced."""
        stamps = []
        for name in (MANIFEST, EXPUNGED):
            try:
                found = (self.folder / name).stat()
                stamps.append((found.st_ino, found.st_mtime_ns, found.st_size))
            except FileNotFoundError:
                stamps.append((0, 0, 0))
        return tuple(stamps)


def _digest(text: str) -> str:
    return sha256_of_bytes(text.encode())
