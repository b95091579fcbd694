"""What a user of a gallery index relies on: the right list, and no damaged or foreign index."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest

from forensic.errors import (
    CorruptIndex,
    DataFolderError,
    DeviceError,
    DtypeError,
    EmptyGallery,
    IndexMismatch,
    InputError,
    RangeError,
    ShapeError,
)
from forensic.gallery import store
from forensic.gallery.index import GalleryIndex

MADE_BY = {"embedder_name": "fake", "weights_sha256": "ab" * 32}


def unit(rows, dimension, seed=0):
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def gallery(rows=40, dimension=16, *, per_subject=2, seed=0):
    return GalleryIndex.build(
        unit(rows, dimension, seed),
        photo_ids=[f"p{i:03}" for i in range(rows)],
        subject_ids=[f"s{i // per_subject:03}" for i in range(rows)],
        **MADE_BY,
    )


def listing(index, probes, k, **options):
    return [
        [(c.rank, c.subject_id, c.photo_id, c.similarity) for c in candidates]
        for candidates in index.search(probes, k, **options)
    ]


def test_a_photo_finds_itself_first_with_similarity_one():
    found = gallery().search(unit(40, 16), 3, group_by_subject=False)
    assert [c[0].photo_id for c in found] == [f"p{i:03}" for i in range(40)]
    assert found[7][0].subject_id == "s003"
    assert found[7][0].similarity == pytest.approx(1, abs=1e-6)
    assert all(-1 <= c.similarity <= 1 for row in found for c in row)
    assert [c.rank for c in found[0]] == [1, 2, 3]


def test_similarity_is_the_inner_product_known_by_hand():
    rows = np.array([[1, 0], [0.6, 0.8], [-1, 0]], dtype=np.float32)
    index = GalleryIndex.build(rows, photo_ids=["a", "b", "c"], subject_ids="xyz", **MADE_BY)
    (found,) = listing(index, np.array([[1, 0]], dtype=np.float32), 9)
    assert found == [(1, "x", "a", 1.0), (2, "y", "b", pytest.approx(0.6)), (3, "z", "c", -1.0)]


def test_equally_similar_photos_come_by_photo_identifier():
    rows = np.repeat(unit(1, 8), 200, axis=0)
    ids = [f"p{i}" for i in np.random.default_rng(1).permutation(200)]
    index = GalleryIndex.build(rows, photo_ids=ids, subject_ids=ids, **MADE_BY)
    (found,) = index.search(rows[:1], 5, group_by_subject=False)
    assert [c.photo_id for c in found] == sorted(ids)[:5]


def test_grouping_gives_each_person_once_with_the_best_photo_even_behind_a_crowd():
    rows = unit(600, 8, seed=3)
    subjects = ["crowd"] * 590 + [f"s{i}" for i in range(10)]
    rows[:590] = rows[0]
    photos = [f"p{i:03}" for i in range(600)]
    index = GalleryIndex.build(rows, photo_ids=photos, subject_ids=subjects, **MADE_BY)
    (found,) = index.search(rows[:1], 4)
    order = np.argsort(-(rows[590:] @ rows[0]), kind="stable")[:3]
    assert [c.subject_id for c in found] == ["crowd", *(f"s{i}" for i in order)]
    assert found[0].photo_id == "p000"


def test_a_filter_admits_only_its_rows():
    index = gallery()
    allowed = np.zeros(40, dtype=bool)
    allowed[[3, 30]] = True
    (found,) = index.search(unit(40, 16)[:1], 10, allowed=allowed)
    assert {c.photo_id for c in found} == {"p003", "p030"}
    assert index.search(unit(2, 16), 10, allowed=np.zeros(40, dtype=bool)) == [[], []]


def test_added_photos_are_found_and_removed_persons_never():
    index = gallery()
    new = unit(2, 16, seed=9)
    index.add(new, photo_ids=["q0", "q1"], subject_ids=["s000", "new"])
    assert [c[0].photo_id for c in index.search(new, 1)] == ["q0", "q1"]
    assert index.remove_subjects(["s000", "absent"]) == 3
    assert len(index) == 39
    assert all(c.subject_id != "s000" for c in index.search(new, 50)[0])


def test_a_refused_addition_leaves_the_index_as_it_was():
    index = gallery()
    before = listing(index, unit(3, 16, seed=5), 40)
    with pytest.raises(InputError, match="p001"):
        index.add(unit(2, 16), photo_ids=["fresh", "p001"], subject_ids=["a", "b"])
    with pytest.raises(ShapeError):
        index.add(unit(1, 15), photo_ids=["fresh"], subject_ids=["a"])
    assert listing(index, unit(3, 16, seed=5), 40) == before


def test_saved_and_loaded_it_gives_the_same_lists(tmp_path):
    index, probes = gallery(), unit(5, 16, seed=8)
    index.save(tmp_path / "index")
    loaded = GalleryIndex.load(
        tmp_path / "index", expect_embedder="fake", expect_weights_sha256="ab" * 32
    )
    assert listing(loaded, probes, 7) == listing(index, probes, 7)
    assert list(loaded.photo_ids) == list(index.photo_ids)
    loaded.add(probes, photo_ids="vwxyz", subject_ids="vwxyz")
    loaded.save(tmp_path / "index")
    again = GalleryIndex.load(tmp_path / "index")
    assert (len(again), again.n_subjects) == (45, 25)
    assert len(list((tmp_path / "index").glob("generation-*"))) == 1


@pytest.mark.parametrize(
    "expected", [{"expect_embedder": "facenet"}, {"expect_weights_sha256": "cd" * 32}]
)
def test_an_index_of_another_embedder_is_refused(tmp_path, expected):
    gallery().save(tmp_path)
    with pytest.raises(IndexMismatch, match="build the index again"):
        GalleryIndex.load(tmp_path, **expected)


def test_every_file_is_guarded_against_change_truncation_and_loss(tmp_path):
    gallery().save(tmp_path / "good")
    files = list((tmp_path / "good").rglob("*.npy"))
    assert len(files) >= 5
    for damage in ("change", "cut", "remove"):
        for file in files:
            bad = tmp_path / "bad"
            shutil.copytree(tmp_path / "good", bad)
            target = bad / file.relative_to(tmp_path / "good")
            content = bytearray(target.read_bytes())
            if damage == "change":
                content[-1] ^= 1
                target.write_bytes(content)
            elif damage == "cut":
                target.write_bytes(content[:-1])
            else:
                target.unlink()
            with pytest.raises(CorruptIndex, match=file.name):
                GalleryIndex.load(bad)
            shutil.rmtree(bad)


def test_a_changed_manifest_is_refused(tmp_path):
    gallery().save(tmp_path)
    path = tmp_path / store.MANIFEST
    good = path.read_text()
    for bad in (good.replace('"fake"', '"fame"'), good[: len(good) // 2], "[]", "{}"):
        path.write_text(bad)
        with pytest.raises(CorruptIndex):
            GalleryIndex.load(tmp_path)
    newer = json.loads(good) | {"format_version": store.FORMAT_VERSION + 1}
    path.write_text(json.dumps(newer))
    with pytest.raises(IndexMismatch, match="newer"):
        GalleryIndex.load(tmp_path)


def test_a_folder_without_an_index_is_named_and_other_files_are_left_alone(tmp_path):
    with pytest.raises(DataFolderError, match="forensic index"):
        GalleryIndex.load(tmp_path / "nowhere")
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(DataFolderError, match=r"holiday\.jpg"):
        gallery().save(tmp_path)
    with pytest.raises(DataFolderError, match="is a file"):
        gallery().save(tmp_path / "holiday.jpg")
    assert [p.name for p in tmp_path.iterdir()] == ["holiday.jpg"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_save_that_dies_at_any_step_leaves_the_old_index(tmp_path, monkeypatch, step):
    gallery(seed=1).save(tmp_path)
    real, calls = getattr(os, step), 0

    def dying(*arguments):
        nonlocal calls
        calls += 1
        if calls == dies_at:
            raise OSError(28, "No space left on device")
        return real(*arguments)

    probe = unit(1, 16)
    old, new = (listing(gallery(seed=seed), probe, 3) for seed in (1, 2))
    dies_at, survivors = 0, []
    while not survivors or calls >= dies_at:
        calls, dies_at = 0, dies_at + 1
        with monkeypatch.context() as patch:
            patch.setattr(os, step, dying)
            try:
                gallery(seed=2).save(tmp_path)
            except OSError:
                survivors.append(listing(GalleryIndex.load(tmp_path), probe, 3))
    assert survivors[0] == old
    assert all(survivor in (old, new) for survivor in survivors)
    assert listing(GalleryIndex.load(tmp_path), probe, 3) == new
    assert len(list(tmp_path.glob("generation-*"))) == 1


def test_what_is_no_row_of_unit_length_is_refused():
    rows = unit(3, 4)
    ids = {"photo_ids": "abc", "subject_ids": "abc"}
    for bad, error in (
        (rows * 2, RangeError),
        (np.where(np.eye(3, 4) > 0, np.nan, rows).astype(np.float32), RangeError),
        (rows.astype(np.float64), DtypeError),
        (rows[0], ShapeError),
        (rows[:, :0], ShapeError),
        (rows[:2], ShapeError),
        (rows[:0], EmptyGallery),
    ):
        with pytest.raises(error):
            GalleryIndex.build(bad, **ids, **MADE_BY)
    for bad_ids in ("aab", ["a", "", "b"], ["a", None, "b"]):
        with pytest.raises(InputError):
            GalleryIndex.build(rows, photo_ids=bad_ids, subject_ids="abc", **MADE_BY)


def test_a_search_with_wrong_probe_or_length_is_refused():
    index = gallery()
    for k in (0, 2049):
        with pytest.raises(RangeError):
            index.search(unit(1, 16), k)
    with pytest.raises(ShapeError):
        index.search(unit(1, 15), 1)
    with pytest.raises(RangeError, match="unit length"):
        index.search(unit(1, 16) * 3, 1)
    with pytest.raises(ShapeError):
        index.search(unit(1, 16), 1, allowed=np.ones(3, dtype=bool))
    index.remove_subjects(list(index.subject_ids))
    with pytest.raises(EmptyGallery):
        index.search(unit(1, 16), 1)


def test_cuda_without_cuda_is_an_error(monkeypatch):
    torch = pytest.importorskip("torch")
    index = gallery()
    index.device = "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="--device cpu"):
        index.search(unit(1, 16), 1)


def test_an_emptied_index_can_be_saved_and_filled_again(tmp_path):
    index = gallery()
    index.remove_subjects(index.subject_ids)
    index.save(tmp_path)
    loaded = GalleryIndex.load(tmp_path)
    assert (len(loaded), loaded.n_subjects, loaded.dimension) == (0, 0, 16)
    loaded.add(unit(2, 16), photo_ids=["a", "b"], subject_ids=["s", "s"])
    assert [c.photo_id for c in loaded.search(unit(1, 16), 5)[0]] == ["a"]
