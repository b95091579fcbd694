"""The one door between (H, W, C) uint8 arrays and (B, C, H, W) float tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from forensic.check import check_shape
from forensic.errors import DtypeError


def images_to_tensor(images: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]) -> torch.Tensor:
    """Return a batch of images as (B, C, H, W) float32 in [0, 1], channels-last in memory.

    Args:
        images: (B, H, W, C) uint8, or a sequence of (H, W, C) of one size.

    Raises:
        ShapeError: The batch is not four-dimensional.
        DtypeError: The images are not uint8.
        ValueError: The images differ in size.
    """
    batch = np.ascontiguousarray(
        np.stack(list(images)) if not isinstance(images, np.ndarray) else images
    )
    check_shape(batch, (None, None, None, None), name="image batch")
    if batch.dtype != np.uint8:
        raise DtypeError(f"image batch has dtype {batch.dtype}, expected uint8 in 0..255.")
    if not batch.flags.writeable:
        batch = batch.copy()  # torch warns of arrays that it may not write into
    return torch.from_numpy(batch).permute(0, 3, 1, 2).float().div_(255.0)


def tensor_to_images(tensor: torch.Tensor) -> NDArray[np.uint8]:
    """Return (B, C, H, W) float in [0, 1] as (B, H, W, C) uint8; values outside are clipped.

    Raises:
        ShapeError: The tensor is not four-dimensional.
    """
    check_shape(tensor, (None, None, None, None), name="image tensor")
    scaled = tensor.detach().float().clamp(0, 1).mul(255).round().to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).cpu().numpy())
