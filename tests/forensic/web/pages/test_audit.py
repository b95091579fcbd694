from __future__ import annotations

from sqlalchemy import text

from forensic.cases.audit import Tag

from .conftest import Scene


def test_the_audit_lists_who_did_what_and_narrows_down(scene: Scene) -> None:
    client = scene.client("aude")
    everything = client.get("/audit").text
    assert "Case opened" in everything
    assert "Ines" in everything
    of_case = client.get("/audit?case=2026/0417").text
    assert "Case opened" in of_case
    assert "Session opened" not in of_case
    of_person = client.get("/audit?actor=aude").text
    assert "Case opened" not in of_person
    assert "Session opened" in of_person
    of_kind = client.get(f"/audit?tag={Tag.MEMBER_ASSIGNED}").text
    assert of_kind.count('<code class="soft">cases:member:assign</code>') == 3
    for nothing in ("case=none", "actor=nobody", "tag=a:b:c"):
        assert "No such event." in client.get(f"/audit?{nothing}").text
    assert scene.n_events(Tag.AUDIT_VIEWED) == 7


def test_a_whole_chain_is_said_to_hold_with_its_last_link(scene: Scene) -> None:
    page = scene.client("aude").post("/audit/verify").text
    assert "holds" in page
    assert scene.n_events(Tag.AUDIT_VERIFIED) == 1


def test_an_edited_event_is_found(scene: Scene) -> None:
    with scene.site.engine.begin() as connection:
        triggers = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='audit_events'")
        ).scalars()
        for name in list(triggers):
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE audit_events SET actor = 'x' WHERE sequence = 2"))
    page = scene.client("aude").post("/audit/verify").text
    assert "The chain does not hold." in page
    assert "Event 2, edited" in page


def test_only_auditors_read_it_and_administrators_may_verify_it(scene: Scene) -> None:
    assert scene.client("adam").get("/audit").status_code == 403
    verified = scene.client("adam").post("/audit/verify")
    assert verified.status_code == 200
    assert "holds" in verified.text
    assert "No such event." in verified.text
    assert scene.client("ines").post("/audit/verify").status_code == 403
