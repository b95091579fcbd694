"""What is particular to the network of Convolutional Sketch Inversion."""

import pytest
import torch
from torch import nn

from forensic.errors import ShapeError
from forensic.generators.csi import CSI


@pytest.mark.parametrize(("in_channels", "count"), [(1, 1_674_057), (3, 1_679_241)])
def test_parameters_of_the_published_table(in_channels: int, count: int) -> None:
    assert sum(p.numel() for p in CSI(in_channels=in_channels).parameters()) == count


def test_layers_of_table_1() -> None:
    """Kernel, stride and channels of every convolution, in the order of the paper."""
    found = [
        (layer.kernel_size[0], layer.stride[0], layer.out_channels)
        for layer in CSI(in_channels=1).modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    blocks = [(3, 1, 128)] * 10
    assert found == [
        (9, 1, 32),
        (3, 2, 64),
        (3, 2, 128),
        *blocks,
        (3, 2, 64),
        (3, 2, 32),
        (9, 1, 3),
    ]


def test_every_convolution_is_normalised_with_the_papers_decay() -> None:
    norms = [m for m in CSI(in_channels=1).modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 16
    assert {m.momentum for m in norms} == {0.1}  # a decay of 0.9


@pytest.mark.parametrize("size_hw", [(96, 96), (20, 28)])
def test_size_stays(size_hw: tuple[int, int]) -> None:
    network = CSI(in_channels=1, width=4, n_blocks=1).eval()
    with torch.no_grad():
        photo = network(torch.rand(1, 1, *size_hw))
    assert photo.shape == (1, 3, *size_hw)


@pytest.mark.parametrize("shape", [(1, 1, 94, 96), (1, 1, 96, 97), (1, 3, 96, 96), (1, 96, 96)])
def test_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError):
        CSI(in_channels=1, width=4, n_blocks=1)(torch.rand(shape))


def test_config_rebuilds_the_network() -> None:
    network = CSI(in_channels=3, width=4, n_blocks=2)
    again = CSI(**network.config)
    again.load_state_dict(network.state_dict())
    assert again.config == {"in_channels": 3, "width": 4, "n_blocks": 2}


def test_known_value_with_known_weights() -> None:
    """Trained weights exist: the same weights must give the same photo for ever."""
    network = CSI(in_channels=1, width=4, n_blocks=1).eval()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                wave = torch.arange(value.numel(), dtype=torch.float64).mul(0.7).cos()
                wave = wave.abs() + 0.5 if name.endswith("running_var") else 0.3 * wave
                value.copy_(wave.view_as(value))
        sketch = torch.linspace(0, 1, 8 * 12).view(1, 1, 8, 12)
        photo = network(sketch)[0]
    found = [photo[channel, 3, 5].item() for channel in range(3)]
    assert found == pytest.approx([0.648646, 0.615044, 0.525852], abs=1e-5)
    assert photo.mean().item() == pytest.approx(0.538276, abs=1e-5)
