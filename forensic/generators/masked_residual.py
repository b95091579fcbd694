"""A U-Net of masked residual units, the second improvement of Cali-Sketch's Table 3.

Source:
    Chen and Hays, SketchyGAN: Towards Diverse and Realistic Sketch to Image Synthesis, CVPR 2018,
    section 4.1. Cali-Sketch (section 4.5.3) names the unit and the U-Net and gives neither depth
    nor width; here are four halvings of 1, 2, 4 and 8 times the width.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MULTIPLES = (1, 2, 4, 8)
"""Channels at each size, in units of the width."""


class MaskedResidualUnit(nn.Module):
    """Decides pixel by pixel what to keep of its features and what to draw anew from an image.

    Args:
        in_channels: Channels of the features.
        out_channels: Channels of the result; the features are projected where they differ.
        image_channels: Channels of the image shown at every scale.
    """

    def __init__(self, in_channels: int, out_channels: int, *, image_channels: int) -> None:
        super().__init__()
        both = in_channels + image_channels
        self.mask = nn.Conv2d(both, in_channels, 3, padding=1)
        self.draw = nn.Conv2d(both, out_channels, 3, padding=1)
        self.norm = nn.InstanceNorm2d(out_channels)
        self.keep = nn.Conv2d(both, out_channels, 3, padding=1)
        same = in_channels == out_channels
        self.project = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        """Return (B, out_channels, H, W) for features and an image of that height and width."""
        both = torch.cat([features, image], 1)
        masked = features * torch.sigmoid(self.mask(both))
        drawn = F.leaky_relu(self.norm(self.draw(torch.cat([masked, image], 1))), 0.2)
        kept = torch.sigmoid(self.keep(both))
        out: Tensor = kept * self.project(features) + (1 - kept) * drawn
        return out


class MaskedUNet(nn.Module):
    """Masked residual units down and up again, with the input shown at every size.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output, without activation.
        width: Channels at full size.
    """

    step_px = 2 ** len(MULTIPLES)
    """Height and width must be divisible by this."""

    def __init__(self, *, in_channels: int, out_channels: int, width: int = 64) -> None:
        super().__init__()
        widths = [width * multiple for multiple in MULTIPLES]
        self.first = nn.Conv2d(in_channels, width, 7, padding=3, padding_mode="reflect")
        self.down = nn.ModuleList(
            MaskedResidualUnit(a, b, image_channels=in_channels)
            for a, b in zip([width, *widths], widths, strict=False)
        )
        self.bottom = MaskedResidualUnit(widths[-1], widths[-1], image_channels=in_channels)
        upward = [widths[-1], *reversed(widths)]
        self.up = nn.ModuleList(
            MaskedResidualUnit(a + b, b, image_channels=in_channels)
            for a, b in itertools.pairwise(upward)
        )
        self.last = nn.Conv2d(width, out_channels, 7, padding=3, padding_mode="reflect")

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, out_channels, H, W), of any range, for (B, in_channels, H, W)."""
        features = self.first(images)
        maps, shown = [], [images]
        for unit in self.down:
            features = unit(features, shown[-1])
            maps.append(features)
            features = F.avg_pool2d(features, 2)
            shown.append(F.avg_pool2d(shown[-1], 2))
        features = self.bottom(features, shown.pop())
        for unit in self.up:
            larger = F.interpolate(features, scale_factor=2.0)
            features = unit(torch.cat([larger, maps.pop()], 1), shown.pop())
        out: Tensor = self.last(features)
        return out
