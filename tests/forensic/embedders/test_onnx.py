from pathlib import Path

import numpy as np
import pytest
import torch

from forensic.embedders.onnx import OnnxEmbedder, load_onnx_description
from forensic.errors import (
    DeviceError,
    HashMismatch,
    MissingWeights,
    RecipeError,
    ShapeError,
    UnknownNameError,
    WeightsError,
)
from forensic.files import sha256_of_file
from tests.support.onnx_model import write_flatten_model

CPU = torch.device("cpu")

LINES = {
    "name": '"toy"',
    "file": '"toy.onnx"',
    "size": "[112, 112]",
    "template": '"arcface-112"',
    "mean": "127.5",
    "scale": "0.0078125",
    "channels": '"rgb"',
}


def describe(folder: Path, **changes: str) -> Path:
    """Write a network and its description; a change to "" leaves the line out."""
    write_flatten_model(folder / "toy.onnx")
    path = folder / "toy.toml"
    lines = {**LINES, **changes}
    path.write_text("".join(f"{key} = {value}\n" for key, value in lines.items() if value))
    return path


@pytest.fixture
def faces() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)


def as_unit(rows: np.ndarray) -> np.ndarray:
    flat = rows.reshape(len(rows), -1)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def test_the_network_sees_what_the_description_says(tmp_path: Path, faces: np.ndarray) -> None:
    embedder = OnnxEmbedder(description_path=describe(tmp_path), device=CPU)
    seen = (faces.transpose(0, 3, 1, 2).astype(np.float64) - 127.5) / 128
    np.testing.assert_allclose(embedder.embed(faces), as_unit(seen), atol=1e-6)
    assert embedder.name == "toy"
    assert embedder.dimension == 3 * 112 * 112
    assert embedder.weights_sha256 == sha256_of_file(tmp_path / "toy.onnx")


def test_bgr_order_mean_and_scale(tmp_path: Path, faces: np.ndarray) -> None:
    path = describe(tmp_path, channels='"bgr"', mean="0.0", scale="2.0")
    seen = faces[..., ::-1].transpose(0, 3, 1, 2) * 2.0
    embedder = OnnxEmbedder(description_path=path, device=CPU)
    np.testing.assert_allclose(embedder.embed(faces), as_unit(seen), atol=1e-6)


def test_flip_adds_the_mirrored_face(tmp_path: Path, faces: np.ndarray) -> None:
    embedder = OnnxEmbedder(description_path=describe(tmp_path, flip="true"), device=CPU)
    mirrored = np.ascontiguousarray(faces[:, :, ::-1])
    np.testing.assert_allclose(embedder.embed(faces), embedder.embed(mirrored), atol=1e-6)
    plain = (faces.transpose(0, 3, 1, 2).astype(np.float64) - 127.5) / 128
    both = plain + plain[..., ::-1]
    np.testing.assert_allclose(embedder.embed(faces), as_unit(both), atol=1e-6)


def test_empty_and_wrong_batches(tmp_path: Path) -> None:
    embedder = OnnxEmbedder(description_path=describe(tmp_path), device=CPU)
    assert embedder.embed(np.zeros((0, 112, 112, 3), np.uint8)).shape == (0, 37632)
    with pytest.raises(ShapeError):
        embedder.embed(np.zeros((1, 160, 160, 3), np.uint8))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": ""}, "mean: Field required"),
        ({"nane": '"x"'}, "nane: Extra inputs"),
        ({"channels": '"gray"'}, "channels: "),
        ({"scale": '"big"'}, "scale: "),
        ({"sha256": '"abc"'}, "sha256: "),
        ({"size": "[112, 96]"}, r"size: \[112, 96\] differs from \[112, 112\]"),
        ({"name": "unquoted"}, "is not TOML"),
    ],
)
def test_a_malformed_description_names_the_key(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        load_onnx_description(describe(tmp_path, **changes))


def test_an_unknown_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="arcface-112"):
        load_onnx_description(describe(tmp_path, template='"arcface-11"'))


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights):
        load_onnx_description(tmp_path / "absent.toml")
    with pytest.raises(MissingWeights, match=r"gone\.onnx"):
        OnnxEmbedder(description_path=describe(tmp_path, file='"gone.onnx"'), device=CPU)


def test_another_network_than_described_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HashMismatch):
        OnnxEmbedder(description_path=describe(tmp_path, sha256=f'"{"0" * 64}"'), device=CPU)


def test_a_damaged_network_is_refused(tmp_path: Path) -> None:
    path = describe(tmp_path)
    (tmp_path / "toy.onnx").write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="not an ONNX network"):
        OnnxEmbedder(description_path=path, device=CPU)


def test_a_network_for_another_size_is_refused(tmp_path: Path) -> None:
    path = describe(tmp_path, size="[160, 160]", template='"facenet-160"')
    with pytest.raises(WeightsError, match="'toy' refused"):
        OnnxEmbedder(description_path=path, device=CPU)


def test_cuda_without_its_provider_is_an_error_not_a_fallback(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has the CUDA provider")
    with pytest.raises(DeviceError, match="onnxruntime-gpu"):
        OnnxEmbedder(description_path=describe(tmp_path), device=torch.device("cuda"))
