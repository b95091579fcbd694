import numpy as np
import pytest
from scipy import stats

from pipelines.benchmark.embedding import Embedded
from pipelines.benchmark.scoring import (
    build_gallery,
    compare_methods,
    score_method,
    search_all,
)


def _embedded(rows: list[list[float]], enrolled: list[bool] | None = None) -> Embedded:
    vectors = np.array(rows, dtype=np.float32).reshape(len(rows), -1)
    return Embedded(vectors, np.array(enrolled or [True] * len(rows), dtype=bool))


NOBODY = Embedded(np.zeros((0, 2), np.float32), np.zeros(0, bool))


def test_gallery_leaves_out_what_was_not_enrolled_but_counts_lost_mates() -> None:
    photos = _embedded([[1, 0], [0, 0], [0, 1]], [True, False, True])
    others = _embedded([[0, 0], [0.6, 0.8]], [False, True])
    gallery = build_gallery(photos, others, ["a", "b", "c", "x", "y"])
    assert gallery.names == ("a", "c", "y")
    assert gallery.mates.tolist() == [0, -1, 1]
    assert gallery.size == 4  # three mates and one distractor
    found = search_all(_embedded([[1, 0], [1, 0], [0.4, 0.6]]), gallery)
    assert found.ranks.tolist() == [1, np.inf, 2]
    assert found.best.tolist() == [0, 0, 2]


def test_probe_without_a_face_is_a_miss_and_has_no_candidate() -> None:
    photos = _embedded([[1, 0], [0, 1]])
    gallery = build_gallery(photos, NOBODY, ["a", "b"])
    found = search_all(_embedded([[0, 0], [0, 1]], [False, True]), gallery)
    assert found.ranks.tolist() == [np.inf, 1]
    assert found.best.tolist() == [-1, 1]


def test_record_holds_the_figures_of_its_ranks() -> None:
    ranks = np.array([1, 1, 4, 7, 60, np.inf])
    record = score_method(ranks, list("abcdef"), gallery_size=100, weights_sha256={"g": "0"})
    assert record.cms == {"1": 2 / 6, "5": 3 / 6, "10": 4 / 6, "50": 4 / 6}
    assert (record.rank1.successes, record.rank1.trials, record.failures_to_enrol) == (2, 6, 1)
    exact = stats.binomtest(2, 6, 0.01, alternative="greater")
    assert record.rank1.p_vs_chance == pytest.approx(exact.pvalue)
    both = stats.binomtest(2, 6).proportion_ci(method="exact")
    assert record.rank1.ci95 == pytest.approx((both.low, both.high))
    assert record.cms_p_vs_chance["5"] == pytest.approx(
        stats.binomtest(3, 6, 0.05, alternative="greater").pvalue
    )
    assert record.ranks == {"a": 1, "b": 1, "c": 4, "d": 7, "e": 60, "f": None}
    assert record.median_rank == 5.5
    assert len(record.cmc) == 100
    assert record.cmc[59] == pytest.approx(5 / 6)


def test_small_gallery_ends_the_curve_and_chance_is_at_most_one() -> None:
    record = score_method(np.array([1.0, 3.0]), ["a", "b"], gallery_size=3, weights_sha256={})
    assert record.cmc == [0.5, 0.5, 1.0]
    assert record.cms_p_vs_chance["5"] == 1


def test_all_pairs_are_compared_and_corrected_together() -> None:
    good, bad = np.ones(20), np.full(20, 9.0)
    same, half = good.copy(), np.where(np.arange(20) < 12, 1.0, 5.0)
    table = {(c.a, c.b): c for c in compare_methods({"g": good, "b": bad, "s": same, "h": half})}
    assert len(table) == 6
    assert table["g", "s"].mcnemar_p == 1
    assert table["g", "b"].only_a == 20
    assert table["g", "b"].mcnemar_p == pytest.approx(2 * 0.5**20)
    assert table["g", "b"].holm_p == pytest.approx(6 * 2 * 0.5**20)
    assert table["b", "h"].rate_difference == pytest.approx(-0.6)
    assert compare_methods({"g": good}) == []


def test_what_the_report_is_about_is_marked() -> None:
    ranks = {name: np.ones(8) for name in "abc"}
    marked = compare_methods(ranks, primary={("a", "c"), ("c", "b")})
    assert [(c.a, c.b) for c in marked if c.is_primary] == [("a", "c")]
