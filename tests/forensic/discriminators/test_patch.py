"""The patch discriminator: the published sizes, its field of view, spectral normalisation."""

import copy

import pytest
import torch
from torch import Tensor

from forensic.discriminators.patch import PatchDiscriminator
from forensic.errors import ShapeError


def count(**options: object) -> int:
    network = PatchDiscriminator(**options)  # type: ignore[arg-type]
    return sum(p.numel() for p in network.parameters())


def test_parameters_of_the_published_networks() -> None:
    assert count(in_channels=6, n_strided=4, norm="batch") == 6_965_441  # the study's pix2pix
    assert count(in_channels=6) == 2_767_809  # one scale of DeepFacePencil's 8.303 M


def test_logits_of_256_pixels_are_the_papers_30_by_30() -> None:
    (scale,) = PatchDiscriminator(in_channels=4, width=2)(torch.rand(1, 4, 256, 256))
    assert [tuple(a.shape) for a in scale] == [
        (1, 2, 128, 128),
        (1, 4, 64, 64),
        (1, 8, 32, 32),
        (1, 16, 31, 31),
        (1, 1, 30, 30),
    ]


def test_one_logit_sees_70_by_70_pixels() -> None:
    images = torch.rand(1, 1, 256, 256).requires_grad_()
    network = PatchDiscriminator(in_channels=1, width=4, norm="none")
    network(images)[0][-1][0, 0, 15, 15].backward()
    assert images.grad is not None
    rows, columns = images.grad[0, 0].nonzero().T
    assert (int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1) == (70, 70)


def test_wide_layers_stop_at_eight_times_the_first() -> None:
    network = PatchDiscriminator(in_channels=1, width=2, n_strided=5)
    (scale,) = network(torch.rand(1, 1, 128, 128))
    assert [a.shape[1] for a in scale] == [2, 4, 8, 16, 16, 16, 1]


def largest_singular_values(network: PatchDiscriminator) -> list[float]:
    kernels = [layer[0].weight.detach() for layer in network.layers]  # type: ignore[index]
    return [float(torch.linalg.matrix_norm(k.flatten(1), ord=2)) for k in kernels]


def test_spectral_normalisation_brings_every_kernel_to_one() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(in_channels=3, width=4, norm="none", spectral=True)
    for _ in range(60):  # one power iteration each
        network(torch.rand(1, 3, 32, 32))
    assert largest_singular_values(network) == pytest.approx([1] * 5, abs=0.02)


def test_state_of_the_power_iteration_is_saved() -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(in_channels=3, width=4, norm="none", spectral=True)
    images = torch.rand(1, 3, 32, 32)
    network(images)
    again = PatchDiscriminator(in_channels=3, width=4, norm="none", spectral=True)
    again.load_state_dict(network.state_dict())
    third = copy.deepcopy(network)
    wanted = network(images)[0][-1]
    assert torch.equal(again(images)[0][-1], wanted)
    assert torch.equal(third(images)[0][-1], wanted)


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_gradient_reaches_every_parameter(norm: str) -> None:
    torch.manual_seed(0)
    network = PatchDiscriminator(in_channels=2, width=4, norm=norm)  # type: ignore[arg-type]
    images: Tensor = torch.rand(2, 2, 64, 64)
    sum(a.square().mean() for a in network(images)[0]).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name


def test_other_channels_are_refused() -> None:
    with pytest.raises(ShapeError):
        PatchDiscriminator(in_channels=4, width=2)(torch.rand(1, 3, 64, 64))
