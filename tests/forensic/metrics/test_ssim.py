import numpy as np
import pytest
import torch

from forensic.errors import ShapeError
from forensic.metrics.ssim import script_ssim, ssim

A = torch.rand(2, 3, 14, 13, generator=torch.Generator().manual_seed(0))
B = torch.rand(2, 3, 14, 13, generator=torch.Generator().manual_seed(1))


def naive_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """Return Wang's SSIM of two (H, W) images by visiting every window."""
    offsets = np.arange(11) - 5
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    weights /= weights.sum()
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for row, column in np.ndindex(x.shape[0] - 10, x.shape[1] - 10):
        a, b = (i[row : row + 11, column : column + 11] for i in (x, y))
        mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
        var_a = (weights * (a - mean_a) ** 2).sum()
        var_b = (weights * (b - mean_b) ** 2).sum()
        both = (weights * (a - mean_a) * (b - mean_b)).sum()
        values.append(
            (2 * mean_a * mean_b + c1)
            * (2 * both + c2)
            / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
        )
    return float(np.mean(values))


def test_one_for_equal_images() -> None:
    torch.testing.assert_close(ssim(A, A), torch.ones(2))


def test_constant_images_leave_the_luminance_term() -> None:
    """Without variance SSIM is (2 a b + c1) / (a² + b² + c1)."""
    a, b = torch.full_like(A, 0.2), torch.full_like(A, 0.8)
    wanted = (2 * 0.2 * 0.8 + 1e-4) / (0.2**2 + 0.8**2 + 1e-4)
    assert ssim(a, b).tolist() == pytest.approx([wanted] * 2, abs=1e-6)


def test_equals_the_definition() -> None:
    wanted = [
        np.mean(
            [naive_ssim(x.double().numpy(), y.double().numpy()) for x, y in zip(a, b, strict=True)]
        )
        for a, b in zip(A, B, strict=True)
    ]
    np.testing.assert_allclose(ssim(A, B), wanted, atol=1e-6)


def test_symmetric_and_free_of_scale_with_its_range() -> None:
    torch.testing.assert_close(ssim(A, B), ssim(B, A))
    torch.testing.assert_close(ssim(255 * A, 255 * B, dynamic_range=255), ssim(A, B))


def test_negated_structure_is_below_zero() -> None:
    centred = A - A.mean(dim=(2, 3), keepdim=True)
    assert (ssim(0.5 + centred, 0.5 - centred) < 0).all()


def test_gradient() -> None:
    predicted = A.clone().requires_grad_()
    ssim(predicted, B).sum().backward()
    assert predicted.grad is not None
    assert (ssim(A + 0.1 * predicted.grad.sign(), B) > ssim(A, B)).all()


def test_eleven_pixels_are_the_least() -> None:
    assert ssim(A[:, :, :11, :11], B[:, :, :11, :11]).shape == (2,)
    with pytest.raises(ShapeError, match="at least 11"):
        ssim(A[:, :, :10], B[:, :, :10])


def test_refused() -> None:
    with pytest.raises(ShapeError):
        ssim(A, B[:1])
    with pytest.raises(ShapeError):
        ssim(A[0], B[0])


def test_script_ssim_of_one_window_by_hand() -> None:
    """On 51×51 pixels there is one position: the formula over all of them, sample variances."""
    draw = torch.Generator().manual_seed(4)
    x, y = torch.rand(2, 1, 3, 51, 51, generator=draw, dtype=torch.float64).unbind()
    luma = torch.tensor([0.2125, 0.7154, 0.0721], dtype=torch.float64).view(1, 3, 1, 1)
    a, b = (x * luma).sum(1).flatten(), (y * luma).sum(1).flatten()
    covariance = torch.cov(torch.stack([a, b]))
    wanted = (2 * a.mean() * b.mean() + 1e-4) * (2 * covariance[0, 1] + 9e-4)
    wanted /= (a.mean() ** 2 + b.mean() ** 2 + 1e-4) * (covariance.trace() + 9e-4)
    assert script_ssim(x, y).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_script_ssim_of_equal_images_is_one_and_small_ones_are_refused() -> None:
    images = torch.rand(2, 3, 60, 52, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(script_ssim(images, images), torch.ones(2))
    assert (script_ssim(images, 1 - images) < 0).all()
    with pytest.raises(ShapeError, match="51"):
        script_ssim(images[..., :50], images[..., :50])
    with pytest.raises(ShapeError):
        script_ssim(images[:, :1], images[:, :1])
