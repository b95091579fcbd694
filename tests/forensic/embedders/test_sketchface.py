from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.embedders.sketchface import (
    SketchFace,
    SketchFaceEmbedder,
    fold_norms,
    load_sketchface,
)
from forensic.errors import DtypeError, ShapeError, WeightsError
from forensic.weights.bundle import save_bundle

MIB = 2**20
SMALL = {"widths": (4, 6, 8), "depths": (1, 2, 1), "stem": 4, "dimension": 16}


def small_network(seed: int = 0) -> SketchFace:
    """A small network whose statistics are not those of the start."""
    torch.manual_seed(seed)
    network = SketchFace(**SMALL)
    network.train()
    for _ in range(3):
        network(torch.rand(4, 3, 112, 112))
    return network.eval()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = small_network()
    path = tmp_path_factory.mktemp("bundle") / "small.safetensors"
    save_bundle(path, network.state_dict(), network.config)
    return path


@pytest.fixture(scope="module")
def embedder(bundle: Path) -> SketchFaceEmbedder:
    return SketchFaceEmbedder(weights_path=bundle, device=torch.device("cpu"))


def faces(n: int, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 14, 14, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def test_published_size_is_at_most_eight_mib(tmp_path: Path) -> None:
    network = SketchFace()
    stem, pool, head = 928, 13_056, 32_896
    stages = 57_728 + 73_984 + 230_144 + 2 * 295_424 + 919_040 + 1_180_672
    assert sum(p.numel() for p in network.parameters()) == stem + stages + pool + head
    save_bundle(tmp_path / "full.safetensors", network.state_dict(), network.config)
    assert (tmp_path / "full.safetensors").stat().st_size < 8 * MIB


def test_shape_and_refused_input() -> None:
    network = small_network()
    assert network(torch.rand(2, 3, 112, 112)).shape == (2, 16)
    for wrong in ((2, 1, 112, 112), (2, 3, 96, 112), (3, 112, 112)):
        with pytest.raises(ShapeError):
            network(torch.rand(*wrong))


def test_gradient_reaches_every_parameter() -> None:
    network = small_network().train()
    network(torch.rand(4, 3, 112, 112)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_folding_changes_nothing_but_rounding() -> None:
    network, x = small_network(), torch.rand(2, 3, 112, 112)
    with torch.inference_mode():
        before = network(x)
        after = fold_norms(network)(x)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


def test_save_and_load_give_the_same_vectors(bundle: Path) -> None:
    x = torch.rand(2, 3, 112, 112)
    original, loaded = small_network(), load_sketchface(bundle)
    with torch.inference_mode():
        cosine = torch.cosine_similarity(original(x), loaded(x))
    assert cosine.min() > 1 - 1e-5


def test_rows_are_unit_and_float32(embedder: SketchFaceEmbedder) -> None:
    rows = embedder.embed(faces(3))
    assert rows.shape == (3, 16)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert embedder.embed(faces(0)).shape == (0, 16)


def test_a_mirrored_face_has_the_same_vector(embedder: SketchFaceEmbedder) -> None:
    plain, mirrored = embedder.embed(faces(3)), embedder.embed(faces(3)[:, :, ::-1])
    np.testing.assert_allclose(mirrored, plain, atol=1e-6)
    assert (plain @ plain.T)[0, 1] < 0.9999


def test_half_precision_stays_near_single(bundle: Path, embedder: SketchFaceEmbedder) -> None:
    exact = SketchFaceEmbedder(weights_path=bundle, device=torch.device("cpu"), dtype=torch.float32)
    cosine = (exact.embed(faces(4)) * embedder.embed(faces(4))).sum(axis=1)
    assert cosine.min() > 0.999


def test_wrong_faces_are_refused(embedder: SketchFaceEmbedder) -> None:
    with pytest.raises(ShapeError):
        embedder.embed(np.zeros((1, 96, 96, 3), np.uint8))
    with pytest.raises(DtypeError):
        embedder.embed(np.zeros((1, 112, 112, 3), np.float32))


def test_another_bundle_is_refused(tmp_path: Path) -> None:
    save_bundle(tmp_path / "other.safetensors", {"a": torch.ones(2)}, {"in_channels": 3})
    with pytest.raises(WeightsError, match="SketchFace"):
        load_sketchface(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError):
        load_sketchface(tmp_path / "absent.safetensors")
