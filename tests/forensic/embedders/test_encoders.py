from pathlib import Path

import pytest
import torch

from forensic.embedders import encoders
from forensic.embedders.adapter import SketchAdapter
from forensic.embedders.embedder import parts_of
from forensic.embedders.encoders import find_adapter, load_adapter
from forensic.embedders.registry import create_embedder
from forensic.errors import MissingWeights
from forensic.files import sha256_of_file
from forensic.weights.bundle import load_bundle, save_bundle
from tests.support.face_graph import ADAPTER, load_toy, write_adapter
from tests.support.fakes import FakeEmbedder

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_adapter(tmp_path)


def test_an_adapter_is_found_by_its_embedder_whatever_it_is_called(folder: Path) -> None:
    (folder / ADAPTER).rename(folder / "adapter-of-mine.safetensors")
    assert find_adapter(load_toy(folder), folder=folder) == folder / "adapter-of-mine.safetensors"
    found = load_adapter(load_toy(folder), device=CPU, folder=folder)
    assert isinstance(found, SketchAdapter)
    assert found.config.embedder == "toy-graph"
    assert find_adapter(FakeEmbedder(), folder=folder) is None


def test_ones_own_adapter_goes_before_a_bundled_one(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = tmp_path_factory.mktemp("bundled")
    (bundled / "adapter-of-the-package.safetensors").write_bytes((folder / ADAPTER).read_bytes())
    monkeypatch.setattr(encoders, "BUNDLED", bundled)
    assert find_adapter(load_toy(folder), folder=folder) == folder / ADAPTER


def _adapter_for_drawn(folder: Path, name: str) -> Path:
    fields, differences = load_bundle(folder / ADAPTER)
    save_bundle(folder / name, differences, fields | {"drawn": True})
    return folder / name


def test_of_two_adapters_each_kind_of_gallery_gets_its_own(folder: Path) -> None:
    own, toy = _adapter_for_drawn(folder, "adapter-a-toy-drawn.safetensors"), load_toy(folder)
    assert find_adapter(toy, folder=folder) == folder / ADAPTER
    assert find_adapter(toy, drawn=True, folder=folder) == own
    drawn = create_embedder(f"drawn:{folder / 'toy.toml'}", device=CPU, weights=folder)
    assert parts_of(drawn)["adapter"] == sha256_of_file(own)
    joint = create_embedder(f"drawn:{folder / 'toy.toml'}+sketchface", device=CPU, weights=folder)
    assert parts_of(joint)["adapter toy-graph"] == sha256_of_file(own)
    (folder / ADAPTER).unlink()
    assert find_adapter(toy, folder=folder) == own


def test_ones_own_single_adapter_goes_before_two_bundled_ones(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = tmp_path_factory.mktemp("bundled")
    (bundled / ADAPTER).write_bytes((folder / ADAPTER).read_bytes())
    _adapter_for_drawn(bundled, "adapter-toy-drawn.safetensors")
    monkeypatch.setattr(encoders, "BUNDLED", bundled)
    assert find_adapter(load_toy(folder), drawn=True, folder=folder) == folder / ADAPTER


def test_without_an_adapter_the_error_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="forensic train adapter"):
        load_adapter(FakeEmbedder(), device=CPU, folder=tmp_path)
