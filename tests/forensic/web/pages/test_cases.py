from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.models import Case, CaseStatus, Role
from forensic.cases.audit import Tag

from .conftest import Scene

FIELDS = {"number": "2026/9", "offence": "fraud", "legal_basis": "order 1", "purpose": "leads"}


def read_case(scene: Scene) -> Case:
    with scene.site.session() as session:
        case = session.get(Case, scene.case_id)
        assert case
        return case


def test_opening_a_case_leads_to_it(scene: Scene) -> None:
    client = scene.client("ines")
    answer = client.post("/cases/new", data=FIELDS)
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"]).text
    assert "The case is open." in page
    assert "Case 2026/9" in page
    assert scene.n_events(Tag.CASE_OPENED) == 2


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"purpose": " "}, "purpose"),
        ({"number": ""}, "number"),
        ({"retain_until_on": "soon"}, "retain_until_on"),
        ({"retain_until_on": "2001-01-01"}, "retain_until_on"),
    ],
)
def test_a_case_without_its_reasons_is_refused_beside_the_field(
    scene: Scene, changes: dict[str, str], wrong: str
) -> None:
    answer = scene.client("ines").post("/cases/new", data={**FIELDS, **changes})
    assert answer.status_code == 422
    field = answer.text.partition(f'id="{wrong}"')[2].partition(">")[0]
    assert 'aria-invalid="true"' in field
    assert 'value="fraud"' in answer.text
    assert scene.n_events(Tag.CASE_OPENED) == 1


def test_a_number_that_is_taken_is_refused_above_the_form(scene: Scene) -> None:
    answer = scene.client("ines").post("/cases/new", data={**FIELDS, "number": "2026/0417"})
    assert answer.status_code == 422
    assert "There is a case" in answer.text


def test_other_peoples_cases_do_not_exist(scene: Scene) -> None:
    scene.site.add_person("iris", Role.INVESTIGATOR)
    stranger = scene.client("iris")
    for path in (
        f"/cases/{scene.case_id}",
        f"/cases/{scene.case_id}/search",
        f"/probes/{scene.probe_id}",
        f"/probes/{scene.probe_id}/sketch",
        f"/searches/{scene.search_id}",
        f"/candidates/{scene.candidate_ids[0]}/photo",
    ):
        assert stranger.get(path).status_code == 404, path
    assert "2026/0417" not in stranger.get("/cases").text


def test_the_timeline_tells_what_was_done_but_not_who_looked(scene: Scene) -> None:
    client = scene.client("ines")
    client.get(f"/cases/{scene.case_id}")
    page = client.get(f"/cases/{scene.case_id}").text
    timeline = page.partition('id="timeline"')[2].partition("</ol>")[0]
    assert "Case opened" in timeline
    assert 'Person assigned</strong> <span class="soft">3 times' in timeline
    assert "Search done" in timeline
    assert "viewed" not in timeline


def test_people_are_assigned_and_taken_off(scene: Scene) -> None:
    client, edda = scene.client("ines"), scene.people["edda"].id
    assert client.post(f"/cases/{scene.case_id}/unassign/{edda}").status_code == 303
    assert scene.client("edda").get(f"/cases/{scene.case_id}").status_code == 404
    page = client.get(f"/cases/{scene.case_id}").text
    assert f'<option value="{edda}">' in page
    assert client.post(f"/cases/{scene.case_id}/assign", data={"user_id": edda}).status_code == 303
    assert scene.client("edda").get(f"/cases/{scene.case_id}").status_code == 200
    assert client.post(f"/cases/{scene.case_id}/assign", data={"user_id": "x"}).status_code == 422


def test_a_case_is_closed_held_and_opened_again_for_a_reason(scene: Scene) -> None:
    client, case = scene.client("ines"), f"/cases/{scene.case_id}"
    assert client.post(f"{case}/close").status_code == 422
    assert client.post(f"{case}/close", data={"reason": "solved"}).status_code == 303
    assert read_case(scene).status is CaseStatus.CLOSED
    assert "Add a sketch" not in client.get(case).text
    assert client.post(f"{case}/hold", data={"reason": "appeal"}).status_code == 303
    assert read_case(scene).legal_hold
    assert client.post(f"{case}/release").status_code == 303
    assert client.post(f"{case}/reopen", data={"reason": "new sketch"}).status_code == 303
    assert read_case(scene).status is CaseStatus.OPEN


def test_retention_lists_due_cases_to_administrators_who_expunge_them(scene: Scene) -> None:
    with scene.site.session() as session:
        case = session.get(Case, scene.case_id)
        assert case
        case.retain_until_on = datetime.now(UTC).date() - timedelta(days=1)
    client = scene.client("adam")
    assert "2026/0417" in client.get("/cases/retention").text
    refused = scene.client("ines").post(f"/cases/{scene.case_id}/expunge", data={"reason": "x"})
    assert refused.status_code == 403
    answer = client.post(f"/cases/{scene.case_id}/expunge", data={"reason": "retention"})
    assert answer.headers["Location"].startswith("/cases/retention")
    assert read_case(scene).expunged_at is not None
    assert "2026/0417" not in client.get("/cases/retention").text
    page = scene.client("ines").get(f"/probes/{scene.probe_id}")
    assert page.status_code == 200
    assert "/sketch" not in page.text
