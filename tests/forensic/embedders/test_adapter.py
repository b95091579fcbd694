from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.embedders import adapter as adapters
from forensic.embedders.adapter import SketchAdapter, find_adapter, load_adapter
from forensic.embedders.registry import create_embedder
from forensic.embedders.starts import start_network
from forensic.errors import MissingWeights, ShapeError, WeightsError
from forensic.weights.bundle import save_bundle
from tests.support.face_graph import write_face_graph
from tests.support.fakes import FakeEmbedder

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with an embedder and its untrained adapter."""
    config, network = start_network(str(write_face_graph(tmp_path)))
    save_bundle(tmp_path / "adapter-toy.safetensors", network.state_dict(), config.as_json())
    return tmp_path


def test_an_untrained_adapter_gives_the_embedders_vectors(folder: Path) -> None:
    embedder = create_embedder(str(folder / "toy.toml"), device=CPU)
    adapter = SketchAdapter(
        weights_path=folder / "adapter-toy.safetensors", device=CPU, dtype=torch.float32
    )
    faces = np.random.default_rng(0).integers(0, 256, (70, 112, 112, 3), dtype=np.uint8)
    cosines = (adapter.embed(faces) * embedder.embed(faces)).sum(1)
    assert cosines.min() > 0.99  # the weights are kept in half precision
    np.testing.assert_allclose(
        adapter.embed(faces[:, :, ::-1])[:2], adapter.embed(faces)[:2], atol=1e-6
    )


def test_no_sketches(folder: Path) -> None:
    adapter = SketchAdapter(weights_path=folder / "adapter-toy.safetensors", device=CPU)
    assert adapter.embed(np.zeros((0, 112, 112, 3), np.uint8)).shape == (0, 6)
    with pytest.raises(ShapeError):
        adapter.embed(np.zeros((1, 96, 96, 3), np.uint8))


def test_an_adapter_is_found_by_its_embedder_whatever_it_is_called(folder: Path) -> None:
    embedder = create_embedder(str(folder / "toy.toml"), device=CPU)
    (folder / "adapter-toy.safetensors").rename(folder / "adapter-of-mine.safetensors")
    assert find_adapter(embedder, folder=folder) == folder / "adapter-of-mine.safetensors"
    assert load_adapter(embedder, device=CPU, folder=folder).config.embedder == "toy-graph"
    assert find_adapter(FakeEmbedder(), folder=folder) is None


def test_without_an_adapter_the_error_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="forensic train adapter"):
        load_adapter(FakeEmbedder(), device=CPU, folder=tmp_path)


def test_an_adapter_refuses_a_strange_embedder(folder: Path) -> None:
    adapter = SketchAdapter(weights_path=folder / "adapter-toy.safetensors", device=CPU)
    with pytest.raises(WeightsError, match="toy-graph"):
        adapter.check_embedder(FakeEmbedder())


def test_a_bundle_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "adapter-x.safetensors"
    save_bundle(path, {"a": torch.zeros(2)}, {"network": "graph"})
    with pytest.raises(WeightsError, match="does not hold an adapter"):
        adapters.load_adapter_network(path)
