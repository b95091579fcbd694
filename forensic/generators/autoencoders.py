"""The sparse, convolutional and VGG-16 autoencoders of the investigative study.

Source:
    Skubisz, Investigative Study on Generative Models for Face2Sketch and Sketch2Face, section III,
    Tables I and II. Where it is silent: ReLU in the sparse network, a sigmoid at the end of all
    three (images lie in [0, 1]), ImageNet normalisation before VGG.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from forensic.check import check_shape
from forensic.errors import ShapeError

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
VGG_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels and convolutions of each block of VGG-16; each block ends in a pooling."""

SLOPE = 0.1
"""Of LeakyReLU, from the study."""


class SparseAutoencoder(nn.Module):
    """Fully connected layers down to a code whose L1 norm is kept small, and back.

    Args:
        side_px: Side of the square pictures, 256 in the study.
        widths: Neurons from the first hidden layer to the code; the decoder mirrors them.
    """

    def __init__(
        self, *, side_px: int = 256, widths: tuple[int, ...] = (512, 256, 128, 64)
    ) -> None:
        super().__init__()
        widths = tuple(widths)
        self.config = {"side_px": side_px, "widths": list(widths)}
        self.side_px = side_px
        down = (3 * side_px**2, *widths)
        self.encoder = _dense(down)
        self.decoder = _dense(down[::-1])
        self.decoder[-1] = nn.Sigmoid()

    def encode(self, pictures: Tensor) -> Tensor:
        """Return the code (B, widths[-1]), never negative, whose L1 norm the loss keeps small.

        Raises:
            ShapeError: The pictures have not three channels and the side of the network.
        """
        check_shape(pictures, (None, 3, self.side_px, self.side_px), name="picture batch")
        code: Tensor = self.encoder(pictures.flatten(1))
        return code

    def decode(self, code: Tensor) -> Tensor:
        """Return pictures (B, 3, side, side) in [0, 1]."""
        out: Tensor = self.decoder(code)
        return out.view(-1, 3, self.side_px, self.side_px)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return pictures (B, 3, side, side) in [0, 1] for an input of the same shape and range."""
        return self.decode(self.encode(pictures))


class ConvAutoencoder(nn.Module):
    """Table I: three strided convolutions, three transposed ones, and one at full size."""

    def __init__(self) -> None:
        super().__init__()
        self.config: dict[str, object] = {}
        self.body = nn.Sequential(
            *_down(3, 16),
            *_down(16, 32),
            *_down(32, 64),
            *up(64, 64, kernel=5),
            *up(64, 32, kernel=5),
            *up(32, 16, kernel=5),
            nn.Conv2d(16, 3, 5, padding=2),
            nn.Sigmoid(),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Return (B, 3, H, W) in [0, 1] for an input of the same shape and range.

        Raises:
            ShapeError: Not three channels, or a size that does not divide by 8.
        """
        check_size(pictures, divisor=8)
        out: Tensor = self.body(pictures)
        return out


class VGGAutoencoder(nn.Module):
    """Table II: the convolutions of VGG-16, and a decoder of transposed convolutions.

    Its encoder starts at random; `forensic.training.tasks.autoencoder` fills it from a VGG file.

    Args:
        kernel: Of the decoder, 5 in the table; 3 gives the number of parameters in the text.
    """

    def __init__(self, *, kernel: int = 3) -> None:
        super().__init__()
        self.config = {"kernel": kernel}
        self.encoder = vgg_encoder()
        widths = (512, 256, 128, 64, 32, 16)
        layers = [layer for a, b in pairwise(widths) for layer in up(a, b, kernel=kernel)]
        last = nn.ConvTranspose2d(16, 3, kernel, padding=kernel // 2)
        self.decoder = nn.Sequential(*layers, last, nn.Sigmoid())
        mean, deviation = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
        # RGB in [0, 1] to what the encoder's network was trained on, an affine map of colours.
        self.register_buffer("colour_map", torch.diag(1 / deviation))
        self.register_buffer("colour_shift", -mean / deviation)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return (B, 3, H, W) in [0, 1] for an input of the same shape and range.

        Raises:
            ShapeError: Not three channels, or a size that does not divide by 32.
        """
        check_size(pictures, divisor=32)
        shift = self.get_buffer("colour_shift").view(1, 3, 1, 1)
        normal = torch.einsum("oc,bchw->bohw", self.get_buffer("colour_map"), pictures) + shift
        out: Tensor = self.decoder(self.encoder(normal))
        return out


def vgg_encoder() -> nn.Sequential:
    """Return the convolutions of VGG-16 with ReLU and pooling; 224 pixels become 7."""
    layers: list[nn.Module] = []
    channels = 3
    for width, n_convolutions in VGG_BLOCKS:
        for _ in range(n_convolutions):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def check_size(pictures: Tensor, *, divisor: int) -> None:
    """Refuse anything but (B, 3, H, W) whose height and width divide by a number.

    Raises:
        ShapeError: Other axes or channels, or a size that does not divide.
    """
    check_shape(pictures, (None, 3, None, None), name="picture batch")
    height, width = pictures.shape[2:]
    if height % divisor or width % divisor:
        raise ShapeError(
            f"Pictures of {height}×{width} px do not divide by {divisor}.",
            actual_shape=tuple(pictures.shape),
            expected_shape=f"height and width divisible by {divisor}",
        )


def _dense(widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _down(in_channels: int, out_channels: int) -> list[nn.Module]:
    """Halve the size by a 5×5 convolution."""
    return [nn.Conv2d(in_channels, out_channels, 5, stride=2, padding=2), nn.LeakyReLU(SLOPE)]


def up(in_channels: int, out_channels: int, *, kernel: int) -> list[nn.Module]:
    """Return layers that double the size by a transposed convolution of an odd kernel."""
    deconvolution = nn.ConvTranspose2d(
        in_channels, out_channels, kernel, stride=2, padding=kernel // 2, output_padding=1
    )
    return [deconvolution, nn.LeakyReLU(SLOPE)]
