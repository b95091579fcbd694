"""The deeper ruler, read from files of both kinds that hold random numbers."""

from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from forensic.backbones.vgg import IMAGENET_MEAN, IMAGENET_STD
from forensic.backbones.vgg19 import NAMES, VGG19Features, load_vgg19_features
from forensic.errors import MissingWeights, ShapeError, WeightsError

IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def stand_in_state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    network = VGG19Features(name="", n_blocks=3, padding="reflect")
    return {name.removeprefix("convolutions."): v for name, v in network.state_dict().items()}


@pytest.fixture(scope="module")
def torchvision_state() -> dict[str, Tensor]:
    """VGG-19's convolutions, which torchvision builds with random numbers, without its head."""
    torch.manual_seed(0)
    with torch.device("meta"):
        vgg = torchvision.models.vgg19()
    features = vgg.features[:35].to_empty(device="cpu")
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.normal_(layer.bias)
    return {f"features.{name}": value for name, value in features.state_dict().items()}


def test_torchvision_file_equals_vgg19_on_normalised_images(
    tmp_path: Path, torchvision_state: dict[str, Tensor]
) -> None:
    with torch.device("meta"):
        reference = torchvision.models.vgg19().features[:29]
    reference = reference.to_empty(device="cpu")
    reference.load_state_dict(
        {n.removeprefix("features."): v for n, v in torchvision_state.items()}, strict=False
    )
    for layer in reference:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    torch.save(torchvision_state, tmp_path / "vgg19.pth")
    vgg = load_vgg19_features(tmp_path / "vgg19.pth")
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    hidden, wanted = (IMAGES - mean) / std, []
    for i, layer in enumerate(reference):
        hidden = layer(hidden)
        if i in (0, 5, 10, 19, 28):
            wanted.append(hidden)
    found = vgg(IMAGES)
    assert len(found) == 5
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-3)
    assert "conv5_1" in vgg.name


def test_stand_in_ends_with_conv3_1_and_says_so(tmp_path: Path) -> None:
    save_file(stand_in_state(), tmp_path / "vgg.safetensors")
    vgg = load_vgg19_features(tmp_path / "vgg.safetensors")
    features = vgg(IMAGES)
    assert [tuple(f.shape[1:]) for f in features] == [(64, 32, 32), (128, 16, 16), (256, 8, 8)]
    assert min(float(f.min()) for f in features) < 0  # before the activation
    assert "stand-in" in vgg.name
    assert "conv3_1" in vgg.name


def test_names_of_the_layers() -> None:
    assert NAMES[0] == "conv1_1"
    assert NAMES[-1] == "conv5_1"
    assert len(NAMES) == 13


def test_frozen_yet_transparent_to_the_gradient(tmp_path: Path) -> None:
    save_file(stand_in_state(), tmp_path / "vgg.safetensors")
    vgg = load_vgg19_features(tmp_path / "vgg.safetensors")
    images = IMAGES.clone().requires_grad_()
    vgg(images)[-1].square().sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0
    assert all(not p.requires_grad for p in vgg.parameters())


def test_refused(tmp_path: Path, torchvision_state: dict[str, Tensor]) -> None:
    with pytest.raises(MissingWeights):
        load_vgg19_features(tmp_path / "absent.pth")
    vgg16 = {k: v for k, v in torchvision_state.items() if not k.startswith("features.3")}
    torch.save(vgg16, tmp_path / "vgg16.pth")
    with pytest.raises(WeightsError, match="neither"):
        load_vgg19_features(tmp_path / "vgg16.pth")
    state = stand_in_state()
    del state["conv2_2.bias"]
    save_file(state, tmp_path / "short.safetensors")
    with pytest.raises(WeightsError, match="does not fit"):
        load_vgg19_features(tmp_path / "short.safetensors")
    with pytest.raises(ShapeError):
        VGG19Features(name="", n_blocks=1, padding="zeros")(IMAGES[:, :1])
