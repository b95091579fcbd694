"""A search through the worker: real sketches, index and records, small models."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from db.models import JobState, Role
from db.queries.probes import add_landmarks, list_renditions
from db.queries.subjects import SubjectFilter, find_subject
from db.session import session_scope
from forensic.cases import leads, probes, searches
from forensic.cases.audit import Tag
from forensic.identification.enrol import embed_faces
from forensic.images.io import encode_image
from forensic.storage import FileStore
from forensic.weights.fusions import FusionPart
from tests.support.fakes import FakeEmbedder
from tests.support.images import face_landmarks, face_photo
from tests.support.service import actor_of, events_of, open_case
from tests.support.workshop import FUSION_PARTS, do, make_workshop, phantom_gallery


@pytest.fixture
def shop(records: Engine, store: FileStore, tmp_path: Path):
    return make_workshop(records, store, tmp_path / "galleries")


def seal_picture(session, actor, case, store, seed: int, *, take: int = 0):
    """Seal another picture of a phantom as if it were drawn, with its true landmarks."""
    picture = encode_image(face_photo(seed, take=take))
    probe, _ = probes.seal_probe(
        session, actor, case.id, data=picture, store=store, kind="viewed", source="drawn"
    )
    points = face_landmarks(seed, take=take).tolist()
    add_landmarks(session, probe.id, points, detector="true")
    return probe


@pytest.fixture
def scene(shop):
    gallery_id = phantom_gallery(shop, range(6), sex="f")
    with session_scope(shop.engine) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        sketches = [seal_picture(session, actor, case, shop.store, 3, take=t) for t in (0, 1)]
    return actor, case, sketches, gallery_id


def ask(shop, scene, **changes):
    actor, case, sketches, gallery_id = scene
    given = {"probe_ids": [sketches[0].id], "list_length": 5, "fusion": "mean", **changes}
    with session_scope(shop.engine) as session:
        return searches.request(session, actor, case.id, gallery_id=gallery_id, **given)


def listed(shop, scene, search):
    with session_scope(shop.engine) as session:
        return leads.candidates(session, scene[0], search.id)


def test_the_same_picture_is_found_first_with_all_facts_kept(shop, scene) -> None:
    search = ask(shop, scene)
    job = do(shop, search.job_id)
    assert (job.state, job.detail) == (JobState.SUCCEEDED, None)
    found = listed(shop, scene, search)
    assert [entry.rank for entry in found.entries] == [1, 2, 3, 4, 5]
    assert found.entries[0].subject_external_id == "phantom 3"
    assert found.entries[0].similarity == pytest.approx(1, abs=1e-6)
    kept = found.search
    assert kept.completed_at is not None
    assert kept.gallery_size == 6
    assert kept.extent == {"photos": 6, "subjects": 6, "generation": 1, "is_current": True}
    assert kept.model_hashes == {"embedder fake": FakeEmbedder.weights_sha256}
    assert (kept.is_exact, kept.device) == (True, "cpu")
    assert set(kept.timings_ms) >= {"decode", "embed", "fuse", "search"}
    with session_scope(shop.engine) as session:
        (event,) = events_of(session, Tag.SEARCH_COMPLETED)
    details = json.loads(event.payload)["details"]
    assert details["via"] == "worker"
    assert len(details["candidates"]) == 5
    assert json.loads(event.payload)["request_id"] == "request-1"


def test_renditions_are_made_kept_and_fused_once(shop, scene) -> None:
    actor, _, sketches, _ = scene
    search = ask(shop, scene, generators=["csi-line", "csi-color"])
    assert do(shop, search.job_id).state is JobState.SUCCEEDED
    again = ask(shop, scene, generators=["csi-line"])
    assert do(shop, again.job_id).state is JobState.SUCCEEDED
    with session_scope(shop.engine) as session:
        made = list_renditions(session, sketches[0].id).rows
        assert {row.generator for row in made} == {"csi-line", "csi-color"}
        assert len(made) == 2
        view = searches.get(session, actor, search.id)
        ids = {row.generator: row.id for row in made}
        assert [given.rendition_id for given in view.inputs] == [
            None,
            ids["csi-line"],
            ids["csi-color"],
        ]
        assert view.search.model_hashes is not None
        assert view.search.model_hashes["generator csi-line"] == "a" * 64


def test_several_sketches_are_fused_by_their_mean(shop, scene) -> None:
    _, _, sketches, _ = scene
    search = ask(shop, scene, probe_ids=[s.id for s in sketches])
    assert do(shop, search.job_id).state is JobState.SUCCEEDED
    found = {e.subject_external_id: e.similarity for e in listed(shop, scene, search).entries}
    embedder = FakeEmbedder()
    inputs = embed_faces(
        embedder,
        [face_photo(3, take=t) for t in (0, 1)],
        [face_landmarks(3, take=t) for t in (0, 1)],
    )
    query = inputs.mean(axis=0) / np.linalg.norm(inputs.mean(axis=0))
    for seed in range(6):
        photo = embed_faces(embedder, [face_photo(seed)], [face_landmarks(seed)])[0]
        if f"phantom {seed}" in found:
            assert found[f"phantom {seed}"] == pytest.approx(float(query @ photo), abs=1e-5)


def ask_best(shop, scene, folder: Path, **changes):
    shop.models.fitted.write(folder / "best-fake.json")
    return ask(shop, scene, fusion=None, weights=folder, **changes)


def test_best_weighs_its_parts_and_tells_what_each_added(shop, scene, tmp_path: Path) -> None:
    actor, _, sketches, _ = scene
    search = ask_best(shop, scene, tmp_path, probe_ids=[s.id for s in sketches])
    job = do(shop, search.job_id)
    assert (job.state, job.detail) == (JobState.SUCCEEDED, None)
    entries = listed(shop, scene, search).entries
    weights = {part.method: part.weight for part in FUSION_PARTS}
    assert [set(entry.contributions or {}) for entry in entries] == [set(weights)] * 5
    sums = [sum((entry.contributions or {}).values()) for entry in entries]
    assert sums == sorted(sums, reverse=True)
    # the very parts, from outside: two sketches, three ways each
    images = [face_photo(3, take=t) for t in (0, 1)]
    points = [face_landmarks(3, take=t) for t in (0, 1)]
    embedder = FakeEmbedder()
    photo = embed_faces(embedder, [face_photo(3)], [face_landmarks(3)])[0]
    direct = embed_faces(embedder, images, points) @ photo
    first = next(e for e in entries if e.subject_external_id == "phantom 3")
    assert (first.contributions or {})["none"] == pytest.approx(2 * direct.mean(), abs=1e-5)
    turned = shop.models.method("adapter", embedder).probe(images, points).vectors @ photo
    assert (first.contributions or {})["adapter"] == pytest.approx(4 * turned.mean(), abs=1e-5)
    with session_scope(shop.engine) as session:
        view = searches.get(session, actor, search.id)
        assert [given.rendition_id is None for given in view.inputs] == [True, True, False, False]
        assert (view.search.model_hashes or {})["part adapter"] == "b" * 64
        details = json.loads(events_of(session, Tag.SEARCH_COMPLETED)[0].payload)["details"]
    assert details["weights_of_parts"] == weights


def test_a_fusion_put_in_place_meanwhile_is_not_taken(shop, scene, tmp_path: Path) -> None:
    search = ask_best(shop, scene, tmp_path)
    more = (*FUSION_PARTS, FusionPart("csi-color", 1.0, {"csi-color": "a" * 64}))
    shop.models.fitted = replace(shop.models.fitted, parts=more)
    job = do(shop, search.job_id)
    assert job.state is JobState.FAILED
    assert "Search again" in (job.detail or "")


def test_parts_with_other_weights_are_not_used(shop, scene, tmp_path: Path) -> None:
    search = ask_best(shop, scene, tmp_path)
    other = FusionPart("csi-line", 1.0, {"csi-line": "c" * 64})
    shop.models.fitted = replace(shop.models.fitted, parts=(*FUSION_PARTS[:2], other))
    job = do(shop, search.job_id)
    assert job.state is JobState.FAILED
    assert "other weights of csi-line" in (job.detail or "")


def test_z_fusion_runs_and_tells_its_weights(shop, scene) -> None:
    _, _, sketches, _ = scene
    search = ask(shop, scene, probe_ids=[s.id for s in sketches], fusion="z-mean")
    assert do(shop, search.job_id).state is JobState.SUCCEEDED
    with session_scope(shop.engine) as session:
        details = json.loads(events_of(session, Tag.SEARCH_COMPLETED)[0].payload)["details"]
    assert sum(details["weights_of_inputs"]) == pytest.approx(1, abs=1e-5)
    assert len(set(details["weights_of_inputs"])) == 2


def test_filters_leave_people_out_and_the_extent_says_so(shop, scene) -> None:
    wanted = SubjectFilter(sex="f", keep_unknown=False)
    search = ask(shop, scene, filters=wanted)
    assert do(shop, search.job_id).state is JobState.SUCCEEDED
    found = listed(shop, scene, search)
    assert {e.subject_external_id for e in found.entries} == {
        "phantom 1",
        "phantom 3",
        "phantom 5",
    }
    assert found.search.gallery_size == 6
    assert found.search.extent is not None
    assert (found.search.extent["photos"], found.search.extent["subjects"]) == (3, 3)


def test_a_threshold_may_leave_nobody_which_is_a_result(shop, scene) -> None:
    search = ask(shop, scene, threshold=0.999999)
    assert do(shop, search.job_id).state is JobState.SUCCEEDED
    assert [e.subject_external_id for e in listed(shop, scene, search).entries] == ["phantom 3"]
    other = ask(shop, scene, probe_ids=[scene[2][1].id], threshold=1.0)
    assert do(shop, other.job_id).state is JobState.SUCCEEDED
    assert listed(shop, scene, other).entries == ()


def test_a_search_is_never_done_twice(shop, scene) -> None:
    search = ask(shop, scene)
    do(shop, search.job_id)
    first = [e.id for e in listed(shop, scene, search).entries]
    assert do(shop, search.job_id).attempts == 1
    assert [e.id for e in listed(shop, scene, search).entries] == first
    with session_scope(shop.engine) as session:
        assert len(events_of(session, Tag.SEARCH_COMPLETED)) == 1


def test_a_damaged_sketch_fails_the_job_with_a_reason(shop, scene, tmp_path: Path) -> None:
    search = ask(shop, scene)
    sha256 = scene[2][0].sketch_sha256
    path = tmp_path / "files" / sha256[:2] / sha256[2:]
    path.write_bytes(b"something else")
    job = do(shop, search.job_id)
    assert (job.state, job.reason_code) == (JobState.FAILED, "corrupt_file")
    assert sha256 in (job.detail or "")
    with session_scope(shop.engine) as session:
        details = json.loads(events_of(session, Tag.SEARCH_FAILED)[0].payload)["details"]
    assert details["reason"] == "corrupt_file"


def test_an_unpublished_gallery_is_named(shop, scene) -> None:
    with session_scope(shop.engine) as session:
        assert find_subject(session, scene[3], "phantom 3") is not None
    for path in sorted((tmp := shop.galleries).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert tmp.exists()
    job = do(shop, ask(shop, scene).job_id)
    assert job.state is JobState.FAILED
    assert job.reason_code in ("corrupt_index", "not_indexed")
