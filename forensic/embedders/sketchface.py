"""The embedder that comes with the package: one small network for photos and sketches of faces.

It is taught by distillation to give a sketch the vector that its teacher gives to the photo, so
its vectors may be compared with the teacher's own. Wide 3×3 convolutions at low resolution, not
depthwise ones, because those are what ordinary CPUs compute fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from forensic.check import check_shape
from forensic.embedders.embedder import check_faces, unit_rows
from forensic.errors import WeightsError
from forensic.files import sha256_of_file
from forensic.images.tensors import images_to_tensor
from forensic.layers.memory import to_channels_last
from forensic.values import Vectors
from forensic.weights.bundle import load_bundle

SIZE_PX = 112
N = TypeVar("N", bound=nn.Module)


class SketchFaceBlock(nn.Module):
    """Two normalised 3×3 convolutions beside a shortcut, rectified after the sum.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        stride: 2 halves height and width.
    """

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, out_channels, H/stride, W/stride)."""
        return torch.relu(self.body(features) + self.shortcut(features))


class SketchFace(nn.Module):
    """A residual network from (B, 3, 112, 112) to (B, dimension), not scaled to length 1.

    Args:
        widths: Channels of each stage; every stage halves height and width.
        depths: Blocks of each stage.
        stem: Channels of the first convolution, which halves height and width too.
        dimension: Length of a vector.
    """

    def __init__(
        self,
        *,
        widths: Sequence[int] = (64, 128, 256),
        depths: Sequence[int] = (2, 3, 2),
        stem: int = 32,
        dimension: int = 128,
    ) -> None:
        super().__init__()
        self.config = {
            "widths": list(widths),
            "depths": list(depths),
            "stem": stem,
            "dimension": dimension,
        }
        self.stem = nn.Sequential(
            nn.Conv2d(3, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU(inplace=True)
        )
        stages, channels = [], stem
        for width, depth in zip(widths, depths, strict=True):
            for i in range(depth):
                stages.append(SketchFaceBlock(channels, width, stride=2 if i == 0 else 1))
                channels = width
        self.stages = nn.Sequential(*stages)
        # One weight per channel and place, as eyes and mouth lie where the alignment puts them.
        grid = SIZE_PX >> (len(widths) + 1)
        self.pool = nn.Sequential(
            nn.Conv2d(channels, channels, grid, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.head = nn.Linear(channels, dimension)

    def forward(self, faces: Tensor) -> Tensor:
        """Return (B, dimension) for faces (B, 3, 112, 112) in [0, 1].

        Raises:
            ShapeError: The faces are not (B, 3, 112, 112).
        """
        check_shape(faces, (None, 3, SIZE_PX, SIZE_PX), name="face batch")
        features = self.pool(self.stages(self.stem(faces * 2 - 1)))
        out: Tensor = self.head(features.flatten(1))
        return out


class SketchFaceEmbedder:
    """`SketchFace` behind the `Embedder` protocol: the vectors of face and mirror image, added.

    Each batch normalisation is folded into its convolution, and the arithmetic is bfloat16 on a
    CPU and float16 on CUDA.

    Args:
        weights_path: A bundle of `SketchFace`.
        device: Where to compute.
        dtype: Arithmetic, if not the default of the device.

    Raises:
        WeightsError: The file is not such a bundle.
    """

    name = "sketchface"
    template = "arcface-112"

    def __init__(
        self, *, weights_path: Path, device: torch.device, dtype: torch.dtype | None = None
    ) -> None:
        self._path = weights_path
        network = load_sketchface(weights_path)
        self.dimension: int = network.head.out_features
        self.weights_sha256 = sha256_of_file(weights_path)
        self._device = device
        self._dtype = dtype or (torch.float16 if device.type == "cuda" else torch.bfloat16)
        self._network = to_channels_last(fold_norms(network).to(self._dtype), device)

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, dimension) unit rows for (B, 112, 112, 3) uint8 faces.

        Raises:
            ShapeError: The faces are not (B, 112, 112, 3).
            DtypeError: The faces are not uint8.
            RangeError: The network gave no direction for a face.
        """
        check_faces(faces, self.template)
        if not len(faces):
            return np.zeros((0, self.dimension), dtype=np.float32)
        batch = images_to_tensor(faces).to(self._device, self._dtype)
        with torch.inference_mode():
            rows = self._network(batch).float() + self._network(batch.flip(3)).float()
        return unit_rows(rows.cpu().numpy())

    def copy_network(self) -> tuple[str, dict[str, Any], nn.Module]:
        """Return `sketchface`, the network's arguments, and a copy of it."""
        network = load_sketchface(self._path)
        return "sketchface", network.config, network


def load_sketchface(path: Path) -> SketchFace:
    """Return the network of a bundle, ready for inference.

    Raises:
        WeightsError: The file is missing, or not a bundle of `SketchFace`.
    """
    config, state = load_bundle(path)
    try:
        network = SketchFace(**config)
        network.load_state_dict(state)
    except (TypeError, RuntimeError) as error:
        raise WeightsError(f"{path} does not hold a SketchFace network: {error}") from error
    return network.eval().requires_grad_(False)


def fold_norms(network: N) -> N:
    """Fold each batch normalisation that follows a convolution into it, in place.

    Changes nothing but rounding; the network must be in evaluation mode.
    """
    for block in network.modules():
        if isinstance(block, nn.Sequential):
            for i in range(len(block) - 1):
                first, second = block[i], block[i + 1]
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    block[i], block[i + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return network
