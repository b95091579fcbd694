from pathlib import Path

import pytest
import torch

from forensic.embedders.onnx import OnnxEmbedder
from forensic.embedders.registry import EMBEDDERS, choose_gallery_embedder, create_embedder
from forensic.errors import MissingWeights, UnknownNameError
from forensic.weights.catalogue import load_catalogue
from forensic.weights.fusions import Fusion, FusionPart
from tests.support.face_graph import write_adapter
from tests.support.onnx_model import write_flatten_model

CPU = torch.device("cpu")

DESCRIPTION = """
name = "toy"
file = "toy.onnx"
size = [112, 112]
template = "arcface-112"
mean = 127.5
scale = 0.0078125
channels = "rgb"
"""


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    write_flatten_model(tmp_path / "toy.onnx")
    path = tmp_path / "toy.toml"
    path.write_text(DESCRIPTION)
    return path


def test_every_name_has_its_weights_in_the_catalogue() -> None:
    for _, weights_name in EMBEDDERS.values():
        assert load_catalogue()[weights_name].task == "face embedding"


def test_a_toml_path_gives_an_onnx_embedder(toml: Path) -> None:
    for spelling in (str(toml), f"onnx:{toml}"):
        embedder = create_embedder(spelling, device=CPU)
        assert isinstance(embedder, OnnxEmbedder)
        assert embedder.name == "toy"


@pytest.mark.parametrize("name", ["facenett", "insightface:model.bin"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownNameError, match="facenet-vggface2"):
        create_embedder(name, device=CPU)


@pytest.mark.parametrize("name", ["facenet:absent.pt", "onnx:absent.toml", "absent.toml"])
def test_a_missing_file_is_named(name: str) -> None:
    with pytest.raises(MissingWeights, match=r"absent\."):
        create_embedder(name, device=CPU)


def test_facenet_asks_for_its_weights(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match="forensic weights fetch facenet-vggface2"):
        create_embedder("facenet", device=CPU, weights=tmp_path)


def test_plain_leaves_an_embedder_as_it_is(toml: Path) -> None:
    assert create_embedder(f"plain:{toml}", device=CPU).name == "toy"
    assert create_embedder("plain:sketchface", device=CPU).name == "sketchface"


def test_only_best_has_a_gallery_drawn_and_only_where_that_was_fitted(toml: Path) -> None:
    assert choose_gallery_embedder("sketchface", ["none", "best"]) == "drawn:sketchface"
    for name, method in [
        ("sketchface", "adapter"),
        ("plain:sketchface", "best"),
        ("drawn:sketchface", "best"),
        (str(toml), "best"),
        ("pixels", "best"),
    ]:
        assert choose_gallery_embedder(name, [method]) == name


def test_an_adapter_without_a_fusion_draws_nothing(tmp_path: Path) -> None:
    name = str(write_adapter(tmp_path) / "toy.toml")
    assert choose_gallery_embedder(name, ["best"], weights=tmp_path) == name
    drawn = create_embedder(f"drawn:{name}", device=CPU, weights=tmp_path)
    part = FusionPart("adapter", 1.0, {})
    fusion = Fusion(drawn.name, drawn.weights_sha256, (part,), 0.0, {})
    fusion.write(tmp_path / "best-toy.json")
    assert choose_gallery_embedder(name, ["best"], weights=tmp_path) == f"drawn:{name}"
