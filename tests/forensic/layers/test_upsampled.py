"""Convolution of enlarged maps, beside the plain way of doing it."""

import pytest
import torch
import torch.nn.functional as F

from forensic.layers.upsampled import convolve_upsampled, upsampling_matrix


def test_matrix_keeps_ends_and_lines() -> None:
    matrix = upsampling_matrix(4, 10, like=torch.zeros(1, dtype=torch.float64))
    assert matrix.shape == (10, 4)
    torch.testing.assert_close(matrix.sum(1), torch.ones(10, dtype=torch.float64))
    line = matrix @ torch.arange(4, dtype=torch.float64)
    torch.testing.assert_close(line, torch.linspace(0, 3, 10, dtype=torch.float64))


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@pytest.mark.parametrize("kernel_px", [3, 13])
def test_equals_the_plain_convolution_and_its_gradients(factor: int, kernel_px: int) -> None:
    torch.manual_seed(factor)
    size = (24, 16)
    maps = torch.randn(2, 3, size[0] // factor, size[1] // factor, dtype=torch.float64)
    kernel = torch.randn(4, 3, kernel_px, kernel_px, dtype=torch.float64)
    maps.requires_grad_()
    kernel.requires_grad_()
    large = F.interpolate(maps, size=size, mode="bilinear", align_corners=True)
    plain = F.conv2d(large, kernel, padding=kernel_px // 2)
    ours = convolve_upsampled(maps, kernel, size_hw=size)
    torch.testing.assert_close(ours, plain)
    weights = torch.randn_like(plain)
    wanted = torch.autograd.grad((plain * weights).sum(), (maps, kernel))
    found = torch.autograd.grad((ours * weights).sum(), (maps, kernel))
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)
