"""The feature ruler, read from files of both kinds that hold random numbers."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from forensic.backbones.vgg import IMAGENET_MEAN, IMAGENET_STD, load_vgg_features
from forensic.errors import ForensicError, MissingWeights, ShapeError, WeightsError
from tests.support.vgg import normalised_state, torchvision_state

IMAGES = torch.rand(2, 3, 16, 12, generator=torch.Generator().manual_seed(0))


def save_torchvision(folder: Path, state: dict[str, Tensor]) -> Path:
    torch.save(state, folder / "vgg16.pth")
    return folder / "vgg16.pth"


def test_torchvision_file_equals_vgg16_on_normalised_images(tmp_path: Path) -> None:
    state = torchvision_state()
    reference = nn.Sequential(
        *(nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()),
        nn.MaxPool2d(2),
        *(nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.Conv2d(128, 128, 3, padding=1)),
        nn.ReLU(),
    )
    names = {key.removeprefix("features."): value for key, value in state.items()}
    reference.load_state_dict({key: names[key] for key in reference.state_dict()})
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    vgg = load_vgg_features(save_torchvision(tmp_path, state))
    torch.testing.assert_close(vgg(IMAGES), reference((IMAGES - mean) / std))
    assert "vgg16" in vgg.name


def test_normalised_file_uses_its_own_first_layer_and_mirrored_borders(tmp_path: Path) -> None:
    state = normalised_state()
    save_file(state, tmp_path / "vgg.safetensors")
    vgg = load_vgg_features(tmp_path / "vgg.safetensors")
    assert "stand-in" in vgg.name
    out = torch.einsum("oi,bihw->bohw", state["conv0.weight"][:, :, 0, 0], IMAGES)
    out = out + state["conv0.bias"].view(1, 3, 1, 1)
    for layer in ("conv1_1", "conv1_2", "pool", "conv2_1", "conv2_2"):
        if layer == "pool":
            out = nn.functional.max_pool2d(out, 2)
            continue
        out = nn.functional.pad(out, (1, 1, 1, 1), mode="reflect")
        out = nn.functional.conv2d(out, state[f"{layer}.weight"], state[f"{layer}.bias"]).relu()
    torch.testing.assert_close(vgg(IMAGES), out)


def test_frozen_yet_transparent_to_the_gradient(tmp_path: Path) -> None:
    vgg = load_vgg_features(save_torchvision(tmp_path, torchvision_state()))
    images = IMAGES.clone().requires_grad_()
    features = vgg(images)
    assert features.shape == (2, 128, 8, 6)
    features.sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0
    assert all(not p.requires_grad for p in vgg.parameters())
    assert not vgg.training


def test_half_precision_files_become_single(tmp_path: Path) -> None:
    half = {name: value.half() for name, value in normalised_state().items()}
    save_file(half, tmp_path / "vgg.safetensors")
    vgg = load_vgg_features(tmp_path / "vgg.safetensors")
    assert vgg(IMAGES).dtype == torch.float32


def test_refused_images(tmp_path: Path) -> None:
    vgg = load_vgg_features(save_torchvision(tmp_path, torchvision_state()))
    with pytest.raises(ShapeError):
        vgg(torch.rand(2, 1, 16, 16))


def test_missing_file_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="forensic weights fetch vgg16"):
        load_vgg_features(tmp_path / "vgg16.pth")


@pytest.mark.parametrize("name", ["vgg.pth", "vgg.safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\x80\x02}", b"PK\x03\x04junk"])
def test_damaged_file(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_vgg_features(tmp_path / name)


def test_another_network(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="neither"):
        load_vgg_features(save_torchvision(tmp_path, {"layer1.weight": torch.zeros(1)}))


def test_network_with_a_layer_missing_or_of_another_size(tmp_path: Path) -> None:
    state = torchvision_state()
    missing = {key: value for key, value in state.items() if key != "features.7.bias"}
    for bad in (missing, state | {"features.5.weight": torch.zeros(128, 64, 5, 5)}):
        with pytest.raises(WeightsError, match="does not fit"):
            load_vgg_features(save_torchvision(tmp_path, bad))


def test_pickled_code_is_not_run(tmp_path: Path) -> None:
    torch.save(nn.Linear(1, 1), tmp_path / "vgg16.pth")
    with pytest.raises(ForensicError):
        load_vgg_features(tmp_path / "vgg16.pth")
