"""The U-Net generator of pix2pix.

Source:
    Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017,
    section 6.1.1 (encoder C64-C128-C256-C512-C512-C512-C512-C512 with skips), in the variant of
    the investigative study (Skubisz, section III-C): biases everywhere, 54,419,459 parameters. It
    is trained with batches of one picture and normalises by the batch's own statistics, which is
    instance normalisation; written so, a picture's result does not depend on its neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from forensic.check import check_shape
from forensic.errors import ShapeError

WIDTHS = (1, 2, 4, 8, 8, 8, 8, 8)
"""Channels of each level in units of the first."""

N_DROPPED = 3
"""Decoding levels with dropout, next to the bottleneck."""


class UNet(nn.Module):
    """Strided 4×4 convolutions down to one pixel, and back with skips.

    Args:
        in_channels: Of the input, 3 in the study.
        width: Channels of the first level, 64 in the paper.
        depth: Levels; 8 take 256 pixels to one.
    """

    def __init__(self, *, in_channels: int = 3, width: int = 64, depth: int = 8) -> None:
        super().__init__()
        self.config = {"in_channels": in_channels, "width": width, "depth": depth}
        self.in_channels, self.depth = in_channels, depth
        widths = [width * factor for factor in WIDTHS[:depth]]
        inputs = [in_channels, *widths]
        self.down = nn.ModuleList(
            _encode(a, b, norm=0 < level < depth - 1)
            for level, (a, b) in enumerate(zip(inputs, widths, strict=False))
        )
        # From the bottleneck outwards; all but the first also get the skip of their level.
        outs = widths[-2::-1]
        ins = [widths[-1], *(2 * out for out in outs[:-1])]
        self.up = nn.ModuleList(
            _decode(a, b, dropout=level < N_DROPPED)
            for level, (a, b) in enumerate(zip(ins, outs, strict=True))
        )
        self.last = nn.Sequential(
            nn.ReLU(), nn.ConvTranspose2d(2 * widths[0], 3, 4, stride=2, padding=1), nn.Tanh()
        )
        self.apply(_start)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return (B, 3, H, W) in [0, 1] for (B, in_channels, H, W) in [0, 1].

        Raises:
            ShapeError: Other channels, or a size that does not divide by two `depth` times.
        """
        check_shape(pictures, (None, self.in_channels, None, None), name="picture batch")
        if pictures.shape[2] % 2**self.depth or pictures.shape[3] % 2**self.depth:
            raise ShapeError(
                f"Pictures of {pictures.shape[2]}×{pictures.shape[3]} px do not divide by "
                f"{2**self.depth}.",
                actual_shape=tuple(pictures.shape),
                expected_shape=f"height and width divisible by {2**self.depth}",
            )
        features, skips = 2 * pictures - 1, []
        for level in self.down:
            features = level(features)
            skips.append(features)
        features = skips.pop()
        for level in self.up:
            features = torch.cat([level(features), skips.pop()], dim=1)
        out: Tensor = self.last(features)
        return (out + 1) / 2


def _encode(in_channels: int, out_channels: int, *, norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1)]
    if norm:
        layers.append(nn.InstanceNorm2d(out_channels, affine=True))
    return nn.Sequential(*layers, nn.LeakyReLU(0.2))


def _decode(in_channels: int, out_channels: int, *, dropout: bool) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.ReLU(),
        nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1),
        nn.InstanceNorm2d(out_channels, affine=True),
    ]
    return nn.Sequential(*layers, *([nn.Dropout(0.5)] if dropout else []))


def _start(module: nn.Module) -> None:
    """Begin as section 6.2 of the paper says: Gaussian kernels of deviation 0.02."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.bias is not None:
        nn.init.normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
