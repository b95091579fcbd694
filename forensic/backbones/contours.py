"""The contours of a photo, by whichever detector is to be had; results carry its name.

Three can serve: HED, which the paper names; PiDiNet, which was trained on the same contours; and,
where the weights of both are missing, a gradient operator, which draws every edge alike.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor, nn

from forensic.backbones.files import read_tensors
from forensic.backbones.hed import HED, load_hed
from forensic.backbones.pidinet import PiDiNet, load_pidinet
from forensic.check import check_shape
from forensic.images.tensors import images_to_tensor, tensor_to_images
from forensic.layers.memory import to_channels_last

OPERATOR = "gradient"
"""What to ask for where no learned detector is to be had."""

BATCH = 8


class GradientContours(nn.Module):
    """One minus a Gaussian of the largest gradient of the blurred channels.

    Args:
        sigma_px: Deviation of the blur.
        soft: Sobel's magnitude at which the contour reaches 1 - 1/e.
    """

    name = "gradient operator (no learned contours)"

    def __init__(self, *, sigma_px: float = 2.0, soft: float = 0.25) -> None:
        super().__init__()
        self.soft = soft
        radius = round(3 * sigma_px)
        places = torch.arange(-radius, radius + 1, dtype=torch.float32)
        taps = torch.exp(-(places**2) / (2 * sigma_px**2))
        self.register_buffer("taps", taps / taps.sum())

    def forward(self, images: Tensor) -> Tensor:
        """Return contour maps (B, 1, H, W) in [0, 1] for images (B, 3, H, W) in [0, 1].

        Raises:
            ShapeError: The images are not (B, 3, H, W).
        """
        check_shape(images, (None, 3, None, None), name="image batch")
        taps: Tensor = self.taps  # type: ignore[assignment]
        smooth = _along(images, taps.view(1, 1, -1, 1))
        smooth = _along(smooth, taps.view(1, 1, 1, -1))
        mean, change = taps.new_tensor([1.0, 2.0, 1.0]), taps.new_tensor([-1.0, 0.0, 1.0])
        dx = _along(smooth, torch.outer(mean, change).view(1, 1, 3, 3))
        dy = _along(smooth, torch.outer(change, mean).view(1, 1, 3, 3))
        largest = (dx.square() + dy.square()).amax(1, keepdim=True)
        return 1 - torch.exp(-largest / self.soft**2)


ContourDetector = HED | PiDiNet | GradientContours
"""A frozen network from RGB images in [0, 1] to contour maps (B, 1, H, W), with a `name`."""


def load_contours(source: str) -> ContourDetector:
    """Return a contour detector: `gradient` for the operator, or a file of HED or PiDiNet.

    Raises:
        MissingWeights: The file is not there.
        WeightsError: It is neither of the two networks.
    """
    if source == OPERATOR:
        return GradientContours()
    path = Path(source)
    names = read_tensors(
        path,
        remedy="Run `forensic weights fetch hed` or `forensic weights fetch pidinet` and give the "
        f"file's path, or ask for {OPERATOR!r}.",
    )
    return load_hed(path) if "moduleCombine.0.weight" in names else load_pidinet(path)


@torch.inference_mode()
def detect_contours(
    photos: NDArray[np.uint8],
    detector: ContourDetector,
    *,
    equalize: bool = True,
    device: torch.device | None = None,
) -> NDArray[np.uint8]:
    """Return the contours (N, H, W, 1) of photos (N, H, W, 3), 255 on a contour.

    Args:
        photos: uint8 photos of one size.
        detector: What finds them.
        equalize: Even out the histogram of each photo's luminance first, against uneven light.
        device: Where to compute; by default where the detector is.

    Raises:
        ShapeError: The photos are not (N, H, W, 3).
        DtypeError: The photos are not uint8.

    Source:
        Xia et al., Cali-Sketch, section 4.1.
    """
    check_shape(photos, (None, None, None, 3), name="photos")
    out = np.empty((*photos.shape[:3], 1), dtype=np.uint8)
    if device is not None:
        detector = to_channels_last(detector, device)
    for first in range(0, len(photos), BATCH):
        batch = photos[first : first + BATCH]
        if equalize:
            batch = np.stack([equalized(photo) for photo in batch])
        out[first : first + BATCH] = tensor_to_images(detector(images_to_tensor(batch).to(device)))
    return out


def equalized(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an RGB photo with every level of luminance about equally frequent, same colours."""
    luminance, *colours = Image.fromarray(photo).convert("YCbCr").split()
    merged = Image.merge("YCbCr", [ImageOps.equalize(luminance), *colours])
    return np.asarray(merged.convert("RGB"))


def _along(images: Tensor, kernel: Tensor) -> Tensor:
    """Return each channel under one kernel, borders repeated."""
    channels = images.shape[1]
    rows, columns = kernel.shape[2] // 2, kernel.shape[3] // 2
    padded = F.pad(images, (columns, columns, rows, rows), mode="replicate")
    return F.conv2d(padded, kernel.expand(channels, 1, -1, -1), groups=channels)
