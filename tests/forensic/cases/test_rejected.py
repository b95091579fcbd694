"""The table of rejected items holds each one, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import Engine

from db.queries import job_items, jobs
from db.queries.job_items import NewItem
from db.session import session_scope
from forensic.cases import rejected
from forensic.cases.rejected import rejected_csv
from tests.support.imports import LEASE


def test_every_rejected_item_is_listed_safely(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejected, "PAGE_SIZE_MAX", 2)
    with session_scope(engine) as session:
        job = jobs.create_job(session, kind="import", parameters={})
        jobs.claim_job(session, job.id, "w", lease=LEASE)
        names = ["=cmd|' /C calc'!A0.png", 'a "b", c.png', "佐藤\n.png", "-1.png", "ok.png"]
        items = [NewItem(n, "@who", {}, "no_face", "told") for n in names[:4]]
        job_items.add_items(session, job.id, "w", [*items, NewItem(names[4], "ok", {})])
    with session_scope(engine, read_only=True) as session:
        text = "".join(rejected_csv(session, job.id))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in rows] == ["'" + names[0], names[1], names[2], "'-1.png"]
    assert {(row["reason"], row["subject_id"]) for row in rows} == {("no_face", "'@who")}
    assert [row["position"] for row in rows] == ["0", "1", "2", "3"]
