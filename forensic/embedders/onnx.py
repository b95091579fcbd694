"""Any ArcFace-like network in ONNX, described by a small TOML file beside it.

Its keys are the fields of `OnnxDescription`; a complete file is the example of that class.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from torch import nn

from forensic.embedders.embedder import check_faces, unit_rows
from forensic.embedders.graph import read_onnx
from forensic.errors import DeviceError, MissingWeights, RecipeError, WeightsError
from forensic.faces.align import TEMPLATES
from forensic.files import sha256_of_file
from forensic.toml import TomlModel, read_toml_model
from forensic.values import Vectors
from forensic.weights.store import verify_file


class OnnxDescription(TomlModel):
    """The content of the TOML file.

    Attributes:
        name: What results call the embedder.
        file: The network's file, beside the TOML file.
        size: Height and width of the input in pixels.
        template: The geometry of the faces, a name in `forensic.faces.align.TEMPLATES`.
        mean: The network's input is (pixel - mean) * scale, pixels in 0..255.
        scale: See `mean`.
        channels: Order of the input's channels, `rgb` or `bgr`.
        flip: Add the vector of the mirrored face before scaling to length 1.
        sha256: Refuse a network file with any other hash.

    Example:
        >>> text = '''
        ... name = "mobilefacenet"
        ... file = "mobilefacenet.onnx"
        ... size = [112, 112]
        ... template = "arcface-112"
        ... mean = 127.5
        ... scale = 0.0078125
        ... channels = "rgb"
        ... flip = true
        ... '''
        >>> import tomllib
        >>> OnnxDescription(**tomllib.loads(text)).size
        [112, 112]
    """

    model_config = ConfigDict(strict=True)

    name: str = Field(min_length=1)
    file: str = Field(min_length=1)
    size: list[int] = Field(min_length=2, max_length=2)
    template: str
    mean: float
    scale: float
    channels: Literal["rgb", "bgr"]
    flip: bool = False
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")


def load_onnx_description(path: Path) -> OnnxDescription:
    """Read the TOML file that describes an ONNX embedder.

    Raises:
        MissingWeights: There is no such file.
        RecipeError: It cannot be read, is not TOML, or a key is unknown, missing or wrong.
        UnknownNameError: Its template is no geometry of ours.
    """
    if not path.is_file():
        raise MissingWeights(f"There is no embedder description {path}. Check the path.")
    description = read_toml_model(path, OnnxDescription, what="The embedder description")
    expected = list(TEMPLATES[description.template].size_hw)
    if description.size != expected:
        raise RecipeError(
            f"{path}: size: {description.size} differs from {expected}, the height and width of "
            f"template {description.template!r}."
        )
    return description


class OnnxEmbedder:
    """An ONNX network behind the `Embedder` protocol.

    Args:
        description_path: The TOML file; the network lies beside it.
        device: `cpu`, or `cuda` where onnxruntime has its CUDA provider.

    Raises:
        MissingWeights: The TOML file or the network is absent.
        RecipeError: The description is malformed.
        HashMismatch: The network is not the one described.
        WeightsError: The network cannot be loaded, or does not take images of that size.
        DeviceError: CUDA was asked for and this onnxruntime has no CUDA provider.
    """

    def __init__(self, *, description_path: Path, device: torch.device) -> None:
        self._about = load_onnx_description(description_path)
        model = description_path.parent / self._about.file
        if not model.is_file():
            raise MissingWeights(
                f"{description_path} names {self._about.file}, which is not beside it. Put the "
                "network there."
            )
        if self._about.sha256:
            verify_file(model, self._about.sha256)
        self._model = model
        self._session = open_session(model, device)
        self.name = self._about.name
        self.template = self._about.template
        self.weights_sha256 = sha256_of_file(model)
        blank = np.zeros((1, *self._about.size, 3), dtype=np.uint8)
        self.dimension = int(self._rows(blank).shape[1])

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, dimension) unit rows for (B, H, W, 3) uint8 faces.

        Raises:
            ShapeError: The faces are not in the described size.
            DtypeError: The faces are not uint8.
            RangeError: The network gave no direction for a face.
        """
        check_faces(faces, self.template)
        if not len(faces):
            return np.zeros((0, self.dimension), dtype=np.float32)
        rows = self._rows(faces)
        if self._about.flip:
            rows = rows + self._rows(faces[:, :, ::-1])
        return unit_rows(rows)

    def copy_network(self) -> tuple[str, dict[str, Any], nn.Module]:
        """Return `graph`, the layers' description, and the network as torch layers.

        Raises:
            WeightsError: The network has an operation that is not read.
        """
        about = self._about
        network = read_onnx(
            self._model, mean=about.mean, scale=about.scale, channels=about.channels
        )
        return "graph", network.config, network.eval()

    def _rows(self, faces: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Return the network's raw output as (B, D)."""
        ordered = faces[..., ::-1] if self._about.channels == "bgr" else faces
        pixels = ordered.transpose(0, 3, 1, 2).astype(np.float32)
        batch = np.ascontiguousarray((pixels - self._about.mean) * self._about.scale, np.float32)
        try:
            output = self._session.run(None, {self._session.get_inputs()[0].name: batch})[0]
        except Exception as error:  # onnxruntime raises its own classes without a common root
            raise WeightsError(f"The network of {self._about.name!r} refused: {error}") from error
        return np.asarray(output).reshape(len(faces), -1)


def open_session(model: Path, device: torch.device) -> onnxruntime.InferenceSession:
    """Return an onnxruntime session on exactly the device asked for.

    Raises:
        DeviceError: CUDA was asked for and is not there; nothing falls back silently.
        WeightsError: The file is not an ONNX network that can be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    wanted = "CUDAExecutionProvider" if device.type == "cuda" else "CPUExecutionProvider"
    available = onnxruntime.get_available_providers()
    if wanted not in available:
        raise DeviceError(
            f"This onnxruntime has no {wanted} (it has {', '.join(available)}). Install "
            "onnxruntime-gpu in place of onnxruntime, or pass --device cpu."
        )
    provider = (wanted, {"device_id": device.index or 0}) if device.type == "cuda" else wanted
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=[provider])
    except Exception as error:  # onnxruntime raises its own classes without a common root
        raise WeightsError(f"{model} is not an ONNX network that can be loaded: {error}") from error
    if wanted not in session.get_providers():
        raise DeviceError(f"onnxruntime could not start its {wanted} on this machine.")
    return session
