"""HED, read from a file of the ported form that holds random numbers."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from forensic.backbones.hed import HED, MEAN_BGR, load_hed
from forensic.errors import MissingWeights, ShapeError, WeightsError

IMAGES = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def ported_state() -> dict[str, Tensor]:
    """The names of the ported file, counted out by hand for the layers that matter below."""
    torch.manual_seed(0)
    state: dict[str, Tensor] = {}
    channels = 3
    plan = {"One": (64, 0, 2), "Two": (128, 1, 2), "Thr": (256, 1, 3), "Fou": (512, 1, 3)}
    for word, (width, first, depth) in (plan | {"Fiv": (512, 1, 3)}).items():
        for i in range(depth):
            name = f"moduleVgg{word}.{first + 2 * i}"
            state[f"{name}.weight"] = torch.randn(width, channels, 3, 3) / (9 * channels) ** 0.5
            state[f"{name}.bias"] = torch.randn(width)
            channels = width
        state[f"moduleScore{word}.weight"] = torch.randn(1, width, 1, 1) / width
        state[f"moduleScore{word}.bias"] = torch.randn(1)
    state["moduleCombine.0.weight"] = torch.full((1, 5, 1, 1), 0.2)
    state["moduleCombine.0.bias"] = torch.zeros(1)
    return state


def test_parameters_are_those_of_vgg16_and_six_small_layers() -> None:
    vgg16 = 14_714_688
    with torch.device("meta"):
        count = sum(p.numel() for p in HED().parameters())
    assert count == vgg16 + (64 + 128 + 256 + 512 + 512 + 5) + 6


def test_ported_file(tmp_path: Path) -> None:
    torch.save(ported_state(), tmp_path / "network-bsds500.pytorch")
    network = load_hed(tmp_path / "network-bsds500.pytorch")
    edges = network(IMAGES)
    assert edges.shape == (1, 1, 32, 48)
    assert 0 <= float(edges.min()) < float(edges.max()) <= 1
    assert all(not p.requires_grad for p in network.parameters())
    assert torch.equal(network.stages[1][0].bias, ported_state()["moduleVggTwo.1.bias"])  # type: ignore[index]


def test_the_mean_colour_is_taken_off_in_the_order_of_bgr(tmp_path: Path) -> None:
    torch.save(ported_state(), tmp_path / "hed.pth")
    network = load_hed(tmp_path / "hed.pth")
    mean = torch.tensor(MEAN_BGR[::-1]).view(1, 3, 1, 1).expand(1, 3, 32, 32) / 255
    seen: list[Tensor] = []
    network.stages[0][0].register_forward_pre_hook(lambda _, i: seen.append(i[0]))  # type: ignore[index]
    network(mean)
    torch.testing.assert_close(seen[0], torch.zeros_like(seen[0]), atol=1e-4, rtol=0)


def test_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="forensic weights fetch hed"):
        load_hed(tmp_path / "absent.pth")
    state = ported_state()
    del state["moduleScoreOne.bias"]
    torch.save(state, tmp_path / "short.pth")
    with pytest.raises(WeightsError, match="does not fit"):
        load_hed(tmp_path / "short.pth")
    with pytest.raises(ShapeError):
        HED()(IMAGES[:, :1])
