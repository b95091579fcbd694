"""Convolution, residual and upsampling blocks."""

from __future__ import annotations

from torch import Tensor, nn


def conv_norm_relu(
    in_channels: int, out_channels: int, *, kernel: int, stride: int = 1
) -> nn.Sequential:
    """Return convolution, batch normalisation, ReLU, padded so that stride 1 keeps the size."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


def deconv_norm_relu(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return a 3×3 transposed convolution of stride 2 that doubles the size, with norm and ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two normalised 3×3 convolutions added to their input, with no activation after the sum.

    Args:
        channels: Channels in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *conv_norm_relu(channels, channels, kernel=3),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, channels, H, W) for an input of the same shape."""
        out: Tensor = features + self.body(features)
        return out
