from pathlib import Path

import pytest
import torch
from facenet_pytorch import InceptionResnetV1

from forensic.embedders import onnx
from forensic.embedders.registry import create_embedder
from forensic.embedders.starts import start_network
from forensic.errors import MissingWeights, WeightsError
from tests.support.face_graph import DIMENSION, write_face_graph


def test_an_onnx_file_starts_its_own_adapter(tmp_path: Path) -> None:
    description = write_face_graph(tmp_path)
    config, network = start_network(str(tmp_path / "toy.onnx"))
    embedder = create_embedder(str(description), device=torch.device("cpu"))
    assert (config.network, config.embedder, config.dimension) == ("graph", "toy-graph", DIMENSION)
    assert config.embedder_weights_sha256 == embedder.weights_sha256
    assert all(p.requires_grad for p in network.parameters())


def test_a_wrong_description_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    description = write_face_graph(tmp_path)
    reader = onnx.read_onnx
    monkeypatch.setattr(onnx, "read_onnx", lambda p, **k: reader(p, **{**k, "mean": 0.0}))
    with pytest.raises(WeightsError, match="other vectors"):
        start_network(str(description))


def test_an_onnx_file_needs_its_description(tmp_path: Path) -> None:
    write_face_graph(tmp_path).unlink()
    with pytest.raises(MissingWeights, match=r"toy\.toml"):
        start_network(str(tmp_path / "toy.onnx"))


def test_the_bundled_embedder() -> None:
    config, _ = start_network("sketchface")
    assert (config.network, config.template) == ("sketchface", "arcface-112")


def test_facenet_keeps_the_statistics_of_its_norms(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(InceptionResnetV1(pretrained=None).state_dict(), tmp_path / "facenet.pt")
    config, network = start_network(f"facenet:{tmp_path / 'facenet.pt'}")
    assert (config.network, config.template, config.dimension) == ("facenet", "facenet-160", 512)
    norms = [m for m in network.train().modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)
