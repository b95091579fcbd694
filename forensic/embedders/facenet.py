"""FaceNet as ported by facenet-pytorch: Inception-ResNet-v1, 512 dimensions.

The architecture is facenet-pytorch's; the weights are a file that `forensic weights fetch`
brought or that the caller names, never a download of this module.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from facenet_pytorch import InceptionResnetV1
from facenet_pytorch.models.inception_resnet_v1 import BasicConv2d
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from forensic.embedders.embedder import check_faces, unit_rows
from forensic.errors import WeightsError
from forensic.files import sha256_of_file
from forensic.layers.memory import to_channels_last
from forensic.values import Vectors


class FaceNetEmbedder:
    """Inception-ResNet-v1 behind the `Embedder` protocol.

    For speed, each batch normalisation is folded into its convolution, memory is channels-last,
    and the arithmetic is bfloat16 on a CPU and float16 on CUDA; vectors keep a cosine of at
    least 0.999 with those of single precision.

    Args:
        weights_path: State dict as released by facenet-pytorch; a classification layer in it is
            ignored.
        device: Where to compute.
        name: What results call this embedder.
        dtype: Arithmetic, if not the default of the device.

    Raises:
        WeightsError: The file is not such a state dict.
    """

    template = "facenet-160"
    dimension = 512

    def __init__(
        self,
        *,
        weights_path: Path,
        device: torch.device,
        name: str = "facenet",
        dtype: torch.dtype | None = None,
    ) -> None:
        with torch.device("meta"):  # the file fills it, so random weights would be wasted work
            network = InceptionResnetV1(pretrained=None)
        load_facenet_state(network, weights_path)
        self.name = name
        self._path = weights_path
        self.weights_sha256 = sha256_of_file(weights_path)
        self._device = device
        self._dtype = dtype or (torch.float16 if device.type == "cuda" else torch.bfloat16)
        self._network = prepare_facenet(network, device=device, dtype=self._dtype)

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, 512) unit rows for (B, 160, 160, 3) uint8 faces.

        Raises:
            ShapeError: The faces are not (B, 160, 160, 3).
            DtypeError: The faces are not uint8.
            RangeError: The network gave no direction for a face.
        """
        check_faces(faces, self.template)
        if not len(faces):
            return np.zeros((0, self.dimension), dtype=np.float32)
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(faces)).to(self._device)
            batch = batch.permute(0, 3, 1, 2).float().sub_(127.5).div_(128.0)
            rows = self._network(batch.to(self._dtype))
        return unit_rows(rows.float().cpu().numpy())

    def copy_network(self) -> tuple[str, dict[str, Any], nn.Module]:
        """Return `facenet`, no arguments, and a copy of the network."""
        network = FaceNetNetwork()
        load_facenet_state(network.network, self._path)
        return "facenet", network.config, network.eval()


class FaceNetNetwork(nn.Module):
    """Inception-ResNet-v1 for training, its normalisations with fixed statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.config: dict[str, Any] = {}
        self.network = InceptionResnetV1(pretrained=None)

    def train(self, mode: bool = True) -> Self:
        """Set the mode of everything but the normalisations, which keep their statistics."""
        super().train(mode)
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
                module.eval()
        return self

    def forward(self, faces: Tensor) -> Tensor:
        """Return (B, 512) rows of length 1 for RGB faces (B, 3, 160, 160) in [0, 1]."""
        rows: Tensor = self.network((faces * 255 - 127.5) / 128)
        return rows


def prepare_facenet(network: nn.Module, *, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Return a facenet-pytorch network made ready for fast inference, changed in place.

    Every batch normalisation behind a convolution is folded into it, which changes nothing but
    rounding; rectifiers overwrite their input, which nothing else reads.
    """
    network.eval()
    for block in network.modules():
        if isinstance(block, nn.ReLU):
            block.inplace = True
        if isinstance(block, BasicConv2d):
            block.conv = fuse_conv_bn_eval(block.conv, block.bn)
            block.bn = nn.Identity()
    return to_channels_last(network.to(dtype), device)


def load_facenet_state(network: nn.Module, path: Path) -> None:
    """Load a released state dict, without its classification layer.

    Raises:
        WeightsError: The file cannot be read as tensors only, or its keys do not fit.
    """
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        features = {k: v for k, v in state.items() if not k.startswith("logits.")}
        network.load_state_dict(features, assign=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, AttributeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(
            f"{path} is not a facenet-pytorch InceptionResnetV1 state dict: {first}"
        ) from error
