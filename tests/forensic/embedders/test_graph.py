import json
from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.embedders.graph import GraphNetwork, read_onnx
from forensic.embedders.onnx import OnnxEmbedder
from forensic.errors import WeightsError
from tests.support.face_graph import DIMENSION, write_face_graph

INPUT = {"mean": 127.5, "scale": 1 / 128, "channels": "bgr"}


def rows_of(network: torch.nn.Module, faces: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        batch = torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 255
        return torch.nn.functional.normalize(network(batch)).numpy()


def test_the_module_gives_what_onnxruntime_gives(tmp_path: Path) -> None:
    description = write_face_graph(tmp_path)
    description.write_text(description.read_text().replace("flip = true", "flip = false"))
    faces = np.random.default_rng(1).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    embedder = OnnxEmbedder(description_path=description, device=torch.device("cpu"))
    network = read_onnx(tmp_path / "toy.onnx", **INPUT)
    np.testing.assert_allclose(rows_of(network, faces), embedder.embed(faces), atol=1e-5)


def test_configuration_and_state_rebuild_the_module(tmp_path: Path) -> None:
    write_face_graph(tmp_path)
    network = read_onnx(tmp_path / "toy.onnx", **INPUT)
    again = GraphNetwork(**json.loads(json.dumps(network.config)))
    again.load_state_dict(network.state_dict())
    faces = np.random.default_rng(2).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    np.testing.assert_array_equal(rows_of(again, faces), rows_of(network, faces))


def test_every_weight_can_be_trained(tmp_path: Path) -> None:
    write_face_graph(tmp_path)
    network = read_onnx(tmp_path / "toy.onnx", **INPUT)
    network(torch.rand(2, 3, 112, 112)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    assert network(torch.rand(2, 3, 112, 112)).shape == (2, DIMENSION)


def test_an_unknown_operation_is_named(tmp_path: Path) -> None:
    write_face_graph(tmp_path, with_sigmoid=True)
    with pytest.raises(WeightsError, match="Sigmoid"):
        read_onnx(tmp_path / "toy.onnx", **INPUT)


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    (tmp_path / "toy.onnx").write_bytes(b"not a network")
    with pytest.raises(WeightsError, match="not an ONNX network"):
        read_onnx(tmp_path / "toy.onnx", **INPUT)
