"""The rulers of whole sets of images, read from files that hold random numbers."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from forensic.backbones.inception import (
    InceptionFeatures,
    PooledVGG,
    _PooledA,
    load_set_features,
)
from forensic.backbones.vgg19 import VGG19Features
from forensic.errors import MissingWeights, ShapeError, WeightsError

IMAGES = torch.rand(2, 3, 40, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def ported_state() -> dict[str, Tensor]:
    """Tensors under the names of the published file: torchvision's, without auxiliary classes."""
    torch.manual_seed(0)
    state = InceptionFeatures().state_dict()
    return {
        name.removeprefix("network.").replace("head.", "fc."): value
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }


def test_published_file(ported_state: dict[str, Tensor], tmp_path: Path) -> None:
    assert ported_state["fc.weight"].shape == (1008, 2048)
    assert ported_state["Conv2d_1a_3x3.conv.weight"].shape == (32, 3, 3, 3)
    # 23.8 M parameters of Inception-v3 without auxiliary classes, and 8 classes more
    learned = [v for n, v in ported_state.items() if "running" not in n]
    assert sum(v.numel() for v in learned) == 21_785_568 + 1008 * 2049
    torch.save(ported_state, tmp_path / "inception.pth")
    network = load_set_features(tmp_path / "inception.pth")
    assert isinstance(network, InceptionFeatures)
    assert network.is_standard
    features = network(IMAGES)
    assert features.shape == (2, 2048)
    odds = network.probabilities(features)
    torch.testing.assert_close(odds.sum(1), torch.ones(2))


def test_pooling_counts_no_border() -> None:
    """On a constant map TensorFlow's average stays constant up to the border."""
    block = _PooledA(4, pool_features=3).eval()
    seen: list[Tensor] = []
    block.branch_pool.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    block(torch.ones(1, 4, 5, 5))
    torch.testing.assert_close(seen[-1], torch.ones(1, 4, 5, 5))
    block.by_maximum = True
    features = torch.rand(1, 4, 5, 5)
    block(features)
    torch.testing.assert_close(seen[-1], F.max_pool2d(features, 3, 1, 1))


def stand_in(folder: Path) -> Path:
    torch.manual_seed(0)
    state = VGG19Features(name="", n_blocks=3, padding="reflect").state_dict()
    save_file(
        {n.removeprefix("convolutions."): v for n, v in state.items()}, folder / "v.safetensors"
    )
    return folder / "v.safetensors"


def test_stand_in_says_that_it_is_no_fid(tmp_path: Path) -> None:
    network = load_set_features(stand_in(tmp_path))
    assert isinstance(network, PooledVGG)
    assert "no FID" in network.name
    assert not network.is_standard
    features = network(IMAGES)
    assert features.shape == (2, 2 * (64 + 128 + 256))
    turned = network(IMAGES.flip(0))
    torch.testing.assert_close(features, turned.flip(0))


def test_refused(tmp_path: Path, ported_state: dict[str, Tensor]) -> None:
    with pytest.raises(MissingWeights, match="forensic weights fetch inception-fid"):
        load_set_features(tmp_path / "absent.pth")
    short = {n: v for n, v in ported_state.items() if n != "fc.bias"}
    torch.save(short, tmp_path / "short.pth")
    with pytest.raises(WeightsError, match="does not fit"):
        load_set_features(tmp_path / "short.pth")
    with pytest.raises(ShapeError):
        load_set_features(stand_in(tmp_path))(IMAGES[:, :1])
