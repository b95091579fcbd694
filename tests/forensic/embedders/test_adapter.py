from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.embedders.adapter import (
    SketchAdapter,
    load_adapter_network,
)
from forensic.embedders.starts import start_network
from forensic.errors import ShapeError, WeightsError
from forensic.weights.bundle import load_bundle, save_bundle
from tests.support.face_graph import ADAPTER, load_toy, write_adapter
from tests.support.fakes import FakeEmbedder

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_adapter(tmp_path)


def test_a_file_holds_nothing_but_what_training_changed(folder: Path) -> None:
    _, state = load_bundle(folder / ADAPTER)
    changed = {name: tensor for name, tensor in state.items() if tensor.any()}
    assert len(changed) == 1 < len(state)
    np.testing.assert_allclose(*changed.values(), 0.5, atol=1e-6)


def test_an_adapter_is_the_embedders_network_and_what_training_changed(folder: Path) -> None:
    adapter = SketchAdapter(
        weights_path=folder / ADAPTER, embedder=load_toy(folder), device=CPU, dtype=torch.float32
    )
    _, network = start_network(str(folder / "toy.toml"))
    faces = np.random.default_rng(0).integers(0, 256, (70, 112, 112, 3), dtype=np.uint8)
    rows = torch.zeros(70, 6)
    for y, x in ((0, 0), (3, 0), (-3, 0), (0, 3), (0, -3)):
        seen = np.pad(faces, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="edge")
        seen = seen[:, 3 + y : 115 + y, 3 + x : 115 + x]
        batch = torch.from_numpy(seen.copy()).permute(0, 3, 1, 2) / 255
        with torch.inference_mode():
            for look in (batch, batch.flip(3)):
                rows += torch.nn.functional.normalize(network(look) + 0.5)
    expected = torch.nn.functional.normalize(rows)
    np.testing.assert_allclose(adapter.embed(faces), expected, atol=1e-5)


def test_no_sketches(folder: Path) -> None:
    adapter = SketchAdapter(weights_path=folder / ADAPTER, embedder=load_toy(folder), device=CPU)
    assert adapter.embed(np.zeros((0, 112, 112, 3), np.uint8)).shape == (0, 6)
    with pytest.raises(ShapeError):
        adapter.embed(np.zeros((1, 96, 96, 3), np.uint8))


def test_an_adapter_refuses_a_strange_embedder(folder: Path) -> None:
    with pytest.raises(WeightsError, match="space of toy-graph"):
        load_adapter_network(folder / ADAPTER, FakeEmbedder())


def test_an_embedder_that_is_described_otherwise_than_in_training_is_refused(folder: Path) -> None:
    description = folder / "toy.toml"
    description.write_text(description.read_text().replace("127.5", "128.0"))
    with pytest.raises(WeightsError, match="description of that time"):
        load_adapter_network(folder / ADAPTER, load_toy(folder))


def test_a_bundle_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "adapter-x.safetensors"
    save_bundle(path, {"a": torch.zeros(2)}, {"network": "graph"})
    with pytest.raises(WeightsError, match="does not hold an adapter"):
        load_adapter_network(path, FakeEmbedder())
