"""An import takes every item to its end, once, whatever is in its way."""

from __future__ import annotations

import threading
import uuid
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from db.errors import Unavailable
from db.models import Embedding, Gallery, JobState, Photo
from db.queries import job_items, jobs
from db.queries.audit import list_events
from db.queries.rows import get_row
from db.queries.subjects import expunge_subject, find_subject
from db.session import session_scope
from forensic.cases.intake import ImportSource
from forensic.errors import IndexMismatch, JobError, StorageError
from forensic.files import sha256_of_bytes
from forensic.jobs.galleries import imports
from forensic.jobs.galleries.pace import Progress
from forensic.storage import FileStore
from tests.support.imports import (
    HashEmbedder,
    contents_of,
    import_folder,
    items_of,
    make_gallery,
    published_photos,
    queue_import,
    run,
    word_intake,
    write_files,
)

FILES = {
    "ann/1.png": "face ann 1",
    "ann/2.png": "face ann 2",
    "ann/copy.png": "face ann 1",
    "bob/1.png": "no_face bob",
    "bob/2.png": "several_faces bob",
    "bob/3.png": "face bob 3",
    "bob/4.png": "",
    "loose.png": "face of nobody",
}


def test_every_item_ends_indexed_duplicate_or_rejected_with_a_reason(
    engine: Engine, tmp_path: Path
) -> None:
    gallery_id = make_gallery(engine)
    folder = write_files(tmp_path / "in", FILES)
    told: list[Progress] = []
    job = import_folder(engine, gallery_id, folder, tmp_path, on_progress=told.append)
    assert items_of(engine, job.id) == [
        ("ann/1.png", "indexed", None),
        ("ann/2.png", "indexed", None),
        ("ann/copy.png", "duplicate", None),
        ("bob/1.png", "rejected", "no_face"),
        ("bob/2.png", "rejected", "several_faces"),
        ("bob/3.png", "indexed", None),
        ("bob/4.png", "rejected", "empty"),
        ("loose.png", "rejected", "no_subject"),
    ]
    assert job.state is JobState.SUCCEEDED
    assert (job.total, job.done) == (8, 8)
    assert job.counts == {"indexed": 3, "duplicate": 1, "rejected": 4}
    assert [p.phase for p in told] == ["listing", "importing", "publishing"]
    assert job.progress["listed"] is True
    assert job.progress["remaining_s"] == 0 or job.progress["items_per_s"] is None
    assert published_photos(engine, gallery_id, tmp_path) == 3
    with session_scope(engine, read_only=True) as session:
        assert list_events(session).rows[0].tag == "galleries:import:end"


def test_photos_are_kept_under_their_content(engine: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(engine, keep_crops=True)
    import_folder(engine, gallery_id, write_files(tmp_path / "in", FILES), tmp_path)
    store = FileStore(str(tmp_path / "files"))
    with session_scope(engine, read_only=True) as session:
        photos = session.scalars(select(Photo)).all()
    assert len(photos) == 3
    for photo in photos:
        assert store.read(photo.sha256) == FILES[photo.source].encode()
        assert photo.crop_sha256 is not None
        assert store.read(photo.crop_sha256).startswith(b"\x89PNG")
    kept = [p for p in (tmp_path / "files").rglob("*") if p.is_file()]
    assert len(kept) == 6  # nothing of the rejected


def test_photos_by_reference_are_not_copied(engine: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(engine, originals="reference")
    import_folder(engine, gallery_id, write_files(tmp_path / "in", FILES), tmp_path)
    assert len(contents_of(engine, gallery_id)) == 3
    assert not [p for p in (tmp_path / "files").rglob("*") if p.is_file()]


def test_importing_again_adds_nothing_and_examines_nothing(engine: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(engine)
    folder = write_files(tmp_path / "in", {"ann/1.png": "face 1", "bob/1.png": "face 2"})
    import_folder(engine, gallery_id, folder, tmp_path)
    before = contents_of(engine, gallery_id)
    intake = word_intake()
    intake._embedder = None  # type: ignore[assignment] - must not be asked
    job = import_folder(engine, gallery_id, folder, tmp_path, intake=intake)
    assert job.counts == {"duplicate": 2}
    assert contents_of(engine, gallery_id) == before


def test_zip_of_the_store_and_manifest_give_the_same_gallery(
    engine: Engine, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "in", {"ann/1.png": "face 1", "bob/1.png": "face 2"})
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("ann/1.png", "bob/1.png"):
            archive.write(folder / name, name)
    rows = ["path,subject_id,sex,tattoo", "ann/1.png,ann,F,rose", "bob/1.png,bob,,"]
    (folder / "list.csv").write_text("\n".join(rows))
    sha256 = FileStore(str(tmp_path / "files")).put((tmp_path / "a.zip").read_bytes())
    zipped = ImportSource(kind="zip", sha256=sha256, subject_from="folder")
    listed = ImportSource(kind="manifest", path=folder / "list.csv")
    contents = []
    for name, source in (("zip", zipped), ("manifest", listed)):
        gallery_id = make_gallery(engine, name)
        run(engine, queue_import(engine, gallery_id, source), tmp_path)
        contents.append(contents_of(engine, gallery_id))
    assert contents[0] == contents[1]
    assert len(contents[0]) == 2
    with session_scope(engine, read_only=True) as session:
        ann = find_subject(session, gallery_id, "ann")
    assert ann is not None
    assert (ann.sex, ann.attributes) == ("F", {"tattoo": "rose"})


def test_the_expunged_do_not_come_back(engine: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(engine)
    folder = write_files(tmp_path / "in", {"ann/1.png": "face 1", "bob/1.png": "face 2"})
    import_folder(engine, gallery_id, folder, tmp_path)
    with session_scope(engine) as session:
        ann = find_subject(session, gallery_id, "ann")
        assert ann is not None
        expunge_subject(session, ann.id)
    write_files(folder, {"ann/new.png": "face 3", "other/1.png": "face 1"})
    job = import_folder(engine, gallery_id, folder, tmp_path)
    assert items_of(engine, job.id) == [
        ("ann/1.png", "rejected", "expunged"),
        ("ann/new.png", "rejected", "expunged"),
        ("bob/1.png", "duplicate", None),
        ("other/1.png", "rejected", "expunged"),
    ]
    assert published_photos(engine, gallery_id, tmp_path) == 1


class ExpungingStore(FileStore):
    """Expunges a person at the worst moment: after the look-up, before the records are written."""

    def __init__(self, url: str, engine: Engine, gallery_id: uuid.UUID) -> None:
        super().__init__(url)
        self._engine, self._gallery_id = engine, gallery_id

    def put(self, data: bytes) -> str:
        with session_scope(self._engine) as session:
            ann = find_subject(session, self._gallery_id, "ann")
            if ann is not None and ann.expunged_at is None:
                expunge_subject(session, ann.id)
        return super().put(data)


def test_an_expunging_during_the_import_leaves_no_file(engine: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(engine)
    import_folder(
        engine, gallery_id, write_files(tmp_path / "a", {"ann/1.png": "face 1"}), tmp_path
    )
    store = ExpungingStore(str(tmp_path / "files"), engine, gallery_id)
    folder = write_files(tmp_path / "b", {"ann/2.png": "face 2", "bob/1.png": "face 3"})
    job = import_folder(engine, gallery_id, folder, tmp_path, store=store)
    assert items_of(engine, job.id) == [
        ("ann/2.png", "rejected", "expunged"),
        ("bob/1.png", "indexed", None),
    ]
    assert not store.exists(sha256_of_bytes(b"face 2"))
    assert store.exists(sha256_of_bytes(b"face 3"))


class FullDisk(FileStore):
    """Has room for some files only."""

    def __init__(self, url: str, room: int) -> None:
        super().__init__(url)
        self.room = room

    def put(self, data: bytes) -> str:
        if self.room <= 0:
            raise StorageError("The file store cannot be written: No space left on device.")
        self.room -= 1
        return super().put(data)


def test_a_full_disk_stops_it_and_it_goes_on_later(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH_SIZE", 4)
    gallery_id = make_gallery(engine)
    files = {f"p{i:02}/1.png": f"face {i}" for i in range(20)}
    folder = write_files(tmp_path / "in", files)
    source = ImportSource(kind="folder", path=folder, subject_from="folder")
    job_id = queue_import(engine, gallery_id, source)
    store = FullDisk(str(tmp_path / "files"), room=10)
    with pytest.raises(StorageError, match="No space"):
        run(engine, job_id, tmp_path, store=store)
    assert len(contents_of(engine, gallery_id)) == 8  # whole batches
    store.room = 100
    job = run(engine, job_id, tmp_path, store=store)
    assert job.counts == {"indexed": 20}
    assert published_photos(engine, gallery_id, tmp_path) == 20


def test_a_lost_connection_is_waited_for(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third transaction fails, some of them after their commit was done."""
    from forensic.jobs.galleries import hold

    calls = iter(range(10**6))
    whole = hold.session_scope

    class Faulty:
        def __init__(self, *args: object, **options: object) -> None:
            self._number, self._inner = next(calls), whole(*args, **options)  # type: ignore[arg-type]

        def __enter__(self) -> object:
            if self._number % 6 == 0:
                raise Unavailable("The database cannot be used now: connection refused.")
            return self._inner.__enter__()

        def __exit__(self, *error: object) -> object:
            answer = self._inner.__exit__(*error)  # type: ignore[arg-type]
            if self._number % 6 == 3 and error[0] is None:
                raise Unavailable("The database cannot be used now: connection lost.")
            return answer

    monkeypatch.setattr(hold, "session_scope", Faulty)
    monkeypatch.setattr(hold, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(imports, "BATCH_SIZE", 3)
    gallery_id = make_gallery(engine)
    files = {f"p{i:02}/1.png": f"face {i}" for i in range(20)} | {"p03/2.png": "no_face"}
    job = import_folder(engine, gallery_id, write_files(tmp_path / "in", files), tmp_path)
    assert (job.total, job.done) == (21, 21)
    assert job.counts == {"indexed": 20, "rejected": 1}
    assert len(contents_of(engine, gallery_id)) == 20
    assert next(calls) > 20


def test_a_database_that_stays_away_ends_the_attempt_not_the_job(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forensic.jobs.galleries import hold

    gallery_id = make_gallery(engine)
    folder = write_files(tmp_path / "in", {"ann/1.png": "face 1"})
    job_id = queue_import(
        engine, gallery_id, ImportSource(kind="folder", path=folder, subject_from="folder")
    )

    def away(*args: object, **options: object) -> object:
        raise Unavailable("The database cannot be used now.")

    with monkeypatch.context() as patch:
        patch.setattr(hold, "session_scope", away)
        patch.setattr(hold, "PATIENCE_S", 0.0)
        with pytest.raises(Unavailable):
            run(engine, job_id, tmp_path)
    assert run(engine, job_id, tmp_path).counts == {"indexed": 1}


def test_two_imports_into_one_gallery_at_once_are_safe(engine: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(engine)
    files = {f"p{i:03}/1.png": f"face {i}" for i in range(150)}
    folder = write_files(tmp_path / "in", files)
    source = ImportSource(kind="folder", path=folder, subject_from="folder")
    job_ids = [queue_import(engine, gallery_id, source) for _ in range(2)]
    ended = []

    def work(job_id: uuid.UUID) -> None:
        ended.append(run(engine, job_id, tmp_path, worker=str(job_id)))

    threads = [threading.Thread(target=work, args=(job_id,)) for job_id in job_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert sum(job.counts.get("indexed", 0) for job in ended) == 150
    assert sum(job.counts.get("duplicate", 0) for job in ended) == 150
    assert len(contents_of(engine, gallery_id)) == 150
    assert published_photos(engine, gallery_id, tmp_path) == 150


def test_a_cancelled_import_stops_and_keeps_what_it_did(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH_SIZE", 5)
    gallery_id = make_gallery(engine)
    files = {f"p{i:02}/1.png": f"face {i}" for i in range(40)}
    folder = write_files(tmp_path / "in", files)
    source = ImportSource(kind="folder", path=folder, subject_from="folder")
    job_id = queue_import(engine, gallery_id, source)

    def cancel(progress: Progress) -> None:
        if progress.phase == "importing":
            with session_scope(engine) as session:
                if get_row(session, type(job), job_id).state is JobState.RUNNING:
                    jobs.cancel_job(session, job_id)

    with session_scope(engine) as session:
        job = jobs.list_jobs(session).rows[0]
    ended = run(engine, job_id, tmp_path, on_progress=cancel)
    assert ended.state is JobState.CANCELLED
    assert 5 <= ended.done < 40
    assert published_photos(engine, gallery_id, tmp_path) == ended.done


def test_a_worker_that_lost_the_job_does_no_harm(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH_SIZE", 5)
    gallery_id = make_gallery(engine)
    files = {f"p{i:02}/1.png": f"face {i}" for i in range(20)}
    folder = write_files(tmp_path / "in", files)
    source = ImportSource(kind="folder", path=folder, subject_from="folder")
    job_id = queue_import(engine, gallery_id, source)

    def lose(progress: Progress) -> None:
        if progress.phase == "importing" and progress.done == 5:
            with session_scope(engine) as session:
                jobs.release_job(session, job_id, "slow")
                jobs.claim_job(session, job_id, "quick", lease=imports.timedelta(seconds=60))

    with pytest.raises(JobError, match="not held by slow"):
        run(engine, job_id, tmp_path, worker="slow", on_progress=lose)
    assert run(engine, job_id, tmp_path, worker="quick").counts == {"indexed": 20}


def test_a_source_that_changed_in_mid_listing_is_told(engine: Engine, tmp_path: Path) -> None:
    from db.queries.job_items import NewItem

    gallery_id = make_gallery(engine)
    folder = write_files(tmp_path / "in", {"ann/1.png": "face 1", "bob/1.png": "face 2"})
    source = ImportSource(kind="folder", path=folder, subject_from="folder")
    job_id = queue_import(engine, gallery_id, source)
    with session_scope(engine) as session:
        jobs.claim_job(session, job_id, "w", lease=imports.timedelta(seconds=60))
        job_items.add_items(session, job_id, "w", [NewItem("abe/1.png", "abe", {})])
    with pytest.raises(JobError, match=r"item 1 was 'abe/1\.png'"):
        run(engine, job_id, tmp_path)


def test_a_gallery_of_another_embedder_is_refused(engine: Engine, tmp_path: Path) -> None:
    gallery_id = make_gallery(engine)
    with session_scope(engine) as session:
        session.get_one(Gallery, gallery_id).weights_sha256 = "b" * 64
    folder = write_files(tmp_path / "in", {"ann/1.png": "face 1"})
    with pytest.raises(IndexMismatch, match=f"embedder {HashEmbedder.name}"):
        import_folder(engine, gallery_id, folder, tmp_path)
    with session_scope(engine, read_only=True) as session:
        assert session.scalars(select(func.count()).select_from(Embedding)).one() == 0


def test_a_long_import_is_searchable_on_the_way(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH_SIZE", 5)
    gallery_id = make_gallery(engine)
    files = {f"p{i:02}/1.png": f"face {i}" for i in range(20)}
    folder = write_files(tmp_path / "in", files)
    seen: list[int] = []

    def look(progress: Progress) -> None:
        if progress.phase == "importing" and progress.done == 15:
            seen.append(published_photos(engine, gallery_id, tmp_path))

    import_folder(engine, gallery_id, folder, tmp_path, on_progress=look, publish_every_s=0.0)
    assert seen == [10]
