"""The two generators of DeepFacePencil, and the one body in which they are trained together.

Source:
    Li et al., DeepFacePencil, ACM MM 2020, sections 3.3 and 4.1; layers, widths and padding of
    pix2pixHD's global generator (Wang et al., CVPR 2018) with 48 channels, as in the released
    code. The parameter counts are in the tests.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from forensic.check import check_shape
from forensic.errors import ShapeError
from forensic.generators.deepfacepencil.pooling import SpatialAttentionPooling

N_MATCHED = 4
"""Residual blocks whose outputs the generator feature matching compares, section 3.3."""


class GlobalGenerator(nn.Module):
    """The auxiliary generator G_a for sketches that lie on the edges; pix2pixHD's global one.

    Args:
        width: Channels at full size, 48 in the released code.
        n_down: Halvings and doublings.
        n_blocks: Residual blocks between them.
    """

    def __init__(self, *, width: int = 48, n_down: int = 4, n_blocks: int = 9) -> None:
        super().__init__()
        self.config: dict[str, Any] = {"width": width, "n_down": n_down, "n_blocks": n_blocks}
        self.encoder = create_encoder(3, width=width, n_down=n_down)
        self.trunk = Trunk(width=width, n_down=n_down, n_blocks=n_blocks)

    def forward(self, sketch: Tensor) -> Tensor:
        """Return photos (B, 3, H, W) in [0, 1] for sketches (B, 3, H, W) in [0, 1].

        Raises:
            ShapeError: Other channels, or a size that does not divide by two `n_down` times.
        """
        check_sketch(sketch, n_down=self.config["n_down"])
        return self.trunk.decode(self.embed(sketch)[-1])

    def embed(self, sketch: Tensor) -> list[Tensor]:
        """Return the outputs of all residual blocks."""
        return self.trunk.embed(self.encoder(2 * sketch - 1))


class DeepFacePencil(nn.Module):
    """The main generator G_m: spatial attention pooling before an encoder of its own.

    Args:
        width: Channels at full size, 48 in the released code.
        n_down: Halvings and doublings.
        n_blocks: Residual blocks between them.
    """

    def __init__(self, *, width: int = 48, n_down: int = 4, n_blocks: int = 9) -> None:
        super().__init__()
        self.config: dict[str, Any] = {"width": width, "n_down": n_down, "n_blocks": n_blocks}
        self.pooling = SpatialAttentionPooling(width=width)
        self.encoder = create_encoder(width, width=width, n_down=n_down)
        self.trunk = Trunk(width=width, n_down=n_down, n_blocks=n_blocks)

    def forward(self, sketch: Tensor) -> Tensor:
        """Return photos (B, 3, H, W) in [0, 1] for sketches (B, 3, H, W) in [0, 1].

        Raises:
            ShapeError: Other channels, or a size that does not divide by two `n_down` times.
        """
        check_sketch(sketch, n_down=self.config["n_down"])
        return self.trunk.decode(self.embed(sketch)[-1])

    def embed(self, sketch: Tensor) -> list[Tensor]:
        """Return the outputs of all residual blocks."""
        return self.trunk.embed(self.encoder(self.pooling(sketch)))


class Trunk(nn.Module):
    """Residual blocks and decoder, the part that both generators share while they are trained.

    Args:
        width: Channels at full size.
        n_down: Doublings.
        n_blocks: Residual blocks.
    """

    def __init__(self, *, width: int, n_down: int, n_blocks: int) -> None:
        super().__init__()
        channels = width * 2**n_down
        self.blocks = nn.ModuleList(ReflectedBlock(channels) for _ in range(n_blocks))
        doublings: list[nn.Module] = []
        for level in range(n_down, 0, -1):
            inner, outer = width * 2**level, width * 2 ** (level - 1)
            doublings += [
                nn.ConvTranspose2d(inner, outer, 3, stride=2, padding=1, output_padding=1),
                nn.InstanceNorm2d(outer),
                nn.ReLU(),
            ]
        last = nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect")
        self.decoder = nn.Sequential(*doublings, last, nn.Tanh())

    def embed(self, features: Tensor) -> list[Tensor]:
        """Return the outputs of all residual blocks, each of the shape of `features`."""
        outputs = []
        for block in self.blocks:
            features = block(features)
            outputs.append(features)
        return outputs

    def decode(self, embedding: Tensor) -> Tensor:
        """Return photos (B, 3, H, W) in [0, 1] of the last block's output."""
        out: Tensor = self.decoder(embedding)
        return (out + 1) / 2


class ReflectedBlock(nn.Module):
    """Two normalised 3×3 convolutions, padded by reflection, added to their input.

    Args:
        channels: Channels in and out.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect"),
            nn.InstanceNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect"),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, channels, H, W) for an input of the same shape."""
        out: Tensor = features + self.body(features)
        return out


class DualGenerator(nn.Module):
    """Both generators with one trunk; nothing in its state is stored twice.

    Args:
        width: See `DeepFacePencil`, as for the rest.
        n_down: Halvings and doublings.
        n_blocks: Residual blocks.
    """

    def __init__(self, *, width: int = 48, n_down: int = 4, n_blocks: int = 9) -> None:
        super().__init__()
        self.config: dict[str, Any] = {"width": width, "n_down": n_down, "n_blocks": n_blocks}
        main = DeepFacePencil(**self.config)
        self.encoder = create_encoder(3, width=width, n_down=n_down)
        self.pooling, self.main_encoder, self.trunk = main.pooling, main.encoder, main.trunk

    def embed(self, sketch: Tensor, *, main: bool) -> list[Tensor]:
        """Return the outputs of all residual blocks in one of the two generators.

        Args:
            sketch: (B, 3, H, W) in [0, 1].
            main: The main generator's, for deformed sketches, or the auxiliary one's.
        """
        if main:
            return self.trunk.embed(self.main_encoder(self.pooling(sketch)))
        return self.trunk.embed(self.encoder(2 * sketch - 1))

    def forward(self, sketch: Tensor, *, main: bool) -> Tensor:
        """Return photos (B, 3, H, W) in [0, 1] by one of the two generators."""
        return self.trunk.decode(self.embed(sketch, main=main)[-1])

    def extract(self, *, main: bool) -> DeepFacePencil | GlobalGenerator:
        """Return one of the two as a network of its own; the weights are not copied."""
        with torch.device("meta"):
            alone = DeepFacePencil(**self.config) if main else GlobalGenerator(**self.config)
        if isinstance(alone, DeepFacePencil):
            alone.pooling, alone.encoder = self.pooling, self.main_encoder
        else:
            alone.encoder = self.encoder
        alone.trunk = self.trunk
        return alone


def create_encoder(in_channels: int, *, width: int, n_down: int) -> nn.Sequential:
    """Return the 7×7 convolution and the strided ones, normalised and rectified."""
    first = nn.Conv2d(in_channels, width, 7, padding=3, padding_mode="reflect")
    layers: list[nn.Module] = [first, nn.InstanceNorm2d(width), nn.ReLU()]
    for level in range(n_down):
        outer, inner = width * 2**level, width * 2 ** (level + 1)
        layers += [nn.Conv2d(outer, inner, 3, 2, 1), nn.InstanceNorm2d(inner), nn.ReLU()]
    return nn.Sequential(*layers)


def check_sketch(sketch: Tensor, *, n_down: int) -> None:
    """Refuse what the generators cannot take.

    Raises:
        ShapeError: Not (B, 3, H, W), or a size that does not divide by two `n_down` times.
    """
    check_shape(sketch, (None, 3, None, None), name="sketch batch")
    if sketch.shape[2] % 2**n_down or sketch.shape[3] % 2**n_down:
        raise ShapeError(
            f"Sketches of {sketch.shape[2]}×{sketch.shape[3]} px do not divide by {2**n_down}.",
            actual_shape=tuple(sketch.shape),
            expected_shape=f"height and width divisible by {2**n_down}",
        )
