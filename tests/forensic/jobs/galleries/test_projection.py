"""Publishing: whole or not at all, from what changed, by one at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from db.errors import NotFound
from db.models import GenerationState
from db.queries import indexes
from db.queries.photos import remove_photos
from db.queries.subjects import expunge_subject, find_subject
from db.session import session_scope
from forensic.errors import CorruptRecords
from forensic.gallery.generation import open_generation
from forensic.jobs.galleries import projection
from forensic.jobs.galleries.projection import generation_folder, publish
from forensic.jobs.galleries.searching import GallerySearcher
from tests.support.factories import unknown_id
from tests.support.galleries import unit_rows
from tests.support.indexed import (
    DIMENSION,
    WEIGHTS,
    add,
    expected,
    filled,
    listed,
    new_gallery,
    replace_vector,
)

PROBES = unit_rows("random", 3, DIMENSION, 99)


def generations(engine, gallery_id):
    with session_scope(engine, read_only=True) as session:
        return list(indexes.list_generations(session, gallery_id).rows)


def opened(engine, folder, gallery_id):
    with session_scope(engine, read_only=True) as session:
        active = indexes.find_active_generation(session, gallery_id)
    return open_generation(
        generation_folder(folder, active), manifest_sha256=active.manifest_sha256
    )


def found_by(engine, folder, gallery_id, k=5):
    searcher = GallerySearcher(engine, folder)
    return listed(searcher.search(gallery_id, PROBES, k, weights_sha256=WEIGHTS))


def test_only_what_changed_is_read_from_the_records(engine, tmp_path, monkeypatch):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 12)
    first = publish(engine, tmp_path, gallery_id)
    assert (first.number, first.photo_count, first.reused) == (1, 12, 0)
    assert publish(engine, tmp_path, gallery_id).reused is None
    held |= filled(engine, gallery_id, 4, seed=1)
    gone = list(held)[:2]
    with session_scope(engine) as session:
        remove_photos(session, gallery_id, gone)
    for number in gone:
        del held[number]
    second = publish(engine, tmp_path, gallery_id)
    assert (second.number, second.photo_count, second.reused) == (2, 14, 10)
    rebuilt = publish(engine, tmp_path, gallery_id, rebuild=True)
    assert (rebuilt.number, rebuilt.photo_count, rebuilt.reused) == (3, 14, 0)
    index = opened(engine, tmp_path, gallery_id)
    assert index.photo_ids.tolist() == sorted(held)
    np.testing.assert_array_equal(index.vectors, np.stack([held[n][1] for n in sorted(held)]))


def test_vectors_of_the_expunged_leave_the_disk(engine, tmp_path):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 12)
    publish(engine, tmp_path / "indexes", gallery_id)
    vectors = [vector.tobytes() for subject, vector in held.values() if subject == "s1"]
    assert any(vectors[0] in path.read_bytes() for path in tmp_path.rglob("*.npy"))
    with session_scope(engine) as session:
        expunge_subject(session, find_subject(session, gallery_id, "s1").id)
    publish(engine, tmp_path / "indexes", gallery_id)
    kept = b"".join(
        path.read_bytes() for path in (tmp_path / "indexes").rglob("*") if path.is_file()
    )
    assert not any(vector in kept for vector in vectors)


def test_damaged_files_are_not_taken_over(engine, tmp_path):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 6)
    publish(engine, tmp_path, gallery_id)
    vectors = next(tmp_path.rglob("vectors.npy"))
    vectors.write_bytes(vectors.read_bytes()[:-1] + b"\x01")
    held |= filled(engine, gallery_id, 2, seed=1)
    published = publish(engine, tmp_path, gallery_id)
    assert (published.photo_count, published.reused) == (8, 0)
    assert found_by(engine, tmp_path, gallery_id) == [expected(p, held, 5) for p in PROBES]


def test_a_failure_leaves_the_former_generation(engine, tmp_path, monkeypatch):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 6)
    publish(engine, tmp_path, gallery_id)
    wanted = [expected(p, held, 5) for p in PROBES]
    filled(engine, gallery_id, 6, seed=1)

    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(projection, "write_generation", full)
        with pytest.raises(OSError, match="No space"):
            publish(engine, tmp_path, gallery_id)
    assert found_by(engine, tmp_path, gallery_id) == wanted
    assert [g.state for g in generations(engine, gallery_id)] == [
        GenerationState.FAILED,
        GenerationState.ACTIVE,
    ]
    assert publish(engine, tmp_path, gallery_id).photo_count == 12


@pytest.mark.parametrize("vector", [[np.nan] * DIMENSION, [1] * DIMENSION, [0] * 8, [1.0, 0, 0]])
def test_a_vector_that_cannot_be_is_refused_by_name(engine, tmp_path, vector):
    gallery_id = new_gallery(engine)
    damaged = list(filled(engine, gallery_id, 6))[3]
    replace_vector(engine, damaged, vector)
    with pytest.raises(CorruptRecords, match=f"photo {damaged} .*verify test --fix"):
        publish(engine, tmp_path, gallery_id)


def test_unknown_galleries_leave_no_folder(engine, tmp_path):
    with pytest.raises(NotFound):
        publish(engine, tmp_path / "indexes", unknown_id())
    assert not (tmp_path / "indexes").exists()


def test_publishers_take_turns(engine, tmp_path):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 40)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: publish(engine, tmp_path, gallery_id), range(4)))
    assert [g.number for g in generations(engine, gallery_id)] == [1]
    assert sorted(p.reused is None for p in done) == [False, True, True, True]
    assert found_by(engine, tmp_path, gallery_id) == [expected(p, held, 5) for p in PROBES]


PUBLISH_FOREVER = """
import sys, uuid
from pathlib import Path
from db.session import open_engine
from forensic.jobs.galleries.projection import publish
engine = open_engine(sys.argv[1])
print("ready", flush=True)
while True:
    publish(engine, Path(sys.argv[2]), uuid.UUID(sys.argv[3]), rebuild=True)
"""


def test_a_publisher_killed_at_any_moment_harms_nothing(engine, url, backend, tmp_path):
    gallery_id = new_gallery(engine)
    held = filled(engine, gallery_id, 300)
    publish(engine, tmp_path, gallery_id)
    wanted = [expected(p, held, 5) for p in PROBES]
    draw = np.random.default_rng(3)
    for _ in range(3 if backend == "sqlite" else 1):
        publisher = subprocess.Popen(
            [sys.executable, "-c", PUBLISH_FOREVER, url, str(tmp_path), str(gallery_id)],
            stdout=subprocess.PIPE,
        )
        assert publisher.stdout.readline() == b"ready\n"
        time.sleep(draw.uniform(0, 0.3))
        os.kill(publisher.pid, signal.SIGKILL)
        publisher.communicate()
        assert found_by(engine, tmp_path, gallery_id) == wanted
    publish(engine, tmp_path, gallery_id, rebuild=True)
    assert found_by(engine, tmp_path, gallery_id) == wanted
    states = [g.state for g in generations(engine, gallery_id)]
    assert states.count(GenerationState.ACTIVE) == 1
    assert GenerationState.BUILDING not in states
    folders = [path.name for path in (tmp_path / str(gallery_id)).iterdir() if path.is_dir()]
    assert len(folders) == 1


def test_readers_see_one_whole_generation_while_others_change_the_gallery(engine, tmp_path):
    """Photos come and go in pairs of one revision; no reader ever sees half a pair."""
    gallery_id = new_gallery(engine)
    filled(engine, gallery_id, 20, persons=20)
    publish(engine, tmp_path, gallery_id)
    stop, failures = threading.Event(), []

    def read():
        searcher = GallerySearcher(engine, tmp_path)
        while not stop.is_set():
            try:
                found = searcher.search(gallery_id, PROBES, 2048, weights_sha256=WEIGHTS)
                for hits in found.lists:
                    pairs = [h.external_id for h in hits if h.external_id.startswith("pair")]
                    if len(pairs) % 2 or len(hits) != 20 + len(pairs):
                        failures.append(pairs)
            except Exception as error:
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for i in range(4):
        vectors = unit_rows("random", 2, DIMENSION, 1000 + i)
        made = add(engine, gallery_id, vectors, [f"pair{i}a", f"pair{i}b"])
        publish(engine, tmp_path, gallery_id)
        if i % 2:
            with session_scope(engine) as session:
                remove_photos(session, gallery_id, list(made))
            publish(engine, tmp_path, gallery_id)
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
