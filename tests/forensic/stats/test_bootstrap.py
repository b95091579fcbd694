import numpy as np
import pytest

from forensic.errors import RangeError, ShapeError
from forensic.stats.bootstrap import bootstrap_mean


def test_error_of_a_proportion_is_the_binomial_one() -> None:
    values = np.array([1.0] * 70 + [0.0] * 30)
    result = bootstrap_mean(values)
    assert result.mean == pytest.approx(0.7)
    assert result.standard_error == pytest.approx(np.sqrt(0.7 * 0.3 / 100), rel=0.03)
    assert result.ci95 == pytest.approx((0.61, 0.79), abs=0.011)


def test_seed_decides_every_digit() -> None:
    values = np.random.default_rng(0).normal(size=40)
    assert bootstrap_mean(values, seed=5) == bootstrap_mean(values, seed=5)
    assert bootstrap_mean(values, seed=5) != bootstrap_mean(values, seed=6)


def test_pictures_of_one_person_are_not_independent() -> None:
    generator = np.random.default_rng(1)
    people = np.repeat(np.arange(50), 20)
    values = generator.normal(size=50)[people] + 0.1 * generator.normal(size=1000)
    naive, clustered = bootstrap_mean(values), bootstrap_mean(values, clusters=people)
    assert clustered.n_clusters == 50
    assert clustered.standard_error > 3 * naive.standard_error
    assert clustered.standard_error == pytest.approx(
        np.bincount(people, values).std() / 20 / np.sqrt(50), rel=0.05
    )


def test_labels_may_be_names_and_clusters_of_unequal_size() -> None:
    values = np.array([1.0, 2.0, 3.0, 10.0])
    result = bootstrap_mean(values, clusters=np.array(["a", "a", "a", "b"]))
    assert result.mean == 4.0
    assert result.ci95 == pytest.approx((2.0, 10.0))


@pytest.mark.slow
def test_interval_covers_the_truth() -> None:
    generator = np.random.default_rng(7)
    covered = [
        low <= 0 <= high
        for low, high in (
            bootstrap_mean(generator.normal(size=60), seed=trial).ci95 for trial in range(200)
        )
    ]
    assert 0.90 <= np.mean(covered) <= 0.99


def test_refused_input() -> None:
    with pytest.raises(RangeError, match="at least one value"):
        bootstrap_mean(np.empty(0))
    with pytest.raises(RangeError, match="finite"):
        bootstrap_mean(np.array([np.nan]))
    with pytest.raises(RangeError, match="10000"):
        bootstrap_mean(np.ones(3), n_bootstraps=100)
    with pytest.raises(ShapeError):
        bootstrap_mean(np.ones(3), clusters=np.ones(2))
