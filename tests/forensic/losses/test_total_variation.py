import math

import pytest
import torch

from forensic.errors import ShapeError
from forensic.losses.total_variation import EPSILON, total_variation

A = torch.rand(2, 3, 6, 5, generator=torch.Generator().manual_seed(0))


def test_constant_image_has_the_root_of_epsilon_a_pixel() -> None:
    flat = torch.full((4, 3, 6, 5), 0.7)
    assert total_variation(flat).item() == pytest.approx(3 * 5 * 4 * math.sqrt(EPSILON), rel=1e-4)


def test_ramp_has_its_slope_a_pixel() -> None:
    """3 right and 4 down a pixel make gradients of length 5 at each of the 5 × 4 positions."""
    ramp = 4.0 * torch.arange(6).view(1, 1, 6, 1) + 3.0 * torch.arange(5).view(1, 1, 1, 5)
    assert total_variation(ramp).item() == pytest.approx(5 * 4 * 5, rel=1e-6)


def test_sum_over_pixels_and_mean_over_the_batch() -> None:
    one = total_variation(A[:1]) + total_variation(A[1:])
    torch.testing.assert_close(total_variation(A), one / 2)


def test_a_step_is_counted_once() -> None:
    image = torch.zeros(1, 1, 5, 5)
    image[..., 3:] = 9.0
    assert total_variation(image).item() == pytest.approx(4 * 9, rel=1e-3)


def test_gradient_is_finite_on_a_constant_image_and_right_elsewhere() -> None:
    flat = torch.full((1, 1, 4, 4), 0.5, requires_grad=True)
    total_variation(flat).backward()
    assert flat.grad is not None
    assert flat.grad.isfinite().all()
    assert torch.autograd.gradcheck(total_variation, A[:1].double().requires_grad_())


def test_refused() -> None:
    with pytest.raises(ShapeError):
        total_variation(A[0])
