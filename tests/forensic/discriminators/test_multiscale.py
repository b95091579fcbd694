"""Three discriminators on three resolutions."""

import pytest
import torch

from forensic.discriminators.multiscale import MultiScaleDiscriminator
from forensic.discriminators.patch import PatchDiscriminator
from forensic.errors import ShapeError


def test_parameters_of_deepfacepencil() -> None:
    network = MultiScaleDiscriminator(in_channels=6)
    assert sum(p.numel() for p in network.parameters()) == 8_303_427


def test_each_scale_judges_half_the_resolution_of_the_last() -> None:
    torch.manual_seed(0)
    network = MultiScaleDiscriminator(in_channels=1, width=2)
    images = torch.rand(1, 1, 128, 128)
    judgement = network(images)
    assert [scale[0].shape[-1] for scale in judgement] == [65, 33, 17]
    assert [len(scale) for scale in judgement] == [5, 5, 5]
    first = network.scales[0]
    assert isinstance(first, PatchDiscriminator)
    assert torch.equal(first(images)[0][-1], judgement[0][-1])


def test_a_flat_image_stays_flat_at_every_resolution() -> None:
    """Borders are averaged over the pixels that exist, so they do not turn dark."""
    seen = []
    network = MultiScaleDiscriminator(in_channels=1, width=2)
    for scale in network.scales:
        scale.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(torch.full((1, 1, 64, 64), 0.7))
    assert [images.shape[-1] for images in seen] == [64, 32, 16]
    for images in seen:
        torch.testing.assert_close(images, torch.full_like(images, 0.7))


def test_other_channels_are_refused() -> None:
    with pytest.raises(ShapeError):
        MultiScaleDiscriminator(in_channels=4, width=2)(torch.rand(1, 3, 64, 64))
