from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from db.models import Job, JobState, Verdict
from forensic.cases.audit import Tag
from forensic.cases.jobs import JobKind
from forensic.web.pages import words


@pytest.mark.parametrize("tag", Tag)
def test_every_event_has_words(tag: Tag) -> None:
    told = words.happening(SimpleNamespace(tag=tag.value))
    assert ":" not in told
    assert "_" not in told
    assert tag.value.split(":")[2] in words.DONE


def test_events_read_like_sentences() -> None:
    assert words.happening(SimpleNamespace(tag=Tag.PROBE_SEALED)) == "Sketch sealed"
    assert words.happening(SimpleNamespace(tag=Tag.LOGIN_FAILED)) == "Session refused"


@pytest.mark.parametrize("kind", JobKind)
def test_every_kind_of_job_says_what_it_does(kind: JobKind) -> None:
    assert words.work(Job(kind=kind.value))[0].isupper()


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"state": JobState.QUEUED}, "Waiting for the worker."),
        ({"state": JobState.RUNNING, "total": 0, "done": 0}, "Under way."),
        ({"state": JobState.RUNNING, "total": 1200, "done": 40}, "40 of 1,200 done."),
        ({"state": JobState.FAILED, "reason_code": "no_face", "detail": None}, "Failed: no_face."),
        (
            {"state": JobState.FAILED, "reason_code": "x", "detail": "Disk full."},
            "Failed: Disk full.",
        ),
        ({"state": JobState.SUCCEEDED}, "Done."),
        (
            {"state": JobState.SUCCEEDED, "counts": {"indexed": 1200, "rejected": 3}},
            "Done: 1,200 indexed, 3 rejected.",
        ),
        ({"state": JobState.CANCELLED}, "Cancelled."),
    ],
)
def test_the_state_of_a_job_in_words(facts: dict[str, object], told: str) -> None:
    assert words.state_words(Job(**facts)) == told


@pytest.mark.parametrize(
    ("n_bytes", "told"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (4 * 2**30, "4.3 GB")]
)
def test_sizes(n_bytes: int, told: str) -> None:
    assert words.size(n_bytes) == told


def test_instants_are_told_in_utc_and_verdicts_in_words() -> None:
    assert words.clock(datetime(2026, 3, 1, 8, 5, tzinfo=UTC)) == "2026-03-01 08:05 UTC"
    assert words.plain(Verdict.POTENTIAL_CANDIDATE) == "potential candidate"


def test_nested_values_in_one_line() -> None:
    value = {"min_face_px": 40, "names": ["a", "b"], "none": None, "ok": True, "empty": []}
    assert words.listed(value) == "min face px: 40; names: a, b; ok: yes; empty: none"
