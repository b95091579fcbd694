"""Holistically-nested edge detection, the contour of Cali-Sketch.

Source:
    Xie and Tu, Holistically-Nested Edge Detection, ICCV 2015. The weights are those that Niklaus
    ported to PyTorch (2018); in that port the first convolution pads 1 pixel where the original
    pads 35 and crops afterwards.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from forensic.backbones.files import read_tensors
from forensic.check import check_shape
from forensic.errors import WeightsError

DEPTHS, WIDTHS = (2, 2, 3, 3, 3), (64, 128, 256, 512, 512)
PORTED = ("One", "Two", "Thr", "Fou", "Fiv")
MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)


class HED(nn.Module):
    """Edge probability of every pixel of an RGB image, from five side outputs of a VGG-16."""

    name = "hed"

    def __init__(self) -> None:
        super().__init__()
        self.stages, self.scores = nn.ModuleList(), nn.ModuleList()
        channels = 3
        for depth, width in zip(DEPTHS, WIDTHS, strict=True):
            convolutions = []
            for _ in range(depth):
                convolutions.append(nn.Conv2d(channels, width, 3, padding=1))
                channels = width
            self.stages.append(nn.ModuleList(convolutions))
            self.scores.append(nn.Conv2d(width, 1, 1))
        self.combine = nn.Conv2d(len(WIDTHS), 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 1, H, W) in [0, 1], 1 on an edge, for RGB images (B, 3, H, W) in [0, 1].

        Raises:
            ShapeError: The images are not (B, 3, H, W).
        """
        check_shape(images, (None, 3, None, None), name="image batch")
        mean = images.new_tensor(MEAN_BGR).view(1, 3, 1, 1)
        features, maps = 255 * images.flip(1) - mean, []
        for i, (stage, score) in enumerate(zip(self.stages, self.scores, strict=True)):
            if i:
                features = F.max_pool2d(features, 2)
            for convolution in stage:  # type: ignore[attr-defined]
                features = F.relu(convolution(features))
            maps.append(
                F.interpolate(
                    score(features), images.shape[2:], mode="bilinear", align_corners=False
                )
            )
        return torch.sigmoid(self.combine(torch.cat(maps, 1)))


def load_hed(path: Path) -> HED:
    """Read the ported weights (`network-bsds500.pytorch`).

    Raises:
        MissingWeights: The file is not there.
        WeightsError: It is not this network.
    """
    state = read_tensors(path, remedy="Run `forensic weights fetch hed`.")
    network = HED()
    try:
        network.load_state_dict({ours: state[theirs] for ours, theirs in _names().items()})
    except (KeyError, RuntimeError) as error:
        raise WeightsError(f"{path} does not fit HED: {error}") from error
    return network.requires_grad_(False).eval()


def _names() -> dict[str, str]:
    """Return the name in the ported file of each of our tensors."""
    layers = {"combine": "moduleCombine.0"}
    for stage, (word, depth) in enumerate(zip(PORTED, DEPTHS, strict=True)):
        layers[f"scores.{stage}"] = f"moduleScore{word}"
        # In each later stage a pooling stands before the first convolution.
        first = 1 if stage else 0
        for i in range(depth):
            layers[f"stages.{stage}.{i}"] = f"moduleVgg{word}.{first + 2 * i}"
    return {
        f"{ours}.{part}": f"{theirs}.{part}"
        for ours, theirs in layers.items()
        for part in ("weight", "bias")
    }
