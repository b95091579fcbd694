from __future__ import annotations

import json
import re
from html import unescape

import pytest

from db.models import Role, Verdict
from db.queries.reviews import find_adjudication, list_reviews
from forensic.cases import reviews
from forensic.cases.audit import Tag

from .conftest import Scene


def decide(scene: Scene, name: str, position: int, **fields: str):
    candidate_id = scene.candidate_ids[position]
    path = f"/searches/{scene.search_id}/review/{candidate_id}"
    return scene.client(name).post(path, data=fields)


def disagree(scene: Scene) -> None:
    """Let two examiners decide on everything, differing on the first candidate."""
    with scene.site.session() as session:
        for name, first in (("emil", Verdict.POTENTIAL_CANDIDATE), ("edda", Verdict.INCONCLUSIVE)):
            actor = scene.actor(name, Role.EXAMINER)
            for i, candidate_id in enumerate(scene.candidate_ids):
                verdict = Verdict.NO_CANDIDATE if i else first
                reviews.decide(session, actor, candidate_id, verdict=verdict, note=f"by {name}")


def test_reviewing_begins_with_what_is_not_decided(scene: Scene) -> None:
    client = scene.client("emil")
    first = client.get(f"/searches/{scene.search_id}/review").headers["Location"]
    assert client.post(first, data={"verdict": "no_candidate"}).status_code == 303
    second = client.get(f"/searches/{scene.search_id}/review").headers["Location"]
    assert second != first
    assert f'href="{first}"' in client.get(second).text


def test_a_decision_keeps_note_and_checklist_and_leads_on(scene: Scene) -> None:
    answer = decide(
        scene,
        "emil",
        0,
        verdict="potential_candidate",
        note="same brows",
        **{"feature-eyebrows": "similar", "feature-ears": "not_comparable"},
    )
    assert answer.status_code == 303
    assert "said=decided" in answer.headers["Location"]
    with scene.site.session() as session:
        (review,) = list_reviews(session, scene.search_id)
        assert review.verdict is Verdict.POTENTIAL_CANDIDATE
        assert review.features == {"eyebrows": "similar", "ears": "not_comparable"}
    page = scene.client("emil").get(f"/searches/{scene.search_id}/review/{scene.candidate_ids[0]}")
    assert re.search(r'value="potential_candidate" required checked', page.text)
    assert "same brows</textarea>" in page.text
    assert 'name="feature-ears" value="not_comparable" checked' in page.text


def test_the_last_decision_leads_to_the_ranks(scene: Scene) -> None:
    for position in range(3):
        answer = decide(scene, "emil", position, verdict="no_candidate")
    assert f"/searches/{scene.search_id}?said=all-decided" in answer.headers["Location"]
    page = scene.client("emil").get(answer.headers["Location"]).text
    assert "Rank 1" in page
    assert scene.n_events(Tag.REVIEW_DECIDED) == 3


@pytest.mark.parametrize(
    ("fields", "phrase"),
    [
        ({}, "Choose one of the values offered"),
        ({"verdict": "guilty"}, "Choose one of the values offered"),
        ({"verdict": "potential_candidate"}, "needs a note"),
        ({"verdict": "inconclusive", "feature-nose": "pointy"}, "not on the checklist"),
    ],
)
def test_an_unfit_decision_is_refused_with_the_form(
    scene: Scene, fields: dict[str, str], phrase: str
) -> None:
    answer = decide(scene, "emil", 0, **fields)
    assert answer.status_code == 422
    assert phrase in answer.text
    assert scene.n_events(Tag.REVIEW_DECIDED) == 0


def test_a_changed_mind_supersedes_and_shows_what_was_before(scene: Scene) -> None:
    decide(scene, "emil", 0, verdict="inconclusive", note="too dark")
    decide(scene, "emil", 0, verdict="no_candidate", note="ears differ")
    page = scene.client("emil").get(f"/searches/{scene.search_id}/review/{scene.candidate_ids[0]}")
    earlier = page.text.partition("Your earlier decisions")[2].partition("</details>")[0]
    assert "too dark" in earlier
    assert "ears differ" not in earlier
    assert scene.n_events(Tag.REVIEW_SUPERSEDED) == 1


def test_an_examiner_never_sees_another_ones_decisions_before_their_own(scene: Scene) -> None:
    disagree(scene)
    page = scene.client("enno").get(f"/searches/{scene.search_id}/review", follow_redirects=True)
    assert page.status_code == 200
    assert "by emil" not in page.text
    assert "0 of 3 decided" in page.text
    assert not re.search(r"similarity \d", page.text)
    assert "subject 0" not in page.text


def test_the_workbench_lays_pictures_over_each_other_by_their_landmarks(scene: Scene) -> None:
    page = scene.client("emil").get(f"/searches/{scene.search_id}/review", follow_redirects=True)
    given = dict(re.findall(r'data-role="(\w+)" data-points="([^"]+)"', page.text))
    assert set(given) == {"sketch", "candidate"}
    points = json.loads(unescape(given["sketch"]))
    assert points[0] == [30 / 96, round(40 / 96, 4)]
    assert len(json.loads(unescape(given["candidate"]))) == 5


def test_a_candidate_of_another_search_is_not_there(scene: Scene) -> None:
    path = f"/searches/{scene.search_id}/review/{scene.search_id}"
    assert scene.client("emil").get(path).status_code == 404


def test_adjudication_is_for_a_third_person(scene: Scene) -> None:
    disagree(scene)
    path = f"/searches/{scene.search_id}/adjudication"
    page = scene.client("enno").get(path).text
    assert "by emil" in page
    assert "by edda" in page
    assert page.count("Candidate 1</h2>") == 1
    assert "Candidate 2</h2>" not in page
    fields = {"verdict": "inconclusive", "reason": "hairline not drawn"}
    target = f"{path}/{scene.candidate_ids[0]}"
    assert scene.client("emil").post(target, data=fields).status_code == 422
    assert scene.client("enno").post(target, data={"verdict": "inconclusive"}).status_code == 422
    assert scene.client("enno").post(target, data=fields).status_code == 303
    with scene.site.session() as session:
        decided = find_adjudication(session, scene.candidate_ids[0])
        assert decided
        assert decided.verdict is Verdict.INCONCLUSIVE
    assert "Nothing waits" in scene.client("enno").get(path).text
    assert scene.n_events(Tag.ADJUDICATED) == 1


def test_who_is_in_the_midst_of_reviewing_cannot_look_at_differences(scene: Scene) -> None:
    disagree(scene)
    decide(scene, "enno", 1, verdict="no_candidate")
    answer = scene.client("enno").get(f"/searches/{scene.search_id}/adjudication")
    assert answer.status_code == 409
    assert "by emil" not in answer.text
