"""The fully convolutional networks that draw a photo.

Source:
    Zhang, Lin, Wu, Ding, Zhang, End-to-End Photo-Sketch Generation via Fully Convolutional
    Representation Learning, ICMR 2015, section 3.3 and Fig. 2. Where the paper is silent: the
    fifth layer has the fourth's width (the printed run times support it), the last layer has no
    ReLU, and the two coordinates are pixel indices counted from the centre, since colours are
    bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from forensic.check import check_shape
from forensic.errors import ShapeError
from forensic.registry import Registry

Layers = Sequence[tuple[int, int]]

SIZES: Registry[Layers] = Registry(
    "size of FCN",
    {
        "sr": ((9, 64), (1, 32), (5, 1)),
        "small": ((5, 64), (5, 64), (1, 32), (1, 32), (3, 32), (3, 1)),
        "medium": ((5, 128), (5, 128), (1, 64), (1, 64), (3, 64), (3, 1)),
        "large": ((5, 256), (5, 256), (1, 128), (1, 128), (3, 128), (3, 1)),
    },
)
"""Kernel and channels of each layer: the SRCNN that the paper starts from, and its three own."""


class FCN(nn.Module):
    """Valid convolutions with ReLU between them, from colours and coordinates to one gray level.

    Args:
        size: A name in `SIZES`; `medium` is the paper's choice.
        coordinates: Give the network two channels that say where each pixel lies.

    Raises:
        UnknownNameError: No such size.
    """

    def __init__(self, *, size: str = "medium", coordinates: bool = True) -> None:
        super().__init__()
        self.config = {"size": size, "coordinates": coordinates}
        self.coordinates = coordinates
        self.margin_px = sum(kernel // 2 for kernel, _ in SIZES[size])
        channels = 5 if coordinates else 3
        layers: list[nn.Module] = []
        for kernel, width in SIZES[size]:
            layers += [nn.Conv2d(channels, width, kernel), nn.ReLU(inplace=True)]
            channels = width
        self.body = nn.Sequential(*layers[:-1])
        self.apply(_start)

    def forward(self, photo: Tensor) -> Tensor:
        """Return drawings (B, 1, H - 12, W - 12) of photos (B, 3, H, W) in [0, 1].

        The border is lost because every convolution is valid: 200×155 becomes 188×143. In
        training nothing clips the values; afterwards they are clipped to [0, 1].

        Raises:
            ShapeError: Not three channels, or no pixel would be left.
        """
        check_shape(photo, (None, 3, None, None), name="photo batch")
        if min(photo.shape[2:]) <= 2 * self.margin_px:
            raise ShapeError(
                f"Photos of {photo.shape[2]}×{photo.shape[3]} px leave no pixel: "
                f"{self.margin_px} are lost at each border.",
                actual_shape=tuple(photo.shape),
                expected_shape=f"sides above {2 * self.margin_px}",
            )
        pixels = photo * 255
        if self.coordinates:
            pixels = torch.cat([pixels, _coordinates(photo)], dim=1)
        drawing: Tensor = self.body(pixels) / 255
        return drawing if self.training else drawing.clamp(0, 1)


def _coordinates(photo: Tensor) -> Tensor:
    """Return (B, 2, H, W): row and column of each pixel, counted from the centre."""
    height, width = photo.shape[2:]
    axes = (torch.arange(n, device=photo.device) - (n - 1) / 2 for n in (height, width))
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij")).to(photo.dtype)
    return grid.expand(len(photo), -1, -1, -1)


def _start(module: nn.Module) -> None:
    """Begin as section 3.3 says: Gaussian kernels of deviation 0.01, no bias."""
    if isinstance(module, nn.Conv2d) and module.bias is not None:
        nn.init.normal_(module.weight, std=0.01)
        nn.init.zeros_(module.bias)
