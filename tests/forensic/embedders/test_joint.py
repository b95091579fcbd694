from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from forensic.embedders.embedder import Embedder, parts_of
from forensic.embedders.encoders import load_adapter
from forensic.embedders.joint import JointEmbedder
from forensic.embedders.registry import create_embedder
from forensic.embedders.starts import start_network
from forensic.errors import InputError, MissingWeights, WeightsError
from forensic.values import Vectors
from tests.support.face_graph import ADAPTER, write_adapter, write_face_graph
from tests.support.fakes import FakeEmbedder

CPU = torch.device("cpu")


class Upside(FakeEmbedder):
    """Sees faces upside down."""

    name = "upside"
    weights_sha256 = "e" * 64

    def embed(self, faces: NDArray[np.uint8]) -> Vectors:
        return super().embed(faces[:, ::-1])


class Namesake(Upside):
    """Another network of the same name, of which one adapter would take the other's place."""

    name = "fake"


class Small(Upside):
    template = "csi-96"


def faces(n: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, 112, 112, 3), dtype=np.uint8)


def test_a_cosine_is_the_mean_of_the_parts_cosines() -> None:
    parts = (FakeEmbedder(), Upside())
    joint = JointEmbedder(parts)
    rows = joint.embed(faces(5))
    assert rows.dtype == np.float32
    assert rows.shape == (5, joint.dimension)
    expected = sum(own @ own.T for own in (part.embed(faces(5)) for part in parts)) / 2
    np.testing.assert_allclose(rows @ rows.T, expected, atol=1e-6)
    assert joint.embed(faces(0)).shape == (0, 128)


def test_it_is_known_by_its_parts() -> None:
    one, other = FakeEmbedder(), Upside()
    joint = JointEmbedder((one, other))
    assert joint.name == "fake+upside"
    assert parts_of(joint) == {"fake": "f" * 64, "upside": "e" * 64}
    assert parts_of(one) == {}
    hashes = {e.weights_sha256 for e in (one, other, joint, JointEmbedder((other, one)))}
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ((FakeEmbedder(), Small()), "fake in arcface-112, upside in csi-96"),
        ((FakeEmbedder(), FakeEmbedder()), "fake\\+fake"),
        ((FakeEmbedder(), Namesake()), "different names"),
        ((FakeEmbedder(),), "two or more"),
    ],
)
def test_what_cannot_be_joined_is_refused(parts: tuple[Embedder, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        JointEmbedder(parts)


def test_names_joined_by_a_plus_are_one_embedder_with_the_adapters_of_all(tmp_path: Path) -> None:
    joint = create_embedder(f"{write_adapter(tmp_path) / 'toy.toml'}+sketchface", device=CPU)
    assert isinstance(joint, JointEmbedder)
    assert joint.name == "toy-graph+sketchface"
    adapter = load_adapter(joint, device=CPU, folder=tmp_path)
    assert list(adapter.weights_sha256) == ["adapter toy-graph", "adapter sketchface"]
    own = [load_adapter(part, device=CPU, folder=tmp_path) for part in joint.joined]
    both = np.concatenate([part.embed(faces(2)) for part in own], axis=1) / np.sqrt(2)
    np.testing.assert_allclose(adapter.embed(faces(2)), both, atol=1e-6)
    (tmp_path / ADAPTER).unlink()
    with pytest.raises(MissingWeights, match="no adapter for the embedder toy-graph"):
        load_adapter(joint, device=CPU, folder=tmp_path)


def test_no_training_starts_from_joined_embedders(tmp_path: Path) -> None:
    name = f"{write_face_graph(tmp_path)}+sketchface"
    with pytest.raises(WeightsError, match="parts one by one"):
        start_network(name)


def test_a_described_network_among_fetched_weights_is_known_by_its_name(tmp_path: Path) -> None:
    write_face_graph(tmp_path).rename(tmp_path / "other.toml")
    joint = create_embedder("toy-graph+sketchface", device=CPU, weights=tmp_path)
    assert list(parts_of(joint)) == ["toy-graph", "sketchface"]
