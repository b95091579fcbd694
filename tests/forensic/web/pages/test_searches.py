from __future__ import annotations

import re
import uuid

import pytest

from db.models import Case, Role, Search, Verdict
from db.queries.subjects import SubjectFilter
from forensic.cases import reviews
from forensic.cases.audit import Tag
from forensic.cases.searches import filters_of
from tests.support.service import completed_search

from .conftest import Scene


def ask(scene: Scene, name: str = "ines", **changes: object):
    fields = {
        "probe_ids": [str(scene.probe_id)],
        "gallery_id": str(scene.gallery_id),
        "compare_sketch": "yes",
        "fusion": "mean",
        "list_length": "20",
        "purpose": "second look",
        **changes,
    }
    return scene.client(name).post(f"/cases/{scene.case_id}/search", data=fields)


def asked(scene: Scene, location: str) -> Search:
    found = re.search(r"/searches/([0-9a-f-]{36})", location)
    assert found
    with scene.site.session() as session:
        search = session.get(Search, uuid.UUID(found[1]))
        assert search
        return search


def test_the_only_sketch_is_chosen_but_one_left_out_stays_so(scene: Scene) -> None:
    def chosen(page: str) -> bool:
        return bool(re.search(r'name="probe_ids" value="[0-9a-f-]+" checked', page))

    assert chosen(scene.client("ines").get(f"/cases/{scene.case_id}/search").text)
    refused = ask(scene, probe_ids=[])
    assert refused.status_code == 422
    assert not chosen(refused.text)


def test_a_search_is_asked_for_with_all_that_was_chosen(scene: Scene) -> None:
    answer = ask(
        scene,
        generators=["csi-line"],
        fusion="z-mean",
        list_length="35",
        sex="f",
        born_from="1980",
        keep_unknown="yes",
    )
    assert answer.status_code == 303
    search = asked(scene, answer.headers["Location"])
    assert (search.list_length, search.purpose) == (35, "second look")
    assert search.parameters["generators"] == ["csi-line"]
    assert search.parameters["fusion"] == "z-mean"
    wanted = filters_of(search.parameters)
    assert wanted == SubjectFilter("f", (1980, None), {}, keep_unknown=True)
    page = scene.client("ines").get(answer.headers["Location"]).text
    assert "Searching the gallery" in page
    assert "Waiting for the worker." in page
    assert scene.n_events(Tag.SEARCH_REQUESTED) == 2


def test_the_form_begins_with_the_sketch_the_purpose_and_the_only_gallery(scene: Scene) -> None:
    path = f"/cases/{scene.case_id}/search?probe={scene.probe_id}"
    page = scene.client("ines").get(path).text
    assert re.search(rf'value="{scene.probe_id}" checked', page)
    assert re.search(rf'<option value="{scene.gallery_id}" selected', page)
    assert "find leads</textarea>" in page


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"probe_ids": []}, "Name at least one probe"),
        ({"gallery_id": ""}, "Choose one of those offered"),
        ({"list_length": "1"}, "2 to 50"),
        ({"list_length": "many"}, "whole number"),
        ({"born_from": "1990", "born_to": "1980"}, "after the last"),
        ({"generators": ["unheard-of"]}, "Unknown"),
    ],
)
def test_a_search_that_cannot_be_is_refused_with_the_form(
    scene: Scene, changes: dict[str, object], phrase: str
) -> None:
    answer = ask(scene, **changes)
    assert answer.status_code == 422
    assert phrase in answer.text
    assert "second look</textarea>" in answer.text
    assert scene.n_events(Tag.SEARCH_REQUESTED) == 1


def test_longer_lists_are_for_examiners(scene: Scene) -> None:
    assert 'max="50"' in scene.client("ines").get(f"/cases/{scene.case_id}/search").text
    assert 'max="200"' in scene.client("emil").get(f"/cases/{scene.case_id}/search").text
    assert ask(scene, list_length="120").status_code == 403
    assert ask(scene, "emil", list_length="120").status_code == 303


def test_an_investigator_sees_ranks_an_examiner_does_not_until_all_is_decided(
    scene: Scene,
) -> None:
    path = f"/searches/{scene.search_id}"
    seen = scene.client("ines").get(path).text
    assert [int(rank) for rank in re.findall(r"Rank (\d)", seen)] == [1, 2, 3]
    assert "subject 0" in seen
    examiner = scene.client("emil")
    blind = examiner.get(path).text
    assert "stay hidden" in blind
    assert "Rank 1" not in blind
    assert "subject 0" not in blind
    assert "0.900" not in blind
    assert "+1.50" in seen
    assert "+1.50" not in blind
    emil = scene.actor("emil", Role.EXAMINER)
    with scene.site.session() as session:
        for candidate_id in scene.candidate_ids:
            reviews.decide(session, emil, candidate_id, verdict=Verdict.NO_CANDIDATE)
    assert "Rank 1" in examiner.get(path).text


def test_a_candidates_photo_is_served_and_recorded(scene: Scene) -> None:
    answer = scene.client("emil").get(f"/candidates/{scene.candidate_ids[0]}/photo")
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert answer.headers["Cache-Control"] == "no-store"
    assert scene.n_events(Tag.CANDIDATE_PHOTO_VIEWED) == 1


def test_an_empty_list_is_a_result(scene: Scene) -> None:
    ines = scene.actor("ines", Role.INVESTIGATOR)
    with scene.site.session() as session:
        case = session.get(Case, scene.case_id)
        assert case
        search = completed_search(session, ines, case, scene.site.store, n=0)
    page = scene.client("ines").get(f"/searches/{search.id}").text
    assert "0 leads from" in page
    assert "That is a result too" in page
