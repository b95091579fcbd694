"""What is particular to the networks that draw a photo."""

import pytest
import torch
from torch import nn

from forensic.errors import ShapeError, UnknownNameError
from forensic.generators.fcn import FCN


@pytest.mark.parametrize(
    ("size", "count"),
    [("sr", 28_865), ("small", 123_201), ("medium", 475_777), ("large", 1_869_057)],
)
def test_parameters(size: str, count: int) -> None:
    with torch.device("meta"):
        network = FCN(size=size)
    assert sum(p.numel() for p in network.parameters()) == count


def test_kernels_of_figure_2_and_no_activation_at_the_end() -> None:
    layers = list(FCN().body)
    kernels = [m.kernel_size[0] for m in layers if isinstance(m, nn.Conv2d)]
    assert kernels == [5, 5, 1, 1, 3, 3]
    assert all(m.padding == (0, 0) for m in layers if isinstance(m, nn.Conv2d))
    assert isinstance(layers[-1], nn.Conv2d)
    assert sum(isinstance(m, nn.ReLU) for m in layers) == 5


@pytest.mark.parametrize("size", ["sr", "small", "medium"])
def test_the_papers_crop_loses_twelve_pixels(size: str) -> None:
    with torch.device("meta"):
        made = FCN(size=size)(torch.empty(1, 3, 200, 155))
    assert made.shape == (1, 1, 188, 143)


def test_start_is_gaussian_without_bias() -> None:
    torch.manual_seed(0)
    second = FCN().body[2]
    assert isinstance(second, nn.Conv2d)
    assert second.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert second.bias is not None
    assert second.bias.abs().max() == 0


def test_coordinates_tell_equal_pixels_apart() -> None:
    torch.manual_seed(0)
    flat = torch.full((1, 3, 20, 20), 0.5)
    made = {on: FCN(size="sr", coordinates=on).train()(flat) for on in (True, False)}
    assert made[False].std() < 1e-9
    assert made[True].std() > 1e-6


def test_coordinates_count_from_the_centre() -> None:
    """A network that copies the fourth channel, the row, shows what it was given."""
    network = FCN(size="sr").train()
    with torch.no_grad():
        for layer in network.body:
            if isinstance(layer, nn.Conv2d):
                layer.weight.zero_()
        first, second, last = (m for m in network.body if isinstance(m, nn.Conv2d))
        first.weight[0, 3, 4, 4] = second.weight[0, 0] = last.weight[0, 0, 2, 2] = 1
        made = network(torch.zeros(1, 3, 21, 15))[0, 0] * 255
    assert made[:, 0].tolist() == pytest.approx([0, 0, 0, 0, 0, 1, 2, 3, 4])  # ReLU clips above


def test_values_are_clipped_only_after_training() -> None:
    torch.manual_seed(0)
    network = FCN(size="sr")
    photos = 300 * torch.rand(1, 3, 20, 20)
    assert network.train()(photos).min() < 0
    assert network.eval()(photos).min() == 0


def test_refused() -> None:
    with pytest.raises(ShapeError, match="no pixel"):
        FCN()(torch.rand(1, 3, 12, 40))
    with pytest.raises(UnknownNameError, match="medium"):
        FCN(size="medum")
