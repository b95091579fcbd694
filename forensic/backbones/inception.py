"""Features by which whole sets of images are compared, and the classes seen in them.

The Fréchet inception distance and the inception score are defined by one file: Inception-v3 as
TensorFlow trained it in 2015, ported to PyTorch. Where it is not to be had, the pooled features of
a VGG-19 stand in; their distance is no FID, and its name says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.inception import (
    BasicConv2d,
    Inception3,
    InceptionA,
    InceptionAux,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE,
)

from forensic.backbones.files import read_tensors
from forensic.backbones.vgg19 import VGG19Features, load_vgg19_features
from forensic.check import check_shape
from forensic.errors import WeightsError

SIDE_PX, N_CLASSES = 299, 1008


class _TensorFlowPool:
    """Pools the last branch as TensorFlow does: borders count for nothing, or by the maximum."""

    by_maximum = False

    def _forward(self, features: Tensor) -> list[Tensor]:
        branches: list[Tensor] = super()._forward(features)  # type: ignore[misc]
        if self.by_maximum:
            pooled = F.max_pool2d(features, 3, 1, 1)
        else:
            pooled = F.avg_pool2d(features, 3, 1, 1, count_include_pad=False)
        branches[-1] = self.branch_pool(pooled)  # type: ignore[attr-defined]
        return branches


class _PooledA(_TensorFlowPool, InceptionA):  # type: ignore[misc]
    pass


class _PooledC(_TensorFlowPool, InceptionC):  # type: ignore[misc]
    pass


class _PooledE(_TensorFlowPool, InceptionE):  # type: ignore[misc]
    pass


class InceptionFeatures(nn.Module):
    """The 2,048 features before the classes of a frozen Inception-v3, and its 1,008 classes.

    Source:
        Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, as trained for
        TensorFlow in December 2015; Heusel et al. 2017 for the choice of layer.
    """

    name, is_standard = "inception-v3 pool3 (2015-12-05)", True

    def __init__(self) -> None:
        super().__init__()
        blocks: list[Any] = [
            BasicConv2d,
            _PooledA,
            InceptionB,
            _PooledC,
            InceptionD,
            _PooledE,
            InceptionAux,
        ]
        self.network = Inception3(
            num_classes=N_CLASSES, aux_logits=False, inception_blocks=blocks, init_weights=False
        )
        self.network.Mixed_7c.by_maximum = True
        self.head = self.network.fc
        self.network.fc = nn.Identity()
        self.network.dropout = nn.Identity()
        self.requires_grad_(False)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 2048) features of RGB images (B, 3, H, W) in [0, 1].

        Raises:
            ShapeError: The images are not (B, 3, H, W).
        """
        check_shape(images, (None, 3, None, None), name="image batch")
        sized = F.interpolate(images, (SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False)
        features: Tensor = self.network(2 * sized - 1)
        return features

    def probabilities(self, features: Tensor) -> Tensor:
        """Return the class probabilities (B, 1008) that belong to features (B, 2048)."""
        # The published scores leave the bias of the classes out.
        return F.linear(features, self.head.weight).softmax(1)


class PooledVGG(nn.Module):
    """Mean and deviation of every VGG-19 channel, where Inception is not to be had.

    Args:
        vgg: The frozen network.
    """

    is_standard = False

    def __init__(self, vgg: VGG19Features) -> None:
        super().__init__()
        self.vgg = vgg
        self.name = f"pooled {vgg.name}: a stand-in, no FID"

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, D) features of RGB images (B, 3, H, W) in [0, 1].

        Raises:
            ShapeError: The images are not (B, 3, H, W).
        """
        check_shape(images, (None, 3, None, None), name="image batch")
        flat = [F.relu(features).flatten(2) for features in self.vgg(images)]
        pooled = [part for f in flat for part in (f.mean(2), f.std(2))]
        return torch.cat(pooled, 1)


def load_set_features(path: Path) -> InceptionFeatures | PooledVGG:
    """Read Inception-v3 (`pt_inception-2015-12-05-6726825d.pth`), or a VGG-19 to stand in.

    Raises:
        MissingWeights: The file is not there.
        WeightsError: It is neither.
    """
    remedy = "Run `forensic weights fetch inception-fid`, or give a VGG-19 file to stand in."
    state = read_tensors(path, remedy=remedy)
    if "Mixed_7c.branch_pool.conv.weight" not in state:
        return PooledVGG(load_vgg19_features(path))
    network = InceptionFeatures()
    renamed = {
        name.replace("fc.", "head.") if name.startswith("fc.") else f"network.{name}": value
        for name, value in state.items()
    }
    counters = {
        name: value
        for name, value in network.state_dict().items()
        if name.endswith("num_batches_tracked")
    }
    try:
        network.load_state_dict(counters | renamed)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit Inception-v3: {error}") from error
    return network
