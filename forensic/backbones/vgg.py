"""VGG features up to relu2_2, the ruler of the feature loss.

Two files can serve. torchvision's VGG-16 (`forensic weights fetch vgg16`) is the network that the
papers name. A channel-normalised VGG-19 stands in where it is not to be had; every result that
depends on the features carries `VGGFeatures.name`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from forensic.backbones.files import read_tensors
from forensic.check import check_shape
from forensic.errors import WeightsError

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LAYERS = ("conv1_1", "conv1_2", "conv2_1", "conv2_2")
TORCHVISION_NAMES = ("features.0", "features.2", "features.5", "features.7")


class VGGFeatures(nn.Module):
    """Activations of relu2_2 of a frozen VGG.

    Args:
        name: What the features are called in results.
        padding: `zeros` (torchvision) or `reflect` (the normalised VGG-19).
    """

    def __init__(self, *, name: str, padding: Literal["zeros", "reflect"]) -> None:
        super().__init__()
        self.name = name
        self.conv0 = nn.Conv2d(3, 3, 1)
        self.conv1_1 = nn.Conv2d(3, 64, 3, padding=1, padding_mode=padding)
        self.conv1_2 = nn.Conv2d(64, 64, 3, padding=1, padding_mode=padding)
        self.conv2_1 = nn.Conv2d(64, 128, 3, padding=1, padding_mode=padding)
        self.conv2_2 = nn.Conv2d(128, 128, 3, padding=1, padding_mode=padding)
        self.requires_grad_(False)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 128, H/2, W/2) features of RGB images (B, 3, H, W) in [0, 1].

        Raises:
            ShapeError: The images are not (B, 3, H, W).
        """
        check_shape(images, (None, 3, None, None), name="image batch")
        features = F.relu(self.conv1_2(F.relu(self.conv1_1(self.conv0(images)))))
        features = F.max_pool2d(features, 2)
        return F.relu(self.conv2_2(F.relu(self.conv2_1(features))))


def load_vgg_features(path: Path) -> VGGFeatures:
    """Read VGG features from a file: torchvision's VGG-16 (.pth) or the normalised VGG-19.

    Raises:
        MissingWeights: The file is not there.
        WeightsError: The file is not one of the two networks.
    """
    state = read_vgg_file(path)
    if "conv0.weight" in state:
        vgg = VGGFeatures(name="vgg19-normalised relu2_2 (stand-in)", padding="reflect")
        wanted = {name: state[name] for name in vgg.state_dict() if name in state}
    elif "features.0.weight" in state:
        vgg = VGGFeatures(name="vgg16 relu2_2 (torchvision)", padding="zeros")
        std = torch.tensor(IMAGENET_STD)
        wanted = {
            "conv0.weight": torch.diag(1 / std)[:, :, None, None],
            "conv0.bias": -torch.tensor(IMAGENET_MEAN) / std,
        }
        wanted |= {
            f"{ours}.{part}": state[f"{theirs}.{part}"]
            for ours, theirs in zip(LAYERS, TORCHVISION_NAMES, strict=True)
            for part in ("weight", "bias")
            if f"{theirs}.{part}" in state
        }
    else:
        raise WeightsError(f"{path} holds neither torchvision's VGG-16 nor the normalised VGG-19.")
    try:
        vgg.load_state_dict({name: value.float() for name, value in wanted.items()})
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit VGG up to relu2_2: {error}") from error
    return vgg


def read_vgg_file(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a VGG file by name, whichever of the two networks it holds.

    Raises:
        MissingWeights: The file is not there.
        WeightsError: It cannot be read as weights.
    """
    remedy = (
        "Run `forensic weights fetch vgg16`, or pass the path of a VGG file with "
        "--set options.vgg=PATH."
    )
    return read_tensors(path, remedy=remedy)
