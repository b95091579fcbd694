"""Drawings of photos made batch by batch in torch, so that no two epochs see the same one.

Every function takes and gives (B, 1, H, W) gray levels in [0, 1]. Random numbers come from
torch's global generator, which the training loop seeds at every step.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from forensic.images.color import LUMA


def draw(photos: Tensor) -> Tensor:
    """Return a drawing of each photo, (B, 3, H, W) to (B, 3, H, W), by an operator of its own.

    One strength of each operator is drawn per batch, one operator per photo.
    """
    gray = to_gray(photos)
    drawn = torch.stack([dodge(gray), difference_of_gaussians(gray), edges(gray), shaded(gray)])
    way = torch.randint(len(drawn), (len(photos),), device=photos.device)
    chosen = drawn[way, torch.arange(len(photos), device=photos.device)]
    return chosen.expand(-1, 3, -1, -1)


def to_gray(images: Tensor) -> Tensor:
    """Return the luminance (B, 1, H, W) of (B, 3, H, W) images."""
    weights = torch.as_tensor(LUMA, dtype=images.dtype, device=images.device)
    return (images * weights.view(1, 3, 1, 1)).sum(1, keepdim=True)


def dodge(gray: Tensor, *, sigma: float | None = None, darkness: float | None = None) -> Tensor:
    """Divide by a blur: soft pencil lines on white paper, as `forensic.sketches.line` does.

    Args:
        gray: Gray levels.
        sigma: Deviation of the blur in pixels, by chance if not given.
        darkness: Exponent that darkens the lines, by chance if not given.
    """
    sigma = _between(1.5, 6.0) if sigma is None else sigma
    darkness = _between(1.0, 2.5) if darkness is None else darkness
    return (gray / blur(gray, sigma).clamp_min(1 / 255)).clamp(0, 1) ** darkness


def difference_of_gaussians(gray: Tensor) -> Tensor:
    """Threshold a sharpened difference of Gaussians softly: ink with filled dark areas.

    Source:
        Winnemöller, Kyprianidis, Olsen: XDoG, Computers & Graphics 2012, equations 5 and 7.
    """
    sigma, share = _between(0.7, 1.6), _between(0.92, 0.985)
    sharp = (blur(gray, sigma) - share * blur(gray, 1.6 * sigma)) / (1 - share)
    threshold = _between(0.35, 0.8)
    ink = 1 + torch.tanh(_between(2.0, 10.0) * (sharp - threshold))
    return torch.where(sharp >= threshold, torch.ones_like(ink), ink).clamp(0, 1)


def edges(gray: Tensor) -> Tensor:
    """Draw the gradient's magnitude: contours without shading."""
    smooth = blur(gray, _between(0.5, 1.5))
    padded = F.pad(smooth, (1, 1, 1, 1), mode="replicate")
    dx = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    dy = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    lines = (torch.hypot(dx, dy) - _between(0.0, 0.04)).clamp_min(0)
    return (1 - _between(2.0, 7.0) * lines).clamp(0, 1)


def shaded(gray: Tensor) -> Tensor:
    """Mix pencil lines with the softened gray levels, as in a portrait with shadows."""
    tone = blur(gray, _between(0.5, 2.0))
    tone = ((tone - 0.5) * _between(0.6, 1.4) + _between(0.45, 0.75)).clamp(0, 1)
    weight = _between(0.3, 0.9)
    return dodge(gray) * (weight * tone + 1 - weight)


def blur(images: Tensor, sigma: float) -> Tensor:
    """Return (B, C, H, W) images under a Gaussian of `sigma` pixels, edges repeated.

    Two products with banded matrices, on a CPU several times as fast as convolutions of few
    channels.
    """
    height, width = images.shape[2:]
    down, across = _blur_matrix(height, sigma).to(images), _blur_matrix(width, sigma).to(images)
    return down @ (images.contiguous() @ across.T)


def _blur_matrix(size: int, sigma: float) -> Tensor:
    """Return the (size, size) matrix that blurs a column, its ends repeated beyond the border."""
    radius = max(1, math.ceil(2.5 * sigma))
    places = torch.arange(-radius, radius + 1)
    taps = torch.exp(-(places**2) / (2 * sigma**2))
    sources = (torch.arange(size)[:, None] + places).clamp(0, size - 1)
    matrix = torch.zeros(size, size)
    return matrix.scatter_add_(1, sources, (taps / taps.sum()).expand(size, -1))


def _between(low: float, high: float) -> float:
    return float(torch.empty(()).uniform_(low, high))
