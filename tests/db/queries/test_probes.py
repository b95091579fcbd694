from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine

from db.errors import Conflict, Invalid, NotFound
from db.models import LandmarkOrigin, Rendition
from db.queries import probes
from db.queries.cases import close_case
from db.session import session_scope
from tests.support.factories import POINTS, make_case, new_probe, sha256, unknown_id


def test_the_same_file_is_one_probe_per_case(engine: Engine) -> None:
    with session_scope(engine) as session:
        case, other = make_case(session), make_case(session)
        first, is_new = probes.add_probe(session, new_probe(case, file="a"))
        again, is_new_again = probes.add_probe(session, new_probe(case, file="a"))
        elsewhere, is_new_elsewhere = probes.add_probe(session, new_probe(other, file="a"))
        assert (is_new, is_new_again, is_new_elsewhere) == (True, False, True)
        assert first is again
        assert first is not elsewhere
        assert probes.list_probes(session, case.id).rows == [first]


def test_closed_case_takes_no_sketch(engine: Engine) -> None:
    with session_scope(engine) as session:
        case = make_case(session)
        close_case(session, case.id)
        with pytest.raises(Conflict, match="closed"):
            probes.add_probe(session, new_probe(case))


def test_probe_of_another_case_is_not_found(engine: Engine) -> None:
    with session_scope(engine) as session:
        case = make_case(session)
        probe, _ = probes.add_probe(session, new_probe(case))
        assert probes.get_probe(session, probe.id, case_id=case.id) is probe
        with pytest.raises(NotFound):
            probes.get_probe(session, probe.id, case_id=unknown_id())


def test_landmarks_are_versions(engine: Engine) -> None:
    moved = [[x + 1, y] for x, y in POINTS]
    with session_scope(engine) as session:
        case = make_case(session)
        probe, _ = probes.add_probe(session, new_probe(case))
        assert probes.find_landmarks(session, probe.id) is None
        found = probes.add_landmarks(session, probe.id, POINTS, detector="mtcnn")
        mended = probes.add_landmarks(session, probe.id, moved, author_id=case.opened_by_id)
        assert (found.number, found.origin) == (1, LandmarkOrigin.DETECTOR)
        assert (mended.number, mended.origin) == (2, LandmarkOrigin.PERSON)
    with session_scope(engine) as session:
        latest = probes.find_landmarks(session, probe.id)
        assert latest is not None
        assert latest.points == moved
        first = probes.find_landmarks(session, probe.id, number=1)
        assert first is not None
        assert first.points == POINTS
        assert len(probes.list_landmarks(session, probe.id).rows) == 2


def test_corrections_at_once_get_different_numbers(engine: Engine) -> None:
    with session_scope(engine) as session:
        probe, _ = probes.add_probe(session, new_probe(make_case(session)))

    def correct() -> None:
        for _ in range(4):
            with session_scope(engine) as session:
                probes.add_landmarks(session, probe.id, POINTS, detector="fake")

    threads = [threading.Thread(target=correct) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with session_scope(engine) as session:
        numbers = [row.number for row in probes.list_landmarks(session, probe.id).rows]
    assert numbers == list(range(1, 13))


@pytest.mark.parametrize("points", [[], POINTS[:4], [*POINTS[:4], [1.0]], [*POINTS, [1.0, 2.0]]])
def test_malformed_landmarks_are_refused(engine: Engine, points: list[list[float]]) -> None:
    with pytest.raises(Invalid, match="five points"), session_scope(engine) as session:
        probes.add_landmarks(session, unknown_id(), points, detector="fake")


def test_landmarks_by_nobody_are_refused(engine: Engine) -> None:
    with pytest.raises(Invalid, match="placed"), session_scope(engine) as session:
        probes.add_landmarks(session, unknown_id(), POINTS)


def test_rendition_with_landmarks_of_another_probe_is_refused(engine: Engine) -> None:
    with session_scope(engine) as session:
        case = make_case(session)
        one, other = (probes.add_probe(session, new_probe(case))[0] for _ in range(2))
        landmarks = probes.add_landmarks(session, other.id, POINTS, detector="fake")
        rendition = Rendition(
            probe_id=one.id,
            landmark_version_id=landmarks.id,
            generator="csi",
            weights_sha256=sha256("weights"),
            seed=2**40,
            parameters={},
            output_sha256=sha256("photo"),
            device="cpu",
            software_version="0",
            duration_ms=1.0,
            made_by_id=case.opened_by_id,
        )
        with pytest.raises(Conflict, match="another probe"):
            probes.add_rendition(session, rendition)
        rendition.probe_id = other.id
        probes.add_rendition(session, rendition)
        assert probes.list_renditions(session, other.id).rows == [rendition]


def test_withdrawn_probe_stays_in_the_record(engine: Engine) -> None:
    with session_scope(engine) as session:
        case = make_case(session)
        probe, _ = probes.add_probe(session, new_probe(case))
        first = probes.withdraw_probe(session, probe.id).withdrawn_at
        assert probes.withdraw_probe(session, probe.id).withdrawn_at == first
        assert probes.list_probes(session, case.id).rows == [probe]
