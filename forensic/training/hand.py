"""What a hand does to a face: exaggerated features, strokes, hatching, and what it leaves out.

Every function takes and gives (B, C, H, W) in [0, 1], drawn dark on light. Random numbers come
from torch's global generator, which the training loop seeds at every step; each face of a batch
gets its own unless said otherwise.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from forensic.training.drawing import blur, edges

FEATURES = ((-0.31, -0.08), (0.31, -0.08), (0.0, 0.28), (0.0, 0.65), (0.0, -0.5), (0.0, 1.0))
"""Eyes, nose, mouth, forehead and chin of an aligned face as (x, y) from -1 to 1."""


def exaggerate(faces: Tensor, *, strength: float) -> Tensor:
    """Make features larger or smaller and move them, as in a caricature.

    Args:
        faces: Aligned faces.
        strength: Greatest relative change of a feature's size.
    """
    n, _, height, width = faces.shape
    y = torch.linspace(-1, 1, height, device=faces.device).view(1, height, 1)
    x = torch.linspace(-1, 1, width, device=faces.device).view(1, 1, width)
    dx = torch.zeros(n, height, width, device=faces.device)
    dy = torch.zeros_like(dx)
    for centre_x, centre_y in FEATURES:
        grow, move_x, move_y, reach = (_each(faces, -1, 1).view(n, 1, 1) for _ in range(4))
        spread = 0.3 + 0.1 * reach
        weight = torch.exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) / (2 * spread**2))
        dx += weight * strength * (grow * (x - centre_x) + 0.2 * move_x)
        dy += weight * strength * (grow * (y - centre_y) + 0.2 * move_y)
    grid = torch.stack([x + dx, y + dy], dim=-1)
    return F.grid_sample(faces, grid, padding_mode="border", align_corners=True)


def rework_strokes(drawings: Tensor) -> Tensor:
    """Thicken or thin strokes by up to a pixel on each side."""
    thick = -F.max_pool2d(-drawings, 3, stride=1, padding=1)
    thin = F.max_pool2d(drawings, 3, stride=1, padding=1)
    amount = _each(drawings, -0.9, 0.9)
    return torch.where(
        amount > 0, torch.lerp(drawings, thick, amount.abs()), torch.lerp(drawings, thin, -amount)
    )


def contours(gray: Tensor) -> Tensor:
    """Draw few hard lines, some of them broken off: gradients cut at a level that varies.

    Args:
        gray: (B, 1, H, W) gray levels.
    """
    ink = 1 - edges(gray)
    level = ink.flatten(1).quantile(float(torch.empty(()).uniform_(0.75, 0.9)), dim=1)
    steep = _each(gray, 8, 25)
    lines = torch.sigmoid(steep * (ink - level.view(-1, 1, 1, 1).clamp_min(0.05)))
    return 1 - lines * _smooth_noise(gray, cells=5).clamp(0.2, 1)


def hatch(gray: Tensor) -> Tensor:
    """Shade with parallel pencil strokes in one direction for each face, over faint contours.

    Args:
        gray: (B, 1, H, W) gray levels.
    """
    n, _, height, width = gray.shape
    noise = torch.rand(n, 1, height, width // 8, device=gray.device)
    angle = _each(gray, -math.pi / 2, math.pi / 2).view(n)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(n, 2, 2)
    matrix = torch.cat([turn, torch.zeros(n, 2, 1, device=gray.device)], dim=2)
    grid = F.affine_grid(matrix, [n, 1, height, width], align_corners=False)
    strokes = F.grid_sample(noise, grid, padding_mode="reflection", align_corners=False)
    tone = blur(gray, float(torch.empty(()).uniform_(0.8, 2.5)))
    shade = ((1 - tone) * _each(gray, 0.6, 1.4)).clamp(0, 1)
    drawn = 1 - (shade * (0.4 + 1.2 * strokes)).clamp(0, 1) * _each(gray, 0.4, 1)
    return drawn * (1 - 0.7 * (1 - edges(gray)))


def leave_out(drawings: Tensor) -> Tensor:
    """Leave what lies outside of an oval to the paper: hair, neck and background."""
    height, width = drawings.shape[2:]
    y = torch.linspace(-1, 1, height, device=drawings.device).view(1, 1, height, 1)
    x = torch.linspace(-1, 1, width, device=drawings.device).view(1, 1, 1, width)
    across, down = _each(drawings, 0.65, 1.3), _each(drawings, 0.85, 1.4)
    distance = ((x / across) ** 2 + ((y - 0.1) / down) ** 2).sqrt()
    inside = torch.sigmoid((1 - distance) * _each(drawings, 10, 60))
    return drawings * inside + _each(drawings, 0.75, 1) * (1 - inside)


def sometimes(share: float, changed: Tensor, images: Tensor) -> Tensor:
    """Take the changed image with probability `share`, for each image by itself."""
    return torch.where(_each(images, 0, 1) < share, changed, images)


def _smooth_noise(like: Tensor, *, cells: int) -> Tensor:
    """Return (B, 1, H, W) noise around 1 that changes over a `cells`th of the image."""
    coarse = torch.rand(len(like), 1, cells, cells, device=like.device) * 1.6 + 0.2
    return F.interpolate(coarse, size=like.shape[2:], mode="bilinear", align_corners=True)


def _each(like: Tensor, low: float, high: float) -> Tensor:
    """Return (B, 1, 1, 1) numbers, one for each image."""
    return torch.empty(len(like), 1, 1, 1, device=like.device).uniform_(low, high)
