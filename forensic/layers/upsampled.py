"""Convolution of enlarged maps without the enlarged convolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def upsampling_matrix(size: int, out_size: int, *, like: Tensor) -> Tensor:
    """Return the (out_size, size) matrix of linear interpolation with aligned corners.

    Args:
        size: Samples of the short line.
        out_size: Samples of the long line.
        like: Gives type and device.
    """
    exact = torch.promote_types(like.dtype, torch.float32)
    unit = torch.eye(size, dtype=exact, device=like.device)
    long = F.interpolate(unit[None], size=out_size, mode="linear", align_corners=True)
    return long[0].T.to(like.dtype)


def convolve_upsampled(maps: Tensor, kernel: Tensor, *, size_hw: tuple[int, int]) -> Tensor:
    """Return the convolution of maps after bilinear enlargement, zeros around, size kept.

    Equal to `conv2d(interpolate(maps, size_hw, mode="bilinear", align_corners=True), kernel,
    padding="same")` up to rounding. Enlargement along columns commutes with a convolution along
    rows and with any mixture of channels. So only rows are enlarged first; every row of the kernel
    then acts on its own, at the maps' own height; and one matrix product enlarges the columns and
    adds the kernel's rows up, each at its own shift. For maps of half the height this takes a bit
    more than half the work, for an eighth a bit more than an eighth.

    Args:
        maps: (B, C, h, w).
        kernel: (O, C, k, k), k odd.
        size_hw: Height and width after enlargement.

    Returns:
        (B, O, H, W).
    """
    n_out, n_in, k, _ = kernel.shape
    height, width = size_hw
    around = (0, 0, k // 2, k // 2)
    rows = F.pad(upsampling_matrix(maps.shape[2], height, like=maps), around)
    columns = F.pad(upsampling_matrix(maps.shape[3], width, like=maps), around)
    wide = maps @ columns.T  # (B, C, h, W + k - 1)
    by_row = kernel.permute(2, 0, 1, 3).reshape(k * n_out, n_in, 1, k)
    partial = F.conv2d(wide, by_row).unflatten(1, (k, n_out))  # (B, k, O, h, W)
    shifted = rows.unfold(0, height, 1)  # (k, h, H): row y of the result takes row y + tap
    return torch.einsum("tiy,btoix->boyx", shifted, partial)
