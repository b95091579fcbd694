"""PiDiNet: pixel differences as convolutions, and reading of both kinds of file."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from forensic.backbones.pidinet import (
    BLOCKS,
    KINDS,
    PiDiNet,
    as_convolutions,
    difference_kernel,
    load_pidinet,
)
from forensic.errors import MissingWeights, ShapeError, WeightsError

IMAGES = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def published_state() -> dict[str, Tensor]:
    """Random weights of the published form, in which every difference has nine of them."""
    torch.manual_seed(0)
    state = PiDiNet().state_dict()
    for name in [n for n, v in state.items() if v.shape[-1] == 5]:
        state[name] = torch.randn(*state[name].shape[:2], 3, 3)
    return state


def test_parameters_and_layers_of_the_paper() -> None:
    network = PiDiNet()
    # 0.72 M as plain convolutions; the four 5×5 kernels hold nine weights each in the original.
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(0.72, abs=0.005)
    wide = [b for b in BLOCKS if network.get_submodule(b).conv1.kernel_size == (5, 5)]
    assert wide == ["block1_2", "block2_3", "block3_3", "block4_3"]


@pytest.mark.parametrize("kind", KINDS)
def test_difference_equals_its_convolution(kind: str) -> None:
    """Each weight times the difference of two pixels, place by place."""
    draw = torch.Generator().manual_seed(1)
    weight = torch.randn(1, 1, 3, 3, generator=draw)
    image = torch.rand(1, 1, 5, 5, generator=draw)
    kernel = difference_kernel(weight, kind)
    found = F.conv2d(image, kernel, padding=kernel.shape[-1] // 2)[0, 0, 2, 2]
    w, x = weight.flatten(), image[0, 0]
    near = [x[r, c] for r in (1, 2, 3) for c in (1, 2, 3)]
    if kind == "plain":
        wanted = sum(w[i] * near[i] for i in range(9))
    elif kind == "central":
        wanted = sum(w[i] * (near[i] - near[4]) for i in range(9))
    elif kind == "angular":
        ring = [0, 1, 2, 5, 8, 7, 6, 3]  # clockwise
        pairs = zip(ring, ring[1:] + ring[:1], strict=True)
        wanted = sum(w[i] * (near[i] - near[after]) for i, after in pairs)
    else:
        around = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]
        wanted = sum(
            w[i] * (x[2 + 2 * dy, 2 + 2 * dx] - x[2 + dy, 2 + dx])
            for i, (dy, dx) in enumerate(around, 1)
        )
    torch.testing.assert_close(found, torch.as_tensor(wanted))


def test_flat_pictures_have_no_differences() -> None:
    weight = torch.randn(2, 2, 3, 3)
    for kind in ("central", "angular", "radial"):
        torch.testing.assert_close(
            difference_kernel(weight, kind).sum((2, 3)), torch.zeros(2, 2), atol=1e-5, rtol=0
        )


def test_both_kinds_of_file_give_the_same_network(tmp_path: Path) -> None:
    state = published_state()
    wrapped = {f"module.{name}": value for name, value in state.items()}
    torch.save({"epoch": 19, "state_dict": wrapped}, tmp_path / "table5_pidinet.pth")
    save_file(as_convolutions(state), tmp_path / "plain.safetensors")
    first = load_pidinet(tmp_path / "table5_pidinet.pth")
    second = load_pidinet(tmp_path / "plain.safetensors")
    edges = first(IMAGES)
    assert edges.shape == (1, 1, 32, 48)
    assert 0 <= float(edges.min()) < float(edges.max()) <= 1
    torch.testing.assert_close(edges, second(IMAGES))
    assert not first.training
    assert all(not p.requires_grad for p in first.parameters())


def test_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="forensic weights fetch pidinet"):
        load_pidinet(tmp_path / "absent.pth")
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="does not fit"):
        load_pidinet(tmp_path / "other.safetensors")
    with pytest.raises(ShapeError):
        PiDiNet()(IMAGES[:, :1])
