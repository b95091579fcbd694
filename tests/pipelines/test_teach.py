from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from forensic.datasets.packed import PackedDataset, PackedWriter, Record
from forensic.datasets.taught import load_targets
from forensic.embedders.sketchface import SketchFace, SketchFaceEmbedder
from forensic.errors import DataFolderError, HashMismatch
from forensic.weights.bundle import save_bundle
from forensic.weights.catalogue import load_catalogue
from pipelines.teach import find_lookalikes, teach, teach_dataset
from tests.support.packed import random_photo


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = SketchFace(widths=(4, 4, 6), depths=(1, 1, 1), stem=4, dimension=12)
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    save_bundle(path, network.state_dict(), network.config)
    return path


def write_photos(folder: Path, n: int = 18, geometry: str = "arcface-112") -> Path:
    with PackedWriter(folder, geometry=geometry, quality=100) as writer:
        for i in range(n):
            record = Record(f"toy/{i}", f"toy/{i}", "train", f"{i:064x}")
            writer.add(record, {"photo": random_photo(i, 112)})
    return folder


def test_vectors_are_those_of_the_embedder_in_order(weights: Path, tmp_path: Path) -> None:
    write_photos(tmp_path / "data")
    embedder = SketchFaceEmbedder(weights_path=weights, device=torch.device("cpu"))
    seen: list[int] = []
    teach_dataset(tmp_path / "data", embedder, on_faces=seen.append)
    assert sum(seen) == 18
    vectors, teacher = load_targets(tmp_path / "data")
    packed = PackedDataset(tmp_path / "data")
    expected = embedder.embed(packed.images(packed.records, "photo"))
    np.testing.assert_allclose(vectors, expected, atol=5e-3)
    assert teacher["weights_sha256"] == embedder.weights_sha256


def test_another_geometry_is_refused(weights: Path, tmp_path: Path) -> None:
    write_photos(tmp_path / "data", n=1, geometry="csi-96")
    embedder = SketchFaceEmbedder(weights_path=weights, device=torch.device("cpu"))
    with pytest.raises(DataFolderError, match="--geometry arcface-112"):
        teach_dataset(tmp_path / "data", embedder)
    assert not (tmp_path / "data" / "targets.npy").exists()


def test_the_command_says_what_it_wrote(weights: Path, tmp_path: Path) -> None:
    write_photos(tmp_path / "data", n=3)
    arguments = [str(tmp_path / "data"), "--embedder", f"sketchface:{weights}", "--device", "cpu"]
    result = CliRunner().invoke(teach, arguments)
    assert result.exit_code == 0, result.output
    assert "Vectors of sketchface" in result.output


def test_a_fetched_embedder_is_looked_for_where_weights_are_fetched_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / load_catalogue()["facenet-vggface2"].file).write_bytes(b"damaged")
    monkeypatch.setenv("FORENSIC_WEIGHTS", str(tmp_path))
    result = CliRunner().invoke(teach, [str(tmp_path), "--embedder", "facenet"])
    assert isinstance(result.exception, HashMismatch)


def test_one_person_on_both_sides_is_noticed() -> None:
    splits = ["train", "validation", "train", "validation"]
    records = [Record(f"toy/{i}", f"toy/{i}", split, "") for i, split in enumerate(splits)]
    vectors = np.array([(1, 0), (0.8, 0.6), (-1, 0), (0, 1)], dtype=np.float32)
    assert find_lookalikes(records, vectors) == [("toy/1", "toy/0")]
    assert find_lookalikes(records[::2], vectors[::2]) == []
