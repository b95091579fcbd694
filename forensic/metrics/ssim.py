"""Structural similarity."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from forensic.check import check_same_shape, check_shape
from forensic.errors import ShapeError

WINDOW_PX, SIGMA_PX = 11, 1.5


def ssim(predicted: Tensor, target: Tensor, *, dynamic_range: float = 1.0) -> Tensor:
    """Return the SSIM of each image, -1 to 1, higher is better, 1 for equal images.

    An 11×11 Gaussian window of deviation 1.5 where it fits wholly into the image; the mean over
    positions is taken per channel and then over channels.

    Args:
        predicted: (B, C, H, W) float, height and width at least 11.
        target: Same shape and range.
        dynamic_range: Largest possible value, 1 for images in [0, 1].

    Returns:
        (B,) float.

    Raises:
        ShapeError: The shapes differ, are not four-dimensional, or are smaller than the window.

    Source:
        Wang et al., Image quality assessment, 2004, with its window; the constants are those
        of Güçlütürk et al. 2016, section 4.2 (0.01 and 0.03 of the range, squared).
    """
    check_shape(predicted, (None, None, None, None), name="predicted")
    check_same_shape(predicted, target, names="prediction and target")
    if min(predicted.shape[2:]) < WINDOW_PX:
        raise ShapeError(
            f"SSIM needs at least {WINDOW_PX} pixels a side, got {tuple(predicted.shape[2:])}.",
            actual_shape=tuple(predicted.shape),
            expected_shape=f"sides of {WINDOW_PX} or more",
        )
    x, y = predicted.double(), target.double()
    mean_x, mean_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mean_x**2
    var_y = _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * dynamic_range) ** 2, (0.03 * dynamic_range) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return (luminance * structure).mean(dim=(1, 2, 3)).float()


SCRIPT_WINDOW_PX = 51
SCRIPT_LUMA = (0.2125, 0.7154, 0.0721)


def script_ssim(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the SSIM of gray levels under a flat 51×51 window, -1 to 1, higher is better.

    This is what the evaluation script of EdgeConnect computes, the ancestor of Cali-Sketch, and
    therefore a likely reading of the SSIM in its tables: weights of BT.709, variances of a sample,
    positions where the window fits wholly into the image.

    Args:
        predicted: (B, 3, H, W) float in [0, 1], height and width at least 51.
        target: Same shape and range.

    Returns:
        (B,) float.

    Raises:
        ShapeError: The shapes differ, have not three channels, or are smaller than the window.
    """
    check_shape(predicted, (None, 3, None, None), name="predicted")
    check_same_shape(predicted, target, names="prediction and target")
    if min(predicted.shape[2:]) < SCRIPT_WINDOW_PX:
        raise ShapeError(
            f"This SSIM needs at least {SCRIPT_WINDOW_PX} pixels a side, got "
            f"{tuple(predicted.shape[2:])}.",
            actual_shape=tuple(predicted.shape),
            expected_shape=f"sides of {SCRIPT_WINDOW_PX} or more",
        )
    luma = torch.tensor(SCRIPT_LUMA, dtype=torch.float64, device=predicted.device).view(1, 3, 1, 1)
    x, y = ((image.double() * luma).sum(1, keepdim=True) for image in (predicted, target))

    def mean(values: Tensor) -> Tensor:
        return F.avg_pool2d(values, SCRIPT_WINDOW_PX, stride=1)

    n = SCRIPT_WINDOW_PX**2
    unbiased = n / (n - 1)
    mean_x, mean_y = mean(x), mean(y)
    var_x = unbiased * (mean(x * x) - mean_x**2)
    var_y = unbiased * (mean(y * y) - mean_y**2)
    covariance = unbiased * (mean(x * y) - mean_x * mean_y)
    luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    structure = (2 * covariance + 0.03**2) / (var_x + var_y + 0.03**2)
    return (luminance * structure).mean(dim=(1, 2, 3)).float()


def _blur(images: Tensor) -> Tensor:
    """Return images under the window where it fits wholly.

    Two products with band matrices take a quarter of the time of convolutions in double precision,
    which no library is fast at, up to several hundred pixels a side.
    """
    return _bands(images.shape[2], images) @ images @ _bands(images.shape[3], images).mT


def _bands(n: int, like: Tensor) -> Tensor:
    """Return the (n - 10, n) matrix whose rows hold the window, each one place further on."""
    place = torch.arange(n, dtype=like.dtype, device=like.device)
    offsets = place - place[: n - WINDOW_PX + 1, None] - WINDOW_PX // 2
    taps = torch.exp(-(offsets**2) / (2 * SIGMA_PX**2))
    taps = taps.where(offsets.abs() <= WINDOW_PX // 2, 0)
    return taps / taps.sum(dim=1, keepdim=True)
