from pathlib import Path

import numpy as np
import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from numpy.typing import NDArray
from torch import nn

from forensic.embedders.facenet import FaceNetEmbedder, load_facenet_state
from forensic.errors import DtypeError, ShapeError, WeightsError
from forensic.files import sha256_of_file
from forensic.values import Vectors

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def faces() -> NDArray[np.uint8]:
    """Smooth random pictures, each unlike the others."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.uniform(0, 255, (12, 3, 6, 6)))
    smooth = nn.functional.interpolate(coarse, (160, 160), mode="bicubic").clamp(0, 255)
    return smooth.permute(0, 2, 3, 1).numpy().astype(np.uint8)


@pytest.fixture(scope="module")
def reference(faces: NDArray[np.uint8]) -> InceptionResnetV1:
    """The library's network with random weights and statistics that fit its input.

    Without fitting statistics all its vectors would nearly coincide, and any comparison of
    directions would pass.
    """
    torch.manual_seed(0)
    network = InceptionResnetV1(pretrained=None)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
    with torch.no_grad():
        network.train()(as_input(faces))
    return network.eval()


@pytest.fixture(scope="module")
def weights(reference: InceptionResnetV1, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("facenet") / "weights.pt"
    state = dict(reference.state_dict())
    state["logits.weight"], state["logits.bias"] = torch.zeros(5, 512), torch.zeros(5)
    torch.save(state, path)
    return path


def as_input(faces: NDArray[np.uint8]) -> torch.Tensor:
    """The published input: (pixel - 127.5) / 128, channels first."""
    return torch.from_numpy(faces).permute(0, 3, 1, 2).float().sub(127.5).div(128)


def expected(reference: InceptionResnetV1, faces: NDArray[np.uint8]) -> Vectors:
    with torch.inference_mode():
        return np.asarray(reference(as_input(faces)).numpy())


def test_it_computes_what_facenet_pytorch_computes(
    reference: InceptionResnetV1, weights: Path, faces: NDArray[np.uint8]
) -> None:
    embedder = FaceNetEmbedder(weights_path=weights, device=CPU, dtype=torch.float32)
    np.testing.assert_allclose(embedder.embed(faces), expected(reference, faces), atol=1e-5)
    assert embedder.weights_sha256 == sha256_of_file(weights)


def test_fast_arithmetic_keeps_the_direction(
    reference: InceptionResnetV1, weights: Path, faces: NDArray[np.uint8]
) -> None:
    rows = FaceNetEmbedder(weights_path=weights, device=CPU).embed(faces)
    truth = expected(reference, faces)
    assert (truth @ truth.T).min() < 0.3
    assert np.sum(rows * truth, axis=1).min() >= 0.999
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_refused_input(weights: Path) -> None:
    embedder = FaceNetEmbedder(weights_path=weights, device=CPU)
    with pytest.raises(ShapeError):
        embedder.embed(np.zeros((1, 112, 112, 3), np.uint8))
    with pytest.raises(DtypeError):
        embedder.embed(np.zeros((1, 160, 160, 3), np.float32))  # type: ignore[arg-type]
    assert embedder.embed(np.zeros((0, 160, 160, 3), np.uint8)).shape == (0, 512)


def test_a_foreign_state_is_refused(tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    torch.save({"unexpected": torch.zeros(1)}, tmp_path / "other.pt")
    (tmp_path / "text.pt").write_text("not a checkpoint")
    for name in ("other.pt", "text.pt", "absent.pt"):
        with pytest.raises(WeightsError, match=name):
            load_facenet_state(network, tmp_path / name)


class Payload:
    """Pickles as a call to `print`: what a malicious checkpoint would do."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("executed",))


def test_a_checkpoint_cannot_execute_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"last_linear.weight": Payload()}, tmp_path / "evil.pt")
    with pytest.raises(WeightsError):
        load_facenet_state(nn.Linear(2, 2), tmp_path / "evil.pt")
    assert "executed" not in capsys.readouterr().out
