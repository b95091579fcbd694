"""The networks of a benchmark as one would first run them: float32, as trained.

They are what `forensic bench benchmark` measures ours against; no figure comes from them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from forensic.embedders.embedder import Embedder, check_faces, unit_rows
from forensic.embedders.registry import locate_embedder
from forensic.embedders.sketchface import SketchFaceEmbedder, load_sketchface
from forensic.generators.registry import GENERATORS, load_generator
from forensic.identification.inverter import SketchInverter
from forensic.identification.methods import DirectMethod, InversionMethod
from forensic.identification.probes import Method
from forensic.images.tensors import images_to_tensor
from forensic.values import Vectors
from pipelines.benchmark.simulated import SimulatedMethod
from pipelines.benchmark.system import System


class PlainSketchFace:
    """The bundled embedder in float32 and the default layout, its normalisations unmerged.

    Args:
        weights_path: The same file.
        fast: The embedder whose vectors these should be.
        device: Where to compute.

    Raises:
        WeightsError: The file is missing or is not such a network.
    """

    def __init__(self, weights_path: Path, *, fast: Embedder, device: torch.device) -> None:
        self.name, self.template, self.dimension = fast.name, fast.template, fast.dimension
        self.weights_sha256 = fast.weights_sha256
        self._network = load_sketchface(weights_path).to(device)
        self._device = device

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        """Return (B, dimension) unit rows for (B, 112, 112, 3) uint8 faces.

        Raises:
            ShapeError: The faces are not (B, 112, 112, 3).
            DtypeError: The faces are not uint8.
        """
        check_faces(faces, self.template)
        batch = images_to_tensor(faces).to(self._device)
        with torch.inference_mode():
            rows = self._network(batch) + self._network(batch.flip(3))
        return unit_rows(rows.cpu().numpy())


def as_trained(system: System, embedder: str) -> System:
    """Return a system of the same weights without anything that makes it fast.

    Args:
        system: As `create_lfw_system` returns it.
        embedder: The name by which its embedder was asked for; any other than the bundled one,
            such as an ONNX network, is left as it is.

    Raises:
        WeightsError: Weights are missing or damaged.
    """
    device = torch.device(system.device)
    network: Embedder = system.embedder
    if isinstance(network, SketchFaceEmbedder):
        _, path, _ = locate_embedder(embedder)
        network = PlainSketchFace(path, fast=network, device=device)
    methods = tuple(_plain_method(method, network, device) for method in system.methods)
    return replace(system, embedder=network, methods=methods)


def _plain_method(method: Method, embedder: Embedder, device: torch.device) -> Method:
    if not isinstance(method, SimulatedMethod):
        return method
    inner: Method = DirectMethod(embedder=embedder)
    if method.name in GENERATORS:
        loaded = load_generator(method.name, device)
        network = loaded.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        inverter = SketchInverter(replace(loaded, network=network), device=device)
        inner = InversionMethod(embedder=embedder, inverter=inverter, name=method.name)
    return SimulatedMethod(style=method.style, inner=inner, name=method.name)
