"""Random changes of aligned faces: place and shape, light and colour, paper and pencil.

Every function takes and gives (B, 3, H, W) in [0, 1]. Random numbers come from torch's global
generator, which the training loop seeds at every step; each face of a batch gets its own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from forensic.training.drawing import blur, to_gray


def jitter(faces: Tensor, *, pixels: float, turn: float, stretch: float) -> Tensor:
    """Move, turn and scale each face a little, as landmarks found with an error would.

    Args:
        faces: The faces.
        pixels: Standard deviation of the shift along each axis.
        turn: Standard deviation of the angle in radians.
        stretch: Standard deviation of the relative scale, for height and width apart.
    """
    return _sample(faces, _random_affine(faces, pixels=pixels, turn=turn, stretch=stretch))


def deform(faces: Tensor, *, pixels: float) -> Tensor:
    """Bend and misplace each face as a hand does: a jitter and a smooth displacement.

    Args:
        faces: The faces.
        pixels: Greatest standard deviation of the displacement; each face has one below it.
    """
    n, _, height, _ = faces.shape
    grid = _random_affine(faces, pixels=1.5, turn=0.04, stretch=0.04)
    amount = torch.rand(n, 1, 1, 1, device=faces.device) * pixels * 2 / height
    coarse = torch.randn(n, 2, 6, 6, device=faces.device) * amount
    field = F.interpolate(coarse, faces.shape[2:], mode="bicubic", align_corners=True)
    return _sample(faces, grid + field.permute(0, 2, 3, 1))


def relight(photos: Tensor) -> Tensor:
    """Change brightness, contrast and saturation; some photos turn gray, soft or noisy."""
    photos = _mix(photos, to_gray(photos).expand_as(photos), _random(photos, 0.6, 1.3))
    photos = _where(0.15, to_gray(photos).expand_as(photos), photos)
    photos = (photos - 0.5) * _random(photos, 0.7, 1.3) + 0.5 + _random(photos, -0.15, 0.15)
    return _spoil(photos.clamp(0, 1))


def repaper(drawings: Tensor) -> Tensor:
    """Change pencil darkness, paper tone, shadow and grain; most coloured ones turn gray."""
    drawings = _where(0.6, to_gray(drawings).expand_as(drawings), drawings)
    drawings = drawings.clamp_min(1e-3) ** _random(drawings, 0.6, 1.8)
    drawings = 1 - (1 - drawings) * _random(drawings, 0.5, 1.1)
    paper = torch.rand(len(drawings), 3, 4, 4, device=drawings.device).mean(1, keepdim=True)
    shadow = F.interpolate(paper, drawings.shape[2:], mode="bilinear", align_corners=True)
    drawings = drawings * (1 - _random(drawings, 0, 0.5) * shadow)
    return _spoil((drawings * _random(drawings, 0.8, 1.1)).clamp(0, 1))


def _spoil(images: Tensor) -> Tensor:
    """Blur some, shrink and enlarge some, and add noise to some, as scans and files do."""
    images = _where(0.15, blur(images, float(torch.empty(()).uniform_(0.5, 1.5))), images)
    small = F.interpolate(images, size=[images.shape[2] // 2, images.shape[3] // 2], mode="area")
    coarse = F.interpolate(small, size=images.shape[2:], mode="bilinear", align_corners=False)
    images = _where(0.1, coarse, images)
    noise = torch.randn_like(images[:, :1]) * _random(images, 0, 0.06)
    return _where(0.3, (images + noise).clamp(0, 1), images)


def _random_affine(faces: Tensor, *, pixels: float, turn: float, stretch: float) -> Tensor:
    """Return a sampling grid (B, H, W, 2) of a random map near the identity."""
    n, _, height, _ = faces.shape
    angle = torch.randn(n, device=faces.device) * turn
    scale = 1 + torch.randn(n, 2, device=faces.device) * stretch
    shift = torch.randn(n, 2, device=faces.device) * pixels * 2 / height
    matrix = torch.stack(
        [
            torch.stack([angle.cos() * scale[:, 0], -angle.sin(), shift[:, 0]], 1),
            torch.stack([angle.sin(), angle.cos() * scale[:, 1], shift[:, 1]], 1),
        ],
        dim=1,
    )
    return F.affine_grid(matrix, list(faces.shape), align_corners=False)


def _sample(faces: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(faces, grid, padding_mode="border", align_corners=False)


def _random(like: Tensor, low: float, high: float) -> Tensor:
    """Return (B, 1, 1, 1) numbers, one for each image."""
    return torch.empty(len(like), 1, 1, 1, device=like.device).uniform_(low, high)


def _where(share: float, changed: Tensor, images: Tensor) -> Tensor:
    """Take the changed image with probability `share`, for each image by itself."""
    return torch.where(_random(images, 0, 1) < share, changed, images)


def _mix(images: Tensor, grays: Tensor, saturation: Tensor) -> Tensor:
    return grays + (images - grays) * saturation
