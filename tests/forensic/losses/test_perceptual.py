import pytest
import torch
from torch import Tensor

from forensic.errors import ShapeError
from forensic.losses.perceptual import feature_loss

A = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def double(images: Tensor) -> Tensor:
    return 2 * images


def test_zero_for_equal_images() -> None:
    assert feature_loss(A, A, features=double).item() == 0


def test_squared_difference_of_features() -> None:
    assert feature_loss(A + 0.5, A, features=double).item() == pytest.approx(1.0)


def test_gradient_flows_into_the_prediction_only() -> None:
    predicted, target = A.clone().requires_grad_(), (A + 0.5).requires_grad_()
    feature_loss(predicted, target, features=double).backward()
    torch.testing.assert_close(predicted.grad, torch.full_like(A, 2 * 2 * -1 / A.numel()))
    assert target.grad is None


def test_refused() -> None:
    with pytest.raises(ShapeError):
        feature_loss(A, A[:, :, :3], features=double)
