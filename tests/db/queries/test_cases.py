from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.errors import Conflict, NotFound
from db.models import Case, CaseStatus, Rendition, ReportFormat
from db.queries import cases
from db.queries.probes import add_landmarks, add_probe, add_rendition
from db.session import session_scope
from tests.support.factories import POINTS, make_case, make_user, new_probe, sha256, unknown_id


def test_a_case_is_seen_by_those_assigned_only(engine: Engine) -> None:
    with session_scope(engine) as session:
        ann, bob = make_user(session), make_user(session)
        case = make_case(session, ann)
        assert cases.get_case(session, case.id, member_id=ann.id) is case
        for asked in (case.id, unknown_id()):  # the answer does not tell which one exists
            with pytest.raises(NotFound, match=f"no case '{asked}'"):
                cases.get_case(session, asked, member_id=bob.id)
        cases.assign(session, case.id, bob.id, assigned_by_id=ann.id)
        cases.assign(session, case.id, bob.id, assigned_by_id=ann.id)
        assert cases.list_members(session, case.id) == [ann.id, bob.id]
        assert cases.list_cases(session, member_id=bob.id).rows == [case]
        cases.unassign(session, case.id, bob.id)
        assert cases.list_cases(session, member_id=bob.id).rows == []


def test_closing_and_opening_again(engine: Engine) -> None:
    with session_scope(engine) as session:
        case, other = make_case(session), make_case(session)
        closed_at = cases.close_case(session, case.id).closed_at
        assert cases.close_case(session, case.id).closed_at == closed_at
        assert cases.list_cases(session, status=CaseStatus.CLOSED).rows == [case]
        assert cases.list_cases(session).rows == [other, case]
        assert cases.reopen_case(session, case.id).closed_at is None


def test_cases_past_their_retention_are_due_unless_held(engine: Engine) -> None:
    with session_scope(engine) as session:
        due, held, later, endless = (make_case(session) for _ in range(4))
        due.retain_until_on = held.retain_until_on = date(2026, 1, 1)
        later.retain_until_on = date(2026, 1, 2)
        cases.set_legal_hold(session, held.id, "appeal")
        assert cases.list_due_cases(session, date(2026, 1, 1)).rows == []
        assert cases.list_due_cases(session, date(2026, 1, 2)).rows == [due]
        assert endless not in cases.list_due_cases(session, date(2099, 1, 1)).rows


def _fill(session: Session, case: Case, files: str) -> None:
    """Put a sketch, a rendition and a report into a case, one file per letter."""
    sketch, rendition, report = files
    probe, _ = add_probe(session, new_probe(case, file=sketch))
    landmarks = add_landmarks(session, probe.id, POINTS, detector="fake")
    add_rendition(
        session,
        Rendition(
            probe_id=probe.id,
            landmark_version_id=landmarks.id,
            generator="csi",
            weights_sha256=sha256("weights"),
            seed=1,
            parameters={},
            output_sha256=sha256(rendition),
            device="cpu",
            software_version="0",
            duration_ms=1.0,
            made_by_id=case.opened_by_id,
        ),
    )
    cases.add_report(
        session,
        case_id=case.id,
        written_by_id=case.opened_by_id,
        format=ReportFormat.PDF,
        sha256=sha256(report),
        size_bytes=1,
        contents={},
        software_version="0",
    )


def test_expunging_clears_a_case_and_names_its_own_files(engine: Engine) -> None:
    with session_scope(engine) as session:
        case, other = make_case(session), make_case(session)
        _fill(session, case, "abc")
        _fill(session, other, "ade")  # holds the same sketch
        files = cases.expunge_case(session, case.id)
        assert files == {sha256("b"), sha256("c")}
        assert cases.expunge_case(session, case.id) == files
        assert case.status is CaseStatus.CLOSED
        assert cases.expunge_case(session, other.id) == {sha256(letter) for letter in "ade"}
        with pytest.raises(Conflict, match="expunged"):
            cases.reopen_case(session, case.id)
        with pytest.raises(Conflict, match="nothing left"):
            cases.set_legal_hold(session, case.id, "too late")


def test_expunged_probe_keeps_its_seal_only(engine: Engine) -> None:
    with session_scope(engine) as session:
        case = make_case(session)
        probe, _ = add_probe(session, new_probe(case, file="a"))
        cases.expunge_case(session, case.id)
        session.refresh(probe)
        assert (probe.artist, probe.source, probe.sketch_sha256) == (None, "", sha256("a"))
        assert probe.expunged_at is not None


def test_legal_hold_stops_expunging(engine: Engine) -> None:
    with session_scope(engine) as session:
        case = make_case(session)
        cases.set_legal_hold(session, case.id, "appeal 7")
        with pytest.raises(Conflict, match="appeal 7"):
            cases.expunge_case(session, case.id)
        cases.set_legal_hold(session, case.id, None)
        assert cases.expunge_case(session, case.id) == frozenset()


def test_reports_are_listed_newest_first(engine: Engine) -> None:
    with session_scope(engine) as session:
        case = make_case(session)
        _fill(session, case, "abc")
        _fill(session, case, "def")
        listed = cases.list_reports(session, case.id).rows
        assert [report.sha256 for report in listed] == [sha256("f"), sha256("c")]
