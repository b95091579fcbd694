"""What is particular to the study's autoencoders."""

import pytest
import torch
from torch import nn

from forensic.errors import ShapeError
from forensic.generators.autoencoders import ConvAutoencoder, SparseAutoencoder, VGGAutoencoder


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_parameters_of_the_study() -> None:
    with torch.device("meta"):
        assert count(SparseAutoencoder()) == 201_869_120  # "roughly 201 million"
        assert count(ConvAutoencoder()) == 233_027
        narrow, wide = VGGAutoencoder(kernel=3), VGGAutoencoder(kernel=5)
    assert count(narrow) == 16_286_947  # "close to 16.3 million"
    assert count(narrow.encoder) == 14_714_688  # "14.7 million were frozen"
    assert count(wide) == 19_081_187  # Table II as printed


def test_sizes_of_tables_1_and_2() -> None:
    with torch.device("meta"):
        conv, vgg = ConvAutoencoder(), VGGAutoencoder()
        sides, features = [], torch.empty(1, 3, 256, 256)
        for layer in conv.body:
            features = layer(features)
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                sides.append(features.shape[2])
        assert sides == [128, 64, 32, 64, 128, 256, 256]
        code = vgg.encoder(torch.empty(1, 3, 224, 224))
        assert code.shape == (1, 512, 7, 7)
        assert vgg.decoder(code).shape == (1, 3, 224, 224)


def test_sparse_code_is_the_narrowest_layer_and_never_negative() -> None:
    torch.manual_seed(0)
    network = SparseAutoencoder(side_px=8, widths=(16, 4))
    code = network.encode(torch.rand(5, 3, 8, 8))
    assert code.shape == (5, 4)
    assert code.min() >= 0
    assert [m.out_features for m in network.modules() if isinstance(m, nn.Linear)] == [
        16,
        4,
        16,
        192,
    ]


def test_vgg_sees_normalised_colours() -> None:
    network = VGGAutoencoder().eval()
    seen: list[torch.Tensor] = []
    network.encoder.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    network(mean.expand(1, 3, 32, 32).contiguous())
    assert seen[0].abs().max() < 1e-6


@pytest.mark.parametrize(
    ("network", "side"),
    [(ConvAutoencoder(), 20), (VGGAutoencoder(), 48), (SparseAutoencoder(side_px=8), 16)],
)
def test_sizes_that_do_not_fit_are_refused(network: nn.Module, side: int) -> None:
    with pytest.raises(ShapeError):
        network(torch.rand(1, 3, side, side))
