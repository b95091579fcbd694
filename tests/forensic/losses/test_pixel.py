import pytest
import torch

from forensic.errors import ShapeError
from forensic.losses.pixel import squared_error

A = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))


def test_zero_for_equal_images() -> None:
    assert squared_error(A, A).item() == 0


def test_mean_over_everything() -> None:
    shifted = A.clone()
    shifted[0] += 0.5  # one image of two is off by a half
    assert squared_error(shifted, A).item() == pytest.approx(0.125)
    assert squared_error(A, shifted).item() == pytest.approx(0.125)


def test_half_precision_is_compared_in_single() -> None:
    far = torch.full((1, 1, 2, 2), 300.0, dtype=torch.float16)  # 300^2 exceeds half precision
    assert squared_error(far, torch.zeros_like(far)).item() == 90_000


def test_gradient_is_twice_the_difference_over_n() -> None:
    predicted = A.clone().requires_grad_()
    squared_error(predicted, A - 1).backward()
    torch.testing.assert_close(predicted.grad, torch.full_like(A, 2 / A.numel()))


def test_refused() -> None:
    with pytest.raises(ShapeError):
        squared_error(A, A[:1])
