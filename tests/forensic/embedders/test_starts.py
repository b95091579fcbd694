from pathlib import Path

import pytest
import torch
from facenet_pytorch import InceptionResnetV1

from forensic.embedders import onnx
from forensic.embedders.adapter import load_adapter_network
from forensic.embedders.registry import create_embedder
from forensic.embedders.starts import start_adapter, start_network
from forensic.errors import MissingWeights, WeightsError
from forensic.weights.bundle import load_bundle, save_bundle
from tests.support.face_graph import ADAPTER, DIMENSION, load_toy, write_adapter, write_face_graph


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


def test_an_adapter_begins_at_the_embedders_own_network(tmp_path: Path) -> None:
    start = start_adapter(str(write_adapter(tmp_path) / "toy.toml"), weights=tmp_path)
    assert not start.config.drawn
    assert start.teacher_weights_sha256 == load_toy(tmp_path).weights_sha256
    own = start_network(str(tmp_path / "toy.toml"))[1].state_dict()
    torch.testing.assert_close(start.network.state_dict(), own)
    torch.testing.assert_close(start.origin, dict(own))


def test_for_a_drawn_embedder_it_begins_at_the_encoder_that_draws(tmp_path: Path) -> None:
    name = f"drawn:{write_adapter(tmp_path) / 'toy.toml'}"
    start = start_adapter(name, weights=tmp_path)
    drawn = create_embedder(name, device=torch.device("cpu"), weights=tmp_path)
    assert start.teacher_weights_sha256 == drawn.weights_sha256
    toy = load_toy(tmp_path)
    # its file still belongs to the embedder itself, and holds differences from that
    assert start.config.embedder_weights_sha256 == toy.weights_sha256
    assert start.config.drawn
    torch.testing.assert_close(start.origin, dict(start_network(name[6:])[1].state_dict()))
    earlier = load_adapter_network(tmp_path / ADAPTER, toy)[1].state_dict()
    torch.testing.assert_close(start.network.state_dict(), earlier)
    assert all(p.requires_grad for p in start.network.parameters())


def test_a_third_round_begins_where_the_second_ended(tmp_path: Path) -> None:
    name = f"drawn:{write_adapter(tmp_path) / 'toy.toml'}"
    fields, differences = load_bundle(tmp_path / ADAPTER)
    doubled = {key: 2 * tensor for key, tensor in differences.items()}
    save_bundle(tmp_path / "adapter-x.safetensors", doubled, fields | {"drawn": True})
    start = start_adapter(name, weights=tmp_path)
    second = load_adapter_network(tmp_path / "adapter-x.safetensors", load_toy(tmp_path))[1]
    torch.testing.assert_close(start.network.state_dict(), second.state_dict())
    first = load_adapter_network(tmp_path / ADAPTER, load_toy(tmp_path))[1].state_dict()
    assert any(not torch.equal(first[key], value) for key, value in second.state_dict().items())


def test_without_an_adapter_nothing_is_drawn_and_no_round_begins(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="no adapter for the embedder toy-graph"):
        start_adapter(f"drawn:{write_face_graph(tmp_path)}")
