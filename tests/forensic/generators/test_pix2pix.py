"""What is particular to the U-Net of pix2pix."""

import pytest
import torch
from torch import nn

from forensic.errors import ShapeError
from forensic.generators.pix2pix import UNet


def test_parameters_and_size_of_the_study() -> None:
    with torch.device("meta"):
        network = UNet()
        made = network(torch.empty(1, 3, 256, 256))
    assert sum(p.numel() for p in network.parameters()) == 54_419_459
    assert made.shape == (1, 3, 256, 256)


def test_levels_of_the_paper() -> None:
    with torch.device("meta"):
        network = UNet()
    down = [m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)]
    up = [m.out_channels for m in network.modules() if isinstance(m, nn.ConvTranspose2d)]
    assert down == [64, 128, 256, 512, 512, 512, 512, 512]
    assert up == [512, 512, 512, 512, 256, 128, 64, 3]
    assert sum(isinstance(m, nn.Dropout) for m in network.modules()) == 3


def test_skips_carry_detail_past_the_bottleneck() -> None:
    """With a bottleneck that says nothing, two inputs still give two outputs."""
    torch.manual_seed(0)
    network = UNet(width=4, depth=4).eval()
    for parameter in network.down[-1].parameters():
        nn.init.zeros_(parameter)
    first, second = (network(torch.rand(1, 3, 16, 16)) for _ in range(2))
    assert (first - second).abs().max() > 1e-4


def test_size_that_does_not_halve_is_refused() -> None:
    with pytest.raises(ShapeError, match="divide by 16"):
        UNet(width=4, depth=4)(torch.rand(1, 3, 24, 16))
