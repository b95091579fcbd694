"""Spatial attention pooling: each place of a drawing is relaxed as much as its strokes are off.

Source:
    Li et al., DeepFacePencil: Creating Face Images from Freehand Sketches, ACM MM 2020, section
    3.2. Pool sizes, kernels and widths, on which the paper is silent, are those of its released
    code; the parameter count that follows is in the tests. Where normalisation and activation
    stand inside the branches is our choice: after every convolution but the last before the
    softmax.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from forensic.check import check_shape
from forensic.layers.upsampled import convolve_upsampled

POOLS = (1, 5, 9, 13)
"""Sides of the pooling windows in pixels, the branches of equation 1."""

KERNEL = 13
"""Side of the first kernel of each branch and of the attention."""


class DeformationFeatures(nn.Module):
    """Three strided convolutions: the body of the classifier of deformed strokes.

    Args:
        width: Channels of the first layer, 48 in the released code; each next has twice as many.
    """

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                nn.Sequential(nn.Conv2d(3, width, 3, 2, 1), nn.LeakyReLU(0.2)),
                _strided(width, 2 * width),
                _strided(2 * width, 4 * width),
            ]
        )

    def forward(self, sketch: Tensor) -> list[Tensor]:
        """Return the maps of all layers, at a half, a quarter and an eighth of the size.

        Args:
            sketch: (B, 3, H, W) in [-1, 1].
        """
        maps = []
        for layer in self.layers:
            sketch = layer(sketch)
            maps.append(sketch)
        return maps


class DeformationClassifier(nn.Module):
    """Tells deformed sketches from aligned ones; its body is trained so and then kept.

    Args:
        features: The body, shared with the pooling that will use it.
        width: Channels of the body's first layer.
    """

    def __init__(self, features: DeformationFeatures, *, width: int) -> None:
        super().__init__()
        self.features = features
        self.head = nn.Linear(7 * width, 1)

    def forward(self, sketch: Tensor) -> Tensor:
        """Return logits (B,), positive for deformed, of sketches (B, 3, H, W) in [0, 1]."""
        maps = self.features(2 * sketch - 1)
        logits: Tensor = self.head(torch.cat([m.mean(dim=(2, 3)) for m in maps], dim=1))
        return logits[:, 0]


class SpatialAttentionPooling(nn.Module):
    """Branches of widened strokes, weighted place by place and channel by channel.

    Args:
        width: Channels of the result and of the classifier's first layer, 48 in the released code;
            divisible by the number of branches.
        pools: Odd sides of the pooling windows in pixels.
    """

    def __init__(self, *, width: int = 48, pools: Sequence[int] = POOLS) -> None:
        super().__init__()
        self.pools = tuple(pools)
        self.features = DeformationFeatures(width=width)
        share = width // len(self.pools)
        self.branches = nn.ModuleList(
            nn.Sequential(*_same(1, share, KERNEL), *_same(share, share, 3)) for _ in self.pools
        )
        # Without bias: the normalisation behind it would take any away.
        self.first = nn.Conv2d(7 * width, width, KERNEL, padding=KERNEL // 2, bias=False)
        self.rest = nn.Sequential(
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            *_same(width, width, 3),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, sketch: Tensor) -> Tensor:
        """Return (B, width, H, W) of black-on-white sketches (B, 3, H, W) in [0, 1].

        Raises:
            ShapeError: The sketches do not have three channels.
        """
        check_shape(sketch, (None, 3, None, None), name="sketch batch")
        return self.attend(sketch) * self.relax(sketch)

    def relax(self, sketch: Tensor) -> Tensor:
        """Return the concatenated branches R of equation 1."""
        ink = 1 - sketch.mean(dim=1, keepdim=True)  # a maximum widens what is large
        widened = [F.max_pool2d(ink, pool, 1, pool // 2) for pool in self.pools]
        return torch.cat([b(p) for b, p in zip(self.branches, widened, strict=True)], dim=1)

    def attend(self, sketch: Tensor) -> Tensor:
        """Return the attention A of equation 2, which sums to 1 over channels everywhere.

        The first convolution sees the classifier's maps enlarged to the size of the sketch: four
        fifths of the work of the whole generator if it were done there, see `convolve_upsampled`.
        """
        maps = self.features(2 * sketch - 1)
        size_hw = (sketch.shape[2], sketch.shape[3])
        kernels = self.first.weight.split([m.shape[1] for m in maps], dim=1)
        parts = [
            convolve_upsampled(part, kernel, size_hw=size_hw)
            for part, kernel in zip(maps, kernels, strict=True)
        ]
        logits: Tensor = self.rest(parts[0] + parts[1] + parts[2])
        return logits.softmax(dim=1)


def _strided(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, 2, 1),
        nn.InstanceNorm2d(out_channels),
        nn.LeakyReLU(0.2),
    )


def _same(in_channels: int, out_channels: int, kernel: int) -> list[nn.Module]:
    return [
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2),
        nn.InstanceNorm2d(out_channels),
        nn.ReLU(),
    ]
