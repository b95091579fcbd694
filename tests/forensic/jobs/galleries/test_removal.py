"""Whoever is taken out is gone: from records, files, index and database log."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from db.errors import NotFound
from db.queries.audit import list_events
from db.queries.audit import verify as verify_audit
from db.session import session_scope
from forensic.cases.actor import command_actor
from forensic.errors import StorageError
from forensic.files import sha256_of_bytes
from forensic.jobs.galleries.removal import expunge, remove_subject
from forensic.jobs.galleries.searching import GallerySearcher
from forensic.storage import FileStore
from tests.support.imports import (
    DIMENSION,
    HashEmbedder,
    contents_of,
    import_folder,
    items_of,
    make_gallery,
    published_photos,
    write_files,
)

FILES = {f"p{i}/{take}.png": f"face {i} {take}" for i in range(6) for take in range(2)}
PROBE = np.eye(1, DIMENSION, dtype=np.float32)


@pytest.fixture
def gallery_id(engine: Engine, tmp_path: Path) -> uuid.UUID:
    gallery_id = make_gallery(engine, keep_crops=True)
    import_folder(engine, gallery_id, write_files(tmp_path / "in", FILES), tmp_path)
    return gallery_id


def found(engine: Engine, gallery_id: uuid.UUID, base: Path) -> set[int]:
    hits = GallerySearcher(engine, base / "galleries").search(
        gallery_id,
        PROBE,
        100,
        weights_sha256=HashEmbedder.weights_sha256,
        group_by_subject=False,
    )
    return {hit.photo_id for hit in hits.lists[0]}


def options(base: Path) -> dict[str, object]:
    return {
        "store": FileStore(str(base / "files")),
        "folder": base / "galleries",
        "actor": command_actor(),
    }


def test_the_expunged_leave_nothing_but_a_tombstone_and_a_proof(
    engine: Engine, gallery_id: uuid.UUID, tmp_path: Path
) -> None:
    before = len([p for p in (tmp_path / "files").rglob("*") if p.is_file()])
    removal = expunge(engine, gallery_id, "p3", **options(tmp_path))  # type: ignore[arg-type]
    assert len(removal.photo_ids) == 2
    assert len(removal.deleted_files) == 4  # two photos, two crops
    store = FileStore(str(tmp_path / "files"))
    assert not any(store.exists(sha256) for sha256 in removal.deleted_files)
    assert len([p for p in (tmp_path / "files").rglob("*") if p.is_file()]) == before - 4
    assert published_photos(engine, gallery_id, tmp_path) == 10
    assert found(engine, gallery_id, tmp_path).isdisjoint(removal.photo_ids)
    with session_scope(engine, read_only=True) as session:
        proof, first = list_events(session, tag="galleries:subject:expunge").rows
        assert verify_audit(session).is_sound
    assert '"step":"records"' in first.payload
    assert '"step":"proof"' in proof.payload
    for told in ('"embeddings_left":0', '"files_left":[]', sha256_of_bytes(b"p3")):
        assert told in proof.payload
    assert '"p3"' not in proof.payload


def test_the_expunged_are_not_found_even_in_an_older_generation(
    engine: Engine, gallery_id: uuid.UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies before a generation without them is published."""
    from forensic.jobs.galleries import removal as module

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    everyone = found(engine, gallery_id, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(module, "publish", die)
        with pytest.raises(KeyboardInterrupt):
            expunge(engine, gallery_id, "p3", **options(tmp_path))  # type: ignore[arg-type]
    assert published_photos(engine, gallery_id, tmp_path) == 12  # the older one is still there
    assert len(everyone - found(engine, gallery_id, tmp_path)) == 2


def test_an_expunging_that_was_cut_off_is_finished(
    engine: Engine, gallery_id: uuid.UUID, tmp_path: Path
) -> None:
    class Broken(FileStore):
        def delete(self, sha256: str) -> bool:
            raise StorageError("The file store cannot be written.")

    broken = {**options(tmp_path), "store": Broken(str(tmp_path / "files"))}
    with pytest.raises(StorageError):
        expunge(engine, gallery_id, "p3", **broken)  # type: ignore[arg-type]
    removal = expunge(engine, gallery_id, "p3", **options(tmp_path))  # type: ignore[arg-type]
    assert len(removal.deleted_files) == 4
    assert published_photos(engine, gallery_id, tmp_path) == 10


def test_the_removed_may_be_imported_again(
    engine: Engine, gallery_id: uuid.UUID, tmp_path: Path
) -> None:
    before = contents_of(engine, gallery_id)
    removal = remove_subject(engine, gallery_id, "p3", **options(tmp_path))  # type: ignore[arg-type]
    assert len(removal.photo_ids) == 2
    assert published_photos(engine, gallery_id, tmp_path) == 10
    assert found(engine, gallery_id, tmp_path).isdisjoint(removal.photo_ids)
    store = FileStore(str(tmp_path / "files"))
    assert not any(store.exists(sha256) for sha256 in removal.deleted_files)
    job = import_folder(engine, gallery_id, tmp_path / "in", tmp_path)
    assert job.counts == {"indexed": 2, "duplicate": 10}
    assert [name for name, state, _ in items_of(engine, job.id) if state == "indexed"] == [
        "p3/0.png",
        "p3/1.png",
    ]
    assert all(store.exists(sha256) for sha256 in before)


def test_a_file_of_another_gallery_stays(
    engine: Engine, gallery_id: uuid.UUID, tmp_path: Path
) -> None:
    other = make_gallery(engine, "other", keep_crops=True)
    folder = write_files(tmp_path / "two", {"x/0.png": FILES["p3/0.png"]})
    import_folder(engine, other, folder, tmp_path)
    removal = expunge(engine, gallery_id, "p3", **options(tmp_path))  # type: ignore[arg-type]
    store = FileStore(str(tmp_path / "files"))
    assert store.exists(sha256_of_bytes(FILES["p3/0.png"].encode()))
    assert len(removal.deleted_files) == 2


def test_unknown_and_expunged_people_are_told(
    engine: Engine, gallery_id: uuid.UUID, tmp_path: Path
) -> None:
    for act in (expunge, remove_subject):
        with pytest.raises(NotFound, match="nobody"):
            act(engine, gallery_id, "nobody", **options(tmp_path))  # type: ignore[arg-type]
    expunge(engine, gallery_id, "p3", **options(tmp_path))  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="p3"):
        remove_subject(engine, gallery_id, "p3", **options(tmp_path))  # type: ignore[arg-type]
