import numpy as np
import pytest
import torch
from scipy.stats import pearsonr

from forensic.errors import ShapeError
from forensic.metrics.correlation import correlation

A = torch.rand(3, 3, 8, 6, generator=torch.Generator().manual_seed(0))
B = torch.rand(3, 3, 8, 6, generator=torch.Generator().manual_seed(1))


def test_one_for_equal_and_minus_one_for_negated_images() -> None:
    torch.testing.assert_close(correlation(A, A), torch.ones(3))
    torch.testing.assert_close(correlation(1 - A, A), -torch.ones(3))


def test_shift_and_scale_do_not_matter() -> None:
    torch.testing.assert_close(correlation(3 * A + 7, B), correlation(A, B))


def test_equals_scipy_on_all_values_of_an_image() -> None:
    wanted = [pearsonr(a.numpy().ravel(), b.numpy().ravel())[0] for a, b in zip(A, B, strict=True)]
    np.testing.assert_allclose(correlation(A, B), wanted, atol=1e-6)
    torch.testing.assert_close(correlation(A, B), correlation(B, A))


def test_constant_image_has_no_r() -> None:
    found = correlation(torch.cat([torch.full_like(A[:1], 0.5), A[1:]]), B)
    assert found.isnan().tolist() == [True, False, False]


def test_gradient() -> None:
    predicted = A.clone().requires_grad_()
    correlation(predicted, B).sum().backward()
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()
    better = correlation(A + 0.1 * predicted.grad, B)
    assert (better > correlation(A, B)).all()


def test_refused() -> None:
    with pytest.raises(ShapeError):
        correlation(A, B[:2])
    with pytest.raises(ShapeError):
        correlation(A[0], B[0])
