"""The network of Convolutional Sketch Inversion.

Source:
    Güçlütürk et al., Convolutional Sketch Inversion, 2016, Table 1. Differs from the printed
    table in one point: the transposed convolutions have output padding 1, without which 96 pixels
    would come back as 93.
"""

from __future__ import annotations

from torch import Tensor, nn

from forensic.check import check_shape
from forensic.errors import ShapeError
from forensic.layers.blocks import ResidualBlock, conv_norm_relu, deconv_norm_relu


class CSI(nn.Module):
    """Three convolutions, five residual blocks, two transposed convolutions, one convolution.

    Args:
        in_channels: 1 for line and gray sketches, 3 for colour.
        width: Channels of the first layer, 32 in the paper.
        n_blocks: Residual blocks, 5 in the paper.
    """

    def __init__(self, *, in_channels: int, width: int = 32, n_blocks: int = 5) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.config = {"in_channels": in_channels, "width": width, "n_blocks": n_blocks}
        self.encoder = nn.Sequential(
            conv_norm_relu(in_channels, width, kernel=9),
            conv_norm_relu(width, 2 * width, kernel=3, stride=2),
            conv_norm_relu(2 * width, 4 * width, kernel=3, stride=2),
        )
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(n_blocks)))
        self.decoder = nn.Sequential(
            deconv_norm_relu(4 * width, 2 * width),
            deconv_norm_relu(2 * width, width),
            nn.Conv2d(width, 3, 9, padding=4),
            nn.BatchNorm2d(3),
            nn.Tanh(),
        )

    def forward(self, sketch: Tensor) -> Tensor:
        """Return photos (B, 3, H, W) in [0, 1] for sketches (B, in_channels, H, W) in [0, 1].

        Height and width must be divisible by 4.

        Raises:
            ShapeError: Wrong number of channels, or a size that does not divide by 4.
        """
        check_shape(sketch, (None, self.in_channels, None, None), name="sketch batch")
        if sketch.shape[2] % 4 or sketch.shape[3] % 4:
            raise ShapeError(
                f"Sketches of {sketch.shape[2]}×{sketch.shape[3]} px do not divide by 4.",
                actual_shape=tuple(sketch.shape),
                expected_shape="height and width divisible by 4",
            )
        out: Tensor = self.decoder(self.blocks(self.encoder(sketch)))
        return (out + 1) / 2
