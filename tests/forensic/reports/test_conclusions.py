import pytest

from forensic.reports.conclusions import (
    best_method,
    may_be_concluded,
    may_not_be_concluded,
    summary_text,
)
from forensic.reports.record import BenchmarkReport
from forensic.values import LEAD_ONLY
from tests.support.reports import example_report


def test_conclusions_follow_the_tests() -> None:
    sentences = " ".join(may_be_concluded(example_report()))
    assert "‘csi-line’: the right person came first for 30 of 40 sketches, 75.0 %" in sentences
    assert "‘csi-line’ finds more than ‘none’ at rank 1" in sentences
    assert "fewer than 6 of these 40 probes (15.0 pp)" in sentences
    weak = " ".join(may_be_concluded(example_report(first=1, second=2)))
    assert "‘none’: the right person came first for 1 of 40" in weak
    assert "not shown to be better than chance" in weak
    assert "cannot be told apart" in weak


@pytest.mark.parametrize(
    ("kind", "warning"), [("viewed", "witness's memory"), ("unknown", "not stated")]
)
def test_limits_name_the_kind_of_sketch(kind: str, warning: str) -> None:
    assert warning in " ".join(may_not_be_concluded(example_report(kind=kind)))
    assert warning not in " ".join(may_not_be_concluded(example_report(kind="forensic")))


def test_differently_found_mates_and_distractors_are_pointed_out() -> None:
    uneven = example_report()
    assert not any("evenly made" in s for s in may_not_be_concluded(uneven))
    record = uneven.model_dump(mode="json")
    record["landmarks"]["photo"] = {"aligned:cufs": 40}
    limits = may_not_be_concluded(BenchmarkReport(**record))
    assert any("evenly made" in sentence for sentence in limits)


def test_summary_fits_a_terminal_and_ends_with_the_notice() -> None:
    report = example_report()
    lines = summary_text(report).splitlines()
    assert lines[-1] == LEAD_ONLY
    assert max(map(len, lines[:-1])) <= 100
    assert best_method(report) == "csi-line"
