from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from forensic.embedders.drawn import DrawnEmbedder
from forensic.embedders.embedder import parts_of, unit_rows
from forensic.embedders.encoders import load_adapter
from forensic.embedders.registry import create_embedder
from forensic.errors import MissingWeights, ShapeError
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import Vectors
from tests.support.face_graph import ADAPTER, write_adapter
from tests.support.fakes import FakeEmbedder

CPU = torch.device("cpu")


class Mirrored:
    """A stand-in for a sketch encoder: the fake embedder's vector of the mirrored picture."""

    def __init__(self, sha256: str = "a" * 64) -> None:
        self.weights_sha256 = {"adapter": sha256}

    def embed(self, sketches: NDArray[np.uint8], *, moved: bool = True) -> Vectors:
        assert not moved  # ten looks at every photo of a gallery would take too long
        return FakeEmbedder().embed(sketches[:, :, ::-1])


def photos(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, 112, 112, 3), dtype=np.uint8)


def test_a_photo_lies_amid_itself_and_its_drawings() -> None:
    drawn = DrawnEmbedder(embedder=FakeEmbedder(), encoder=Mirrored())
    faces, encode = photos(3), Mirrored()
    expected = FakeEmbedder().embed(faces) + encode.embed(faces, moved=False)
    for style in ("line", "xdog"):
        sketches = [np.broadcast_to(SKETCH_STYLES[style](face), face.shape) for face in faces]
        expected = expected + encode.embed(np.stack(sketches), moved=False)
    np.testing.assert_allclose(drawn.embed(faces), unit_rows(expected), atol=1e-6)


def test_no_photo_and_photos_of_another_size() -> None:
    drawn = DrawnEmbedder(embedder=FakeEmbedder(), encoder=Mirrored())
    assert drawn.embed(photos(0)).shape == (0, 64)
    with pytest.raises(ShapeError):
        drawn.embed(photos(1)[:, :96])


def test_it_is_known_by_embedder_and_encoder() -> None:
    drawn = DrawnEmbedder(embedder=FakeEmbedder(), encoder=Mirrored())
    hashes = {
        FakeEmbedder.weights_sha256,
        drawn.weights_sha256,
        DrawnEmbedder(embedder=FakeEmbedder(), encoder=Mirrored("b" * 64)).weights_sha256,
    }
    assert len(hashes) == 3
    assert drawn.name == "drawn:fake"
    assert parts_of(drawn) == {"fake": "f" * 64, "adapter": "a" * 64}


def test_its_sketches_go_through_the_encoder_that_drew_the_gallery(tmp_path: Path) -> None:
    folder = write_adapter(tmp_path)
    name = f"drawn:{folder / 'toy.toml'}+sketchface"
    drawn = create_embedder(name, device=CPU, weights=folder)
    assert isinstance(drawn, DrawnEmbedder)
    assert drawn.name == "drawn:toy-graph+sketchface"
    assert load_adapter(drawn, device=CPU, folder=tmp_path / "nowhere") is drawn.encoder
    assert set(parts_of(drawn)) == {
        "toy-graph", "sketchface", "adapter toy-graph", "adapter sketchface"
    }  # fmt: skip
    (folder / ADAPTER).unlink()
    with pytest.raises(MissingWeights, match="no adapter for the embedder toy-graph"):
        create_embedder(name, device=CPU, weights=folder)
