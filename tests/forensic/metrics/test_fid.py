"""Distances of sets, by Gaussians whose distance algebra gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from forensic.errors import ShapeError
from forensic.metrics.fid import Gaussian, frechet_distance, kernel_distance


def covariance(seed: int, n: int = 4) -> np.ndarray:
    root = np.random.default_rng(seed).standard_normal((n, n))
    return root @ root.T


def test_equal_covariances_leave_the_distance_of_the_means() -> None:
    shape = covariance(0)
    first, second = Gaussian(np.zeros(4), shape), Gaussian(np.array([1.0, 2, 0, 2]), shape)
    assert frechet_distance(first, second) == pytest.approx(9)


def test_commuting_covariances() -> None:
    """Diagonal: the sum of squared differences of the deviations."""
    first = Gaussian(np.zeros(3), np.diag([1.0, 4, 9]))
    second = Gaussian(np.zeros(3), np.diag([4.0, 4, 0]))
    assert frechet_distance(first, second) == pytest.approx(1 + 0 + 9)


@given(st.integers(0, 1000), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_formula_of_the_paper(a: int, b: int) -> None:
    first, second = Gaussian(np.zeros(4), covariance(a)), Gaussian(np.ones(4), covariance(b))
    root = np.real(sqrtm(first.covariance @ second.covariance))
    wanted = 4 + np.trace(first.covariance + second.covariance - 2 * root)
    assert frechet_distance(first, second) == pytest.approx(wanted, abs=1e-6)
    assert frechet_distance(second, first) == pytest.approx(wanted, abs=1e-6)


def test_fewer_images_than_features_are_fine() -> None:
    features = np.random.default_rng(0).standard_normal((5, 50))
    gaussian = Gaussian.of(features)
    assert frechet_distance(gaussian, gaussian) == pytest.approx(0, abs=1e-6)


def test_gaussian_of_features() -> None:
    gaussian = Gaussian.of(np.array([[0.0, 1], [2, 1], [4, 4]]))
    assert gaussian.mean.tolist() == [2, 2]
    np.testing.assert_allclose(gaussian.covariance, [[4, 3], [3, 3]])


def test_kernel_distance_by_hand() -> None:
    """One feature: kernel (xy + 1)³ over pairs of different images, and over all across."""
    x, y = np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]])
    within = 1 + 27  # (0·1 + 1)³ and (1·2 + 1)³
    across = (1 + 1 + 8 + 27) / 4
    assert kernel_distance(x, y) == pytest.approx(within - 2 * across)


def test_kernel_distance_is_unbiased_and_sees_a_shift() -> None:
    draw = np.random.default_rng(1)
    same = [
        kernel_distance(draw.standard_normal((30, 4)), draw.standard_normal((20, 4)))
        for _ in range(200)
    ]
    error = np.std(same) / np.sqrt(len(same))
    assert abs(np.mean(same)) < 4 * error
    assert kernel_distance(draw.standard_normal((30, 4)), 1 + draw.standard_normal((20, 4))) > 1


def test_refused() -> None:
    row = np.zeros((1, 3))
    with pytest.raises(ShapeError):
        Gaussian.of(row)
    with pytest.raises(ShapeError):
        Gaussian.of(np.zeros(3))
    with pytest.raises(ShapeError):
        frechet_distance(Gaussian.of(np.eye(3)), Gaussian.of(np.eye(2)))
    with pytest.raises(ShapeError):
        kernel_distance(row, np.zeros((4, 3)))
    with pytest.raises(ShapeError):
        kernel_distance(np.zeros((4, 3)), np.zeros((4, 2)))
