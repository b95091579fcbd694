"""The two networks of Cali-Sketch: strokes are calibrated first, then a face is synthesized.

Source:
    Xia, Yang, Xue: Cali-Sketch, Stroke Calibration and Completion for High-Quality Face Image
    Generation from Human-Like Sketches, 2021, sections 3 and 4.2. Kernel sizes, widths, padding
    and output activations, on which the paper is silent, are those of its ancestor EdgeConnect
    (Nazeri et al., 2019); the parameter counts that follow are in the tests. The ancestor's
    spectral normalisation of the first generator is left out: the instance normalisation behind
    every such kernel undoes any scale of it.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from forensic.check import check_shape
from forensic.errors import ShapeError, UnknownNameError
from forensic.generators.masked_residual import MaskedUNet

Dilated = Literal["both", "first"]
SYNTHESES = ("original", "improved-1", "improved-2")
"""Table 3: the network of Table 1, the same with twice the residual blocks, and the U-Net."""


class DilatedBlock(nn.Module):
    """Two normalised 3×3 convolutions of dilation 2 added to their input.

    Args:
        channels: Channels in and out.
        dilated: `both` convolutions, as the paper says, or the `first` one as in the ancestor.
    """

    def __init__(self, channels: int, *, dilated: Dilated) -> None:
        super().__init__()
        second = 2 if dilated == "both" else 1
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=2, dilation=2, padding_mode="reflect"),
            nn.InstanceNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(
                channels, channels, 3, padding=second, dilation=second, padding_mode="reflect"
            ),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, channels, H, W) for an input of the same shape."""
        out: Tensor = features + self.body(features)
        return out


class SkipEncoderDecoder(nn.Module):
    """Two halvings, dilated residual blocks, two doublings, the encoder's maps beside each.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output, without activation.
        width: Channels at full size, 64 in the paper.
        n_blocks: Residual blocks at a quarter of the size, 8 in the paper.
        skip: Concatenate the encoder's map of the same size to the input of each decoder layer.
        dilated: See `DilatedBlock`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        width: int = 64,
        n_blocks: int = 8,
        skip: bool = True,
        dilated: Dilated = "both",
    ) -> None:
        super().__init__()
        self.skip = skip
        times = 2 if skip else 1
        self.encoder = nn.ModuleList(
            [
                _normed(nn.Conv2d(in_channels, width, 7, padding=3, padding_mode="reflect")),
                _normed(nn.Conv2d(width, 2 * width, 4, 2, 1)),
                _normed(nn.Conv2d(2 * width, 4 * width, 4, 2, 1)),
            ]
        )
        self.blocks = nn.Sequential(
            *(DilatedBlock(4 * width, dilated=dilated) for _ in range(n_blocks))
        )
        self.decoder = nn.ModuleList(
            [
                _normed(nn.ConvTranspose2d(times * 4 * width, 2 * width, 4, 2, 1)),
                _normed(nn.ConvTranspose2d(times * 2 * width, width, 4, 2, 1)),
                nn.Conv2d(times * width, out_channels, 7, padding=3, padding_mode="reflect"),
            ]
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, out_channels, H, W), of any range, for (B, in_channels, H, W)."""
        maps = []
        for layer in self.encoder:
            images = layer(images)
            maps.append(images)
        images = self.blocks(images)
        for layer in self.decoder:
            beside = maps.pop()
            images = layer(torch.cat([images, beside], 1) if self.skip else images)
        return images


class CaliSketch(nn.Module):
    """Stroke calibration network and image synthesis network, one behind the other.

    Args:
        in_channels: Channels of the sketch.
        width: Channels at full size of both networks, 64 in the paper.
        n_blocks: Residual blocks of both, 8 in the paper.
        skip: Whether both have skip connections.
        dilated: See `DilatedBlock`.
        synthesis: A name in `SYNTHESES`.

    Raises:
        UnknownNameError: No such synthesis network.
    """

    def __init__(
        self,
        *,
        in_channels: int = 1,
        width: int = 64,
        n_blocks: int = 8,
        skip: bool = True,
        dilated: Dilated = "both",
        synthesis: str = "original",
    ) -> None:
        super().__init__()
        if synthesis not in SYNTHESES:
            raise UnknownNameError("synthesis network", synthesis, SYNTHESES, ())
        self.in_channels = in_channels
        self.config = {
            "in_channels": in_channels,
            "width": width,
            "n_blocks": n_blocks,
            "skip": skip,
            "dilated": dilated,
            "synthesis": synthesis,
        }
        self.scn = SkipEncoderDecoder(
            in_channels=in_channels,
            out_channels=1,
            width=width,
            n_blocks=n_blocks,
            skip=skip,
            dilated=dilated,
        )
        self.isn: nn.Module = MaskedUNet(in_channels=1, out_channels=3, width=width)
        if synthesis != "improved-2":
            self.isn = SkipEncoderDecoder(
                in_channels=1,
                out_channels=3,
                width=width,
                n_blocks=2 * n_blocks if synthesis == "improved-1" else n_blocks,
                skip=skip,
                dilated=dilated,
            )

    def calibrate(self, sketch: Tensor) -> Tensor:
        """Return refined edge maps (B, 1, H, W) in [0, 1], 1 on an edge, of sketches in [0, 1].

        Height and width must be divisible by 4, or by 16 for the U-Net that follows.

        Raises:
            ShapeError: Wrong number of channels, or a size that does not divide.
        """
        check_shape(sketch, (None, self.in_channels, None, None), name="sketch batch")
        step = self.isn.step_px if isinstance(self.isn, MaskedUNet) else 4
        if sketch.shape[2] % step or sketch.shape[3] % step:
            raise ShapeError(
                f"Sketches of {sketch.shape[2]}×{sketch.shape[3]} px do not divide by {step}.",
                actual_shape=tuple(sketch.shape),
                expected_shape=f"height and width divisible by {step}",
            )
        return torch.sigmoid(self.scn(sketch))

    def synthesize(self, edges: Tensor) -> Tensor:
        """Return photos (B, 3, H, W) in [0, 1] of edge maps (B, 1, H, W), 1 on an edge."""
        return (torch.tanh(self.isn(edges)) + 1) / 2

    def forward(self, sketch: Tensor) -> Tensor:
        """Return photos (B, 3, H, W) in [0, 1] for sketches (B, in_channels, H, W) in [0, 1].

        Raises:
            ShapeError: See `calibrate`.
        """
        return self.synthesize(self.calibrate(sketch))


def _normed(layer: nn.Conv2d | nn.ConvTranspose2d) -> nn.Sequential:
    return nn.Sequential(layer, nn.InstanceNorm2d(layer.out_channels), nn.ReLU())
