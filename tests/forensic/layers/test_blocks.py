import torch
from torch import nn

from forensic.layers.blocks import ResidualBlock, conv_norm_relu, deconv_norm_relu
from forensic.layers.memory import to_channels_last


def test_shapes_of_the_three_blocks() -> None:
    images = torch.rand(2, 3, 12, 8)
    assert conv_norm_relu(3, 5, kernel=9)(images).shape == (2, 5, 12, 8)
    assert conv_norm_relu(3, 5, kernel=3, stride=2)(images).shape == (2, 5, 6, 4)
    assert deconv_norm_relu(3, 5)(images).shape == (2, 5, 24, 16)
    assert ResidualBlock(3)(images).shape == images.shape


def test_residual_block_adds_and_does_not_clip() -> None:
    """With its last normalisation silenced the block is the identity, below zero too."""
    block = ResidualBlock(3)
    last = block.body[-1]
    assert isinstance(last, nn.BatchNorm2d)
    nn.init.zeros_(last.weight)
    images = torch.randn(2, 3, 8, 8)
    assert torch.equal(block(images), images)


def test_channels_last_changes_the_layout_and_not_the_values() -> None:
    torch.manual_seed(0)
    network = conv_norm_relu(3, 5, kernel=3).eval()
    images = torch.rand(2, 3, 8, 8)
    before = network(images)
    network = to_channels_last(network, torch.device("cpu"))
    weight = network[0].weight
    assert isinstance(weight, torch.Tensor)
    assert weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(network(images), before)
