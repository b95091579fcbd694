"""PiDiNet, a learned edge detector of 0.7 M parameters.

Source:
    Su et al., Pixel Difference Networks for Efficient Edge Detection, ICCV 2021: the full network
    (CARV4, 60 channels, dilation and spatial attention modules). Its pixel differences are linear,
    so that each is an ordinary convolution with rearranged weights (section 3.1); the network here
    has those, and `load_pidinet` rearranges the published ones.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from forensic.backbones.files import read_tensors
from forensic.backbones.vgg import IMAGENET_MEAN, IMAGENET_STD
from forensic.check import check_shape
from forensic.errors import WeightsError

WIDTHS = (60, 120, 240, 240)
BLOCKS = tuple(f"block{s}_{i}" for s in range(1, 5) for i in range(1, 5) if (s, i) != (1, 4))
KINDS = ("central", "angular", "radial", "plain")
"""The differences of a layer, in the order in which CARV4 repeats them, `init_block` first."""

ROTATED = (3, 0, 1, 6, 4, 2, 7, 8, 5)
"""The place before each of a 3×3 kernel's nine, going round its centre."""

OUTER = (0, 2, 4, 10, 14, 20, 22, 24)
INNER = (6, 7, 8, 11, 13, 16, 17, 18)
"""Places in a 5×5 kernel of the two ends of each radial difference."""


class _Block(nn.Module):
    """A depthwise and a 1×1 convolution added to their input, halved first where a stage begins."""

    def __init__(self, wide_in: int, wide_out: int, *, kernel: int, is_first: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(
            wide_in, wide_in, kernel, padding=kernel // 2, groups=wide_in, bias=False
        )
        self.conv2 = nn.Conv2d(wide_in, wide_out, 1, bias=False)
        self.shortcut = nn.Conv2d(wide_in, wide_out, 1) if is_first else None

    def forward(self, features: Tensor) -> Tensor:
        if self.shortcut is not None:
            features = F.max_pool2d(features, 2)
        beside = features if self.shortcut is None else self.shortcut(features)
        out: Tensor = self.conv2(F.relu(self.conv1(features))) + beside
        return out


class _Dilation(nn.Module):
    """Four dilated convolutions of one compressed map, summed."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(wide_in, wide_out, 1)
        for i, d in enumerate((5, 7, 9, 11), 1):
            setattr(
                self,
                f"conv2_{i}",
                nn.Conv2d(wide_out, wide_out, 3, padding=d, dilation=d, bias=False),
            )

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.conv1(F.relu(features))
        parts = [getattr(self, f"conv2_{i}")(hidden) for i in range(1, 5)]
        return torch.stack(parts).sum(0)


class _Attention(nn.Module):
    """A mask in [0, 1] over places, multiplied with the features."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 4, 1)
        self.conv2 = nn.Conv2d(4, 1, 3, padding=1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        return features * torch.sigmoid(self.conv2(self.conv1(F.relu(features))))


class _Reduce(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.conv(features)
        return out


class PiDiNet(nn.Module):
    """Edge probability of every pixel of an RGB image."""

    name = "pidinet"

    def __init__(self) -> None:
        super().__init__()
        self.init_block = nn.Conv2d(3, WIDTHS[0], 3, padding=1, bias=False)
        channels = WIDTHS[0]
        for place, block in enumerate(BLOCKS, 1):
            width = WIDTHS[int(block[5]) - 1]
            kernel = 5 if KINDS[place % 4] == "radial" else 3
            is_first = block.endswith("_1") and block != "block1_1"
            self.add_module(block, _Block(channels, width, kernel=kernel, is_first=is_first))
            channels = width
        self.dilations = nn.ModuleList(_Dilation(width, 24) for width in WIDTHS)
        self.attentions = nn.ModuleList(_Attention(24) for _ in WIDTHS)
        self.conv_reduces = nn.ModuleList(_Reduce(24) for _ in WIDTHS)
        self.classifier = nn.Conv2d(len(WIDTHS), 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 1, H, W) in [0, 1], 1 on an edge, for RGB images (B, 3, H, W) in [0, 1].

        Raises:
            ShapeError: The images are not (B, 3, H, W).
        """
        check_shape(images, (None, 3, None, None), name="image batch")
        mean = images.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
        deviation = images.new_tensor(IMAGENET_STD).view(1, 3, 1, 1)
        features = self.init_block((images - mean) / deviation)
        stages = []
        for block in BLOCKS:
            features = self.get_submodule(block)(features)
            if block in ("block1_3", "block2_4", "block3_4", "block4_4"):
                stages.append(features)
        maps = [
            F.interpolate(
                reduce(attend(dilate(stage))),
                images.shape[2:],
                mode="bilinear",
                align_corners=False,
            )
            for stage, dilate, attend, reduce in zip(
                stages, self.dilations, self.attentions, self.conv_reduces, strict=True
            )
        ]
        return torch.sigmoid(self.classifier(torch.cat(maps, 1)))


def load_pidinet(path: Path) -> PiDiNet:
    """Read the published weights (`table5_pidinet.pth`) or the same as plain convolutions.

    Raises:
        MissingWeights: The file is not there.
        WeightsError: It is not this network.
    """
    state = read_tensors(path, remedy="Run `forensic weights fetch pidinet`.")
    tensors = {n.removeprefix("module."): v for n, v in state.items()}
    network = PiDiNet()
    if "block1_2.conv1.weight" in tensors and tensors["block1_2.conv1.weight"].shape[-1] == 3:
        tensors = as_convolutions(tensors)
    try:
        network.load_state_dict({name: value.float() for name, value in tensors.items()})
    except (RuntimeError, AttributeError) as error:
        raise WeightsError(f"{path} does not fit PiDiNet: {error}") from error
    return network.requires_grad_(False).eval()


def as_convolutions(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return published weights with the kernels of pixel differences as those of convolutions."""
    kernels = ["init_block.weight", *(f"{block}.conv1.weight" for block in BLOCKS)]
    changed = {
        name: difference_kernel(state[name], KINDS[place % 4])
        for place, name in enumerate(kernels)
        if name in state
    }
    return {**state, **changed}


def difference_kernel(weight: Tensor, kind: str) -> Tensor:
    """Return the kernel whose convolution equals a pixel difference, (O, I, 3, 3) or 5×5 if radial.

    Args:
        weight: (O, I, 3, 3), one weight a difference.
        kind: A name in `KINDS`: differences to the centre, to the next place round it, from the
            outer to the inner ring, or none.
    """
    flat = weight.flatten(2)
    if kind == "central":
        flat = flat.clone()
        flat[:, :, 4] -= weight.flatten(2).sum(2)
    elif kind == "angular":
        flat = flat - flat[:, :, list(ROTATED)]
    elif kind == "radial":
        wide = flat.new_zeros(*flat.shape[:2], 25)
        wide[:, :, list(OUTER)] = flat[:, :, 1:]  # the first of the nine weights has no use
        wide[:, :, list(INNER)] = -flat[:, :, 1:]
        return wide.view(*flat.shape[:2], 5, 5)
    return flat.view_as(weight)
