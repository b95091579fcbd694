import math

import pytest
import torch

from forensic.errors import ShapeError
from forensic.metrics.psnr import pooled_psnr, psnr

A = torch.rand(3, 3, 8, 6, generator=torch.Generator().manual_seed(0))


def test_equal_images_are_infinite() -> None:
    assert psnr(A, A).tolist() == [math.inf] * 3


@pytest.mark.parametrize(("error", "decibel"), [(0.1, 20.0), (0.01, 40.0), (1.0, 0.0)])
def test_constant_error(error: float, decibel: float) -> None:
    assert psnr(A + error, A).tolist() == pytest.approx([decibel] * 3, abs=1e-3)


def test_decibels_are_averaged_over_channels_not_errors() -> None:
    """Equation 4 of the paper: 20, 40 and 60 dB make 40, while the pooled error makes 24.7."""
    error = torch.tensor([0.1, 0.01, 0.001]).view(1, 3, 1, 1)
    found = psnr(A + error, A)
    assert found.tolist() == pytest.approx([40.0] * 3, abs=0.01)
    pooled = -10 * math.log10((1e-2 + 1e-4 + 1e-6) / 3)
    assert pooled == pytest.approx(24.73, abs=0.01)


def test_range_and_scale_cancel() -> None:
    noisy = A + 0.05
    torch.testing.assert_close(psnr(255 * noisy, 255 * A, dynamic_range=255), psnr(noisy, A))


def test_symmetric_and_one_figure_an_image() -> None:
    noisy = (A + torch.randn(A.shape, generator=torch.Generator().manual_seed(1)) / 10).clamp(0, 1)
    torch.testing.assert_close(psnr(noisy, A), psnr(A, noisy))
    torch.testing.assert_close(psnr(noisy, A)[1:2], psnr(noisy[1:2], A[1:2]))


def test_gradient_points_to_the_target() -> None:
    predicted = (A + 0.1).requires_grad_()
    psnr(predicted, A).sum().backward()
    assert predicted.grad is not None
    assert (predicted.grad < 0).all()


def test_refused() -> None:
    with pytest.raises(ShapeError):
        psnr(A, A[:1])
    with pytest.raises(ShapeError):
        psnr(A[0], A[0])


def test_pooled_psnr_takes_one_error_over_all_channels() -> None:
    """Errors of 0.1, 0.2 and 0.3: 10 log10(3 / 0.14), and not the mean of three decibels."""
    target = torch.zeros(1, 3, 4, 4)
    predicted = torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    assert pooled_psnr(predicted, target).item() == pytest.approx(10 * math.log10(3 / 0.14))
    assert pooled_psnr(predicted, target) < psnr(predicted, target)
    assert pooled_psnr(target, target).item() == math.inf


def test_pooled_psnr_in_bytes() -> None:
    target = torch.zeros(1, 3, 4, 4)
    assert pooled_psnr(target + 25.5, target, dynamic_range=255).item() == pytest.approx(20)
    with pytest.raises(ShapeError):
        pooled_psnr(target, target[:, :1])
