"""Readers see one whole generation, and the expunged never again."""

from __future__ import annotations

import contextlib
import shutil
import threading

import pytest

from forensic.errors import CorruptIndex, DataFolderError, IndexMismatch
from forensic.gallery import generations
from forensic.gallery.generations import PublishedGallery
from forensic.gallery.index import GalleryIndex
from tests.support.galleries import unit_rows


def gallery(seed=0, rows=30):
    return GalleryIndex.build(
        unit_rows("random", rows, 8, seed),
        photo_ids=[f"{seed}-{i:03}" for i in range(rows)],
        subject_ids=[f"s{i // 2}" for i in range(rows)],
        embedder_name="fake",
        weights_sha256="00",
    )


PROBE = unit_rows("random", 1, 8, 99)


def subjects_of(published):
    return {c.subject_id for c in published.search(PROBE, 2048)[0]}


def test_a_reader_takes_up_what_another_published(tmp_path):
    reader, writer = PublishedGallery(tmp_path), PublishedGallery(tmp_path)
    with pytest.raises(DataFolderError):
        reader.search(PROBE, 1)
    for seed in (1, 2):
        writer.publish(gallery(seed))
        assert reader.search(PROBE, 5) == gallery(seed).search(PROBE, 5)
    with writer.changing() as index:
        index.add(PROBE, photo_ids=["new"], subject_ids=["new"])
    assert reader.search(PROBE, 1)[0][0].subject_id == "new"


def test_a_change_that_fails_is_not_published(tmp_path):
    published = PublishedGallery(tmp_path)
    published.publish(gallery(1))
    with contextlib.suppress(KeyError), published.changing() as index:
        index.remove_subjects(["s1"])
        raise KeyError
    assert "s1" in subjects_of(PublishedGallery(tmp_path))


def test_the_expunged_are_in_no_result_not_even_from_an_older_generation(tmp_path):
    reader, writer = PublishedGallery(tmp_path / "g"), PublishedGallery(tmp_path / "g")
    writer.publish(gallery(1))
    assert "s3" in subjects_of(reader)
    shutil.copytree(tmp_path / "g", tmp_path / "backup")
    writer.expunge(["s3"])
    writer.expunge(["s4"])
    assert not {"s3", "s4"} & subjects_of(reader)
    assert len(subjects_of(reader)) == 13
    assert writer.compact() == 4
    writer.publish(gallery(2))
    assert not {"s3", "s4"} & subjects_of(reader)
    shutil.copytree(tmp_path / "backup", tmp_path / "g", dirs_exist_ok=True)
    assert not {"s3", "s4"} & subjects_of(PublishedGallery(tmp_path / "g"))


def test_compacting_takes_the_vectors_from_the_disk(tmp_path):
    published, index = PublishedGallery(tmp_path), gallery(1)
    published.publish(index)
    vector = unit_rows("random", 30, 8, 1)[6].tobytes()
    assert any(vector in p.read_bytes() for p in tmp_path.rglob("*.npy"))
    published.expunge(["s3"])
    published.compact()
    assert not any(vector in p.read_bytes() for p in tmp_path.rglob("*.npy"))


def test_a_damaged_list_of_the_expunged_is_an_error_not_an_empty_list(tmp_path):
    published = PublishedGallery(tmp_path)
    published.publish(gallery(1))
    published.expunge(["s3"])
    path = tmp_path / generations.EXPUNGED
    text = path.read_text()
    for bad in (text.replace(text[20], "x"), "{}", ""):
        path.write_text(bad)
        with pytest.raises(CorruptIndex):
            PublishedGallery(tmp_path).search(PROBE, 1)


def test_a_generation_of_another_embedder_is_refused(tmp_path):
    PublishedGallery(tmp_path).publish(gallery(1))
    with pytest.raises(IndexMismatch):
        PublishedGallery(tmp_path, expect_embedder="other").search(PROBE, 1)


def test_readers_beside_a_busy_writer_see_whole_generations_only(tmp_path):
    wanted = {seed: gallery(seed).search(PROBE, 10) for seed in (1, 2)}
    PublishedGallery(tmp_path).publish(gallery(1))
    done, failures, seen = threading.Event(), [], set()

    def read():
        reader = PublishedGallery(tmp_path)
        while not done.is_set():
            try:
                found = reader.search(PROBE, 10)
                seen.add(next(seed for seed, lists in wanted.items() if lists == found))
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(40):
        PublishedGallery(tmp_path).publish(gallery(1 + i % 2))
    done.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert seen == {1, 2}


def test_changes_of_several_writers_are_all_kept(tmp_path):
    PublishedGallery(tmp_path).publish(gallery(1))

    def add(name):
        with PublishedGallery(tmp_path).changing() as index:
            index.add(unit_rows("random", 1, 8, name), photo_ids=[f"w{name}"], subject_ids=["w"])

    threads = [threading.Thread(target=add, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = set(GalleryIndex.load(tmp_path).photo_ids)
    assert {f"w{n}" for n in range(8)} <= kept
    assert len(kept) == 38
