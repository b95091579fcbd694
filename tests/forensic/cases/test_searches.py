"""A search keeps all that was asked, and shows its list as each person may see it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from db.models import Role, SearchInput, Verdict
from db.queries.photos import remove_photos
from db.queries.probes import add_rendition
from db.queries.subjects import SubjectFilter
from db.session import session_scope
from forensic.cases import leads, lifecycle, probes, reviews, searches
from forensic.cases.audit import Tag
from forensic.errors import (
    NotPermitted,
    RecordConflict,
    RecordNotFound,
    RequestRefused,
)
from forensic.storage import FileStore
from forensic.values import LEAD_ONLY
from forensic.weights.fusions import Fusion, FusionPart
from tests.support.factories import new_rendition, outcome
from tests.support.service import (
    WORKER,
    actor_of,
    as_roles,
    completed_search,
    events_of,
    fill_gallery,
    open_case,
    png,
    seal,
)


@pytest.fixture
def scene(records: Engine, store: FileStore):
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        probe = seal(session, actor, case, store)
        gallery, photo_ids = fill_gallery(session, store)
    return actor, case, probe, gallery, photo_ids


def test_the_request_is_kept_with_its_job_and_every_parameter(records: Engine, scene) -> None:
    actor, case, probe, gallery, _ = scene
    wanted = SubjectFilter(sex="f", birth_years=(1980, None), attributes={"hair": "red"})
    with session_scope(records) as session:
        search = searches.request(
            session, actor, case.id, gallery_id=gallery.id, probe_ids=[probe.id, probe.id],
            generators=["csi-line"], fusion="z-mean", filters=wanted, list_length=30, threshold=0.2,
        )  # fmt: skip
        view = searches.get(session, actor, search.id)
        assert view.job is not None
        assert view.job.parameters["search_id"] == str(search.id)
        assert view.gallery_name == gallery.name
        assert [given.probe_id for given in view.inputs] == [probe.id]
        assert search.purpose == case.purpose
        assert search.parameters["generators"] == ["csi-line"]
        assert searches.filters_of(search.parameters) == wanted
        details = json.loads(events_of(session, Tag.SEARCH_REQUESTED)[0].payload)["details"]
        assert (details["list_length"], details["threshold"]) == (30, 0.2)
        assert details["filters"]["attributes"] == {"hair": "red"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"list_length": 1}, "list_length"),
        ({"list_length": 201}, "list_length"),
        ({"fusion": "magic"}, "fusion"),
        ({"threshold": 1.5}, "threshold"),
        ({"generators": ["no-such"]}, "generators"),
        ({"compare_sketch": False}, "compare_sketch"),
        ({"probe_ids": []}, "probe_ids"),
    ],
)
def test_a_senseless_request_names_its_field(records: Engine, scene, changes, field) -> None:
    actor, case, probe, gallery, _ = scene
    given = {"gallery_id": gallery.id, "probe_ids": [probe.id], "fusion": "mean", **changes}
    with session_scope(records) as session, pytest.raises(RequestRefused) as refused:
        searches.request(session, actor, case.id, **given)
    assert refused.value.field == field


def fitted_for(gallery, folder) -> Path:
    """Put a fusion for the gallery's embedder into a folder of weights."""
    parts = tuple(FusionPart(name, 1.0, {}) for name in ("adapter", "csi-line", "none"))
    fusion = Fusion(gallery.embedder, gallery.weights_sha256, parts, 0.0, {})
    fusion.write(folder / "best-fake.json")
    return folder


def test_best_is_the_default_and_chooses_what_is_compared(
    records: Engine, scene, tmp_path: Path
) -> None:
    actor, case, probe, gallery, _ = scene
    given = {"gallery_id": gallery.id, "probe_ids": [probe.id]}
    weights = fitted_for(gallery, tmp_path)
    with session_scope(records) as session:
        search = searches.request(session, actor, case.id, weights=weights, **given)
        assert search.parameters["fusion"] == "best"
        assert search.parameters["generators"] == ["csi-line"]
        chosen = searches.request(session, actor, case.id, generators=["csi-color"], **given)
        assert chosen.parameters["fusion"] == "mean"
        for choice in ({"generators": ["csi-line"]}, {"compare_sketch": False}):
            with pytest.raises(RequestRefused, match="chooses") as refused:
                searches.request(
                    session, actor, case.id, fusion="best", weights=weights, **given, **choice
                )
            assert refused.value.field == "fusion"


def test_an_embedder_without_a_fusion_names_the_remedy(
    records: Engine, scene, tmp_path: Path
) -> None:
    actor, case, probe, gallery, _ = scene
    given = {"gallery_id": gallery.id, "probe_ids": [probe.id], "weights": tmp_path}
    with session_scope(records) as session, pytest.raises(RequestRefused, match="mean") as refused:
        searches.request(session, actor, case.id, **given)
    assert refused.value.field == "fusion"


def test_a_longer_list_needs_permission_and_is_recorded(records: Engine, scene) -> None:
    actor, case, probe, gallery, _ = scene
    given = {"gallery_id": gallery.id, "probe_ids": [probe.id], "fusion": "mean"}
    with session_scope(records) as session:
        with pytest.raises(NotPermitted, match="more than 50"):
            searches.request(session, actor, case.id, list_length=51, **given)
        examiner = as_roles(actor, Role.EXAMINER)
        search = searches.request(session, examiner, case.id, list_length=51, **given)
        assert search.list_length == 51
        details = json.loads(events_of(session, Tag.SEARCH_REQUESTED)[0].payload)["details"]
        assert details["is_extended"] is True


def test_sketches_of_different_people_are_not_fused(
    records: Engine, scene, store: FileStore
) -> None:
    actor, case, probe, gallery, _ = scene
    with session_scope(records) as session:
        same = seal(session, actor, case, store, data=png(5))
        other = seal(session, actor, case, store, data=png(6), person_label="person 2")
        search = searches.request(
            session,
            actor,
            case.id,
            gallery_id=gallery.id,
            probe_ids=[probe.id, same.id],
            fusion="mean",
        )
        assert len(searches.get(session, actor, search.id).inputs) == 2
        with pytest.raises(RequestRefused, match="one person"):
            searches.request(
                session,
                actor,
                case.id,
                gallery_id=gallery.id,
                probe_ids=[probe.id, other.id],
                fusion="mean",
            )


def test_withdrawn_or_unmarked_sketches_are_not_searched_with(
    records: Engine, scene, store: FileStore
) -> None:
    actor, case, probe, gallery, _ = scene
    given = {"gallery_id": gallery.id, "fusion": "mean"}
    with session_scope(records) as session:
        bare, _ = probes.seal_probe(
            session, actor, case.id, data=png(7), store=store, kind=probe.kind, source="s"
        )
        with pytest.raises(RecordConflict, match="no landmarks yet"):
            searches.request(session, actor, case.id, probe_ids=[bare.id], **given)
        probes.withdraw(session, actor, probe.id, reason="wrong person")
        with pytest.raises(RecordConflict, match="withdrawn"):
            searches.request(session, actor, case.id, probe_ids=[probe.id], **given)


def test_renditions_alone_are_compared_once_they_are_made(records: Engine, scene) -> None:
    actor, case, probe, gallery, _ = scene
    given = {
        "gallery_id": gallery.id,
        "probe_ids": [probe.id],
        "generators": ["csi-line"],
        "compare_sketch": False,
    }
    with session_scope(records) as session:
        with pytest.raises(RecordConflict, match="not made yet"):
            searches.request(session, actor, case.id, **given)
        made = add_rendition(session, new_rendition(session, probe, generator="csi-line"))
        search = searches.request(session, actor, case.id, **given)
        inputs = searches.get(session, actor, search.id).inputs
        assert [given.rendition_id for given in inputs] == [made.id]


def test_renditions_made_on_the_way_are_kept_as_inputs(records: Engine, scene) -> None:
    actor, case, probe, gallery, _ = scene
    with session_scope(records) as session:
        search = searches.request(
            session, actor, case.id, gallery_id=gallery.id, probe_ids=[probe.id],
            generators=["csi-line"],
        )  # fmt: skip
        made = add_rendition(session, new_rendition(session, probe, generator="csi-line"))
        new = SearchInput(
            probe_id=probe.id,
            landmark_version_id=made.landmark_version_id,
            rendition_id=made.id,
        )
        searches.record_outcome(
            session, WORKER, search.id, outcome=outcome(), ranked=[], made=[new]
        )
        inputs = searches.get(session, actor, search.id).inputs
        assert [(i.position, i.rendition_id) for i in inputs] == [(0, None), (1, made.id)]
        with pytest.raises(RecordConflict, match="completed before"):
            searches.record_outcome(session, WORKER, search.id, outcome=outcome(), ranked=[])


def test_an_investigator_sees_the_ranked_list_and_the_notice(
    records: Engine, store: FileStore
) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)
        search = completed_search(session, actor, case, store)
        listed = leads.candidates(session, actor, search.id)
        assert not listed.is_blind
        assert [entry.rank for entry in listed.entries] == [1, 2, 3]
        assert [entry.subject_external_id for entry in listed.entries] == [
            "subject 0",
            "subject 1",
            "subject 2",
        ]
        assert listed.notice == LEAD_ONLY


def test_an_examiner_is_blind_until_everything_is_decided(
    records: Engine, store: FileStore
) -> None:
    with session_scope(records) as session:
        actor, first, second = (
            actor_of(session, role) for role in (Role.INVESTIGATOR, Role.EXAMINER, Role.EXAMINER)
        )
        case = open_case(session, actor)
        for examiner in (first, second):
            lifecycle.assign(session, actor, case.id, examiner.user_id)
        search = completed_search(session, actor, case, store, n=8)
        ranked = [e.id for e in leads.candidates(session, actor, search.id).entries]
        blind = leads.candidates(session, first, search.id)
        assert blind.is_blind
        hidden = {
            (e.rank, e.similarity, e.contributions, e.subject_external_id) for e in blind.entries
        }
        assert hidden == {(None, None, None, None)}
        order = [e.id for e in blind.entries]
        assert sorted(order) == sorted(ranked)
        assert order != ranked
        assert order == [e.id for e in leads.candidates(session, first, search.id).entries]
        assert order != [e.id for e in leads.candidates(session, second, search.id).entries]

        for entry in blind.entries[:-1]:
            reviews.decide(session, first, entry.id, verdict=Verdict.NO_CANDIDATE)
        assert leads.candidates(session, first, search.id).is_blind
        reviews.decide(session, first, blind.entries[-1].id, verdict=Verdict.INCONCLUSIVE)
        seen = leads.candidates(session, first, search.id)
        assert [e.id for e in seen.entries] == ranked
        assert [e.rank for e in seen.entries] == list(range(1, 9))
        assert [e.contributions for e in seen.entries] == [{"none": 1.5}] * 8
        assert leads.candidates(session, second, search.id).is_blind


def test_who_investigates_and_examines_is_blind_too(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR, Role.EXAMINER)
        search = completed_search(session, actor, open_case(session, actor), store)
        assert leads.candidates(session, actor, search.id).is_blind


def test_the_photo_is_shown_until_it_is_taken_out(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        search = completed_search(session, actor, open_case(session, actor), store)
        candidate = leads.all_candidates(session, search.id)[0]
        data, kind = leads.candidate_photo(session, actor, candidate.id, store=store)
        assert (data, kind) == (store.read(candidate.photo_sha256), "image/png")
        assert len(events_of(session, Tag.CANDIDATE_PHOTO_VIEWED)) == 1
        remove_photos(session, search.gallery_id, [candidate.photo_id])
        with pytest.raises(RecordConflict, match="taken out"):
            leads.candidate_photo(session, actor, candidate.id, store=store)
        other = actor_of(session, Role.INVESTIGATOR)
        with pytest.raises(RecordNotFound):
            leads.candidate_photo(session, other, candidate.id, store=store)


def test_only_the_worker_completes_a_search(records: Engine, scene) -> None:
    actor, case, probe, gallery, _ = scene
    with session_scope(records) as session:
        search = searches.request(
            session, actor, case.id, gallery_id=gallery.id, probe_ids=[probe.id], fusion="mean"
        )
        with pytest.raises(NotPermitted, match="Only the worker"):
            searches.record_outcome(session, actor, search.id, outcome=outcome(), ranked=[])


def test_a_longer_list_takes_no_more_statements(records: Engine, store: FileStore) -> None:
    asked: list[str] = []
    event.listen(records, "before_cursor_execute", lambda *given: asked.append(given[2]))
    counts = []
    for n in (2, 15):
        with session_scope(records) as session:
            actor = actor_of(session, Role.INVESTIGATOR)
            search_id = completed_search(session, actor, open_case(session, actor), store, n=n).id
        with session_scope(records) as session:
            asked.clear()
            assert len(leads.candidates(session, actor, search_id).entries) == n
            counts.append(len(asked))
    assert counts[0] == counts[1]
