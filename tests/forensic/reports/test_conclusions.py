from itertools import combinations

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
    assert "‘csi-line’: the right person came first for 2 of 40" in weak
    assert "not shown to be better than chance" in weak
    assert "Not shown to be better than chance: ‘none’." in weak
    assert "cannot be told apart" in weak


def _changed(**parts: object) -> BenchmarkReport:
    return BenchmarkReport(**(example_report().model_dump(mode="json") | parts))


def test_first_page_names_the_primary_comparisons_and_points_to_the_others() -> None:
    record = example_report().model_dump(mode="json")
    (one,) = record["comparisons"]
    names = [f"m{number}" for number in range(8)]
    every = [one | {"a": a, "b": b} for a, b in combinations(names, 2)]
    every[9]["is_primary"] = True
    methods = dict.fromkeys(names, record["methods"]["csi-line"])
    sentences = may_be_concluded(_changed(methods=methods, comparisons=every))
    told = [sentence for sentence in sentences if "Holm" in sentence]
    assert len(told) == 2
    assert f"‘{every[9]['a']}’" in told[0]
    assert f"‘{every[9]['b']}’" in told[0]
    assert "All 28 comparisons" in told[1]
    assert "Better than chance too: all other methods (each p < 0.0001)." in sentences
    assert len(sentences) < 8


@pytest.mark.parametrize(
    ("rate", "p", "said"),
    [(0.9, 0.001, "lower: ‘csi-line’"), (0.5, 0.001, "higher: ‘csi-line’"),
     (0.9, 0.2, "not to be told from it: ‘csi-line’")],
)  # fmt: skip
def test_side_of_the_papers_rate_is_named_where_the_test_tells(
    rate: float, p: float, said: str
) -> None:
    methods = example_report().model_dump(mode="json")["methods"]
    paper = {"source": "A paper", "cms1": rate, "trials": 100, "ci95": [0, 1], "p_differs": p}
    methods["csi-line"]["published"] = paper
    sentences = " ".join(may_be_concluded(_changed(methods=methods)))
    assert f"Rank 1 against the paper's, taken as fixed: {said}." in sentences


def test_retrieval_of_the_sketched_photo_is_not_called_finding_a_person() -> None:
    report = _changed(benchmark="lfw-same-photo", sketch_kind="simulated")
    assert "the right photo came first" in may_be_concluded(report)[0]
    assert "person came first" not in " ".join(may_be_concluded(report))


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
