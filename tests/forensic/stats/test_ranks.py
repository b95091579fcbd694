import math

import numpy as np
import pytest

from forensic.errors import RangeError, ShapeError
from forensic.stats.ranks import (
    best_per_subject,
    cumulative_match_curve,
    cumulative_match_score,
    mate_ranks,
    ranks_by_blocks,
    similarity_blocks,
)


def test_rank_counts_the_more_similar_entries() -> None:
    similarities = np.array([[0.9, 0.1, 0.5], [0.9, 0.1, 0.5], [0.2, 0.1, 0.5]])
    assert mate_ranks(similarities, np.array([0, 1, 2])).tolist() == [1, 3, 1]


def test_ties_cost_all_or_half() -> None:
    similarities = np.full((1, 5), 0.5)
    mates = np.array([2])
    assert mate_ranks(similarities, mates).tolist() == [5]
    assert mate_ranks(similarities, mates, ties="expected").tolist() == [3]


def test_tolerance_turns_a_last_bit_into_a_tie() -> None:
    similarities = np.array([[0.5, np.nextafter(np.float32(0.5), 0)]], dtype=np.float32)
    mates = np.array([0])
    assert mate_ranks(similarities, mates).tolist() == [1]
    assert mate_ranks(similarities, mates, tolerance=1e-6).tolist() == [2]


def test_unenrolled_mate_is_a_miss_and_unenrolled_impostor_never_wins() -> None:
    similarities = np.array([[0.1, -np.inf], [0.1, -np.inf], [0.1, 0.3]])
    ranks = mate_ranks(similarities, np.array([0, 1, -1]))
    assert ranks.tolist() == [1, math.inf, math.inf]
    assert cumulative_match_score(ranks, 2) == pytest.approx(1 / 3)


def test_blocks_give_the_ranks_of_the_whole_matrix() -> None:
    generator = np.random.default_rng(0)
    probes, gallery = (generator.normal(size=(n, 8)).astype(np.float32) for n in (23, 40))
    mates = generator.integers(-1, 40, size=23)
    whole = mate_ranks(probes @ gallery.T, mates, tolerance=1e-6)
    for rows in (1, 7, 100):
        blocks = similarity_blocks(probes, gallery, rows=rows)
        assert np.array_equal(ranks_by_blocks(blocks, mates, tolerance=1e-6), whole)


def test_collapsing_photos_ranks_people() -> None:
    similarities = np.array([[0.1, 0.9, 0.3, 0.8]], dtype=np.float32)
    people = best_per_subject(similarities, np.array([1, 0, 1, 0]))
    assert people.tolist() == pytest.approx(np.array([[0.9, 0.3]]))
    assert mate_ranks(people, np.array([1])).tolist() == [2]


def test_curve_is_the_score_at_every_rank_and_agrees_with_chance() -> None:
    generator = np.random.default_rng(1)
    ranks = mate_ranks(generator.normal(size=(4000, 20)), generator.integers(0, 20, size=4000))
    curve = cumulative_match_curve(ranks, 20)
    assert curve.tolist() == [cumulative_match_score(ranks, r) for r in range(1, 21)]
    assert np.abs(curve - np.arange(1, 21) / 20).max() < 0.03


@pytest.mark.parametrize(
    ("similarities", "mates", "error"),
    [
        (np.array([[np.nan, 1.0]]), np.array([1]), RangeError),
        (np.zeros((1, 2)), np.array([2]), RangeError),
        (np.zeros((2, 2)), np.array([0]), ShapeError),
    ],
)
def test_refused_input(similarities: np.ndarray, mates: np.ndarray, error: type[Exception]) -> None:
    with pytest.raises(error):
        mate_ranks(similarities, mates)


def test_empty_gallery_is_all_misses_and_no_probe_has_no_score() -> None:
    assert mate_ranks(np.zeros((2, 0)), np.array([-1, -1])).tolist() == [math.inf, math.inf]
    with pytest.raises(RangeError, match="no probes"):
        cumulative_match_score(np.empty(0), 1)


def test_missing_block_is_refused() -> None:
    with pytest.raises(ShapeError):
        ranks_by_blocks([np.zeros((1, 2))], np.array([0, 1]))
