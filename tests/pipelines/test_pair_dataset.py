from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forensic.datasets.packed import PackedDataset
from forensic.datasets.splits import split_of_subject
from forensic.errors import DataFolderError, InputError
from forensic.faces.align import align_face
from forensic.images.io import write_image
from pipelines.pair_dataset import PairPlan, build_pair_dataset, pairs
from pipelines.pair_sources import PairSource
from tests.support.images import face_landmarks, face_photo, write_pairs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pairs of phantoms, and one pair whose sketch shows nothing."""
    folder = tmp_path_factory.mktemp("toy")
    write_pairs(folder, range(2))
    write_image(folder / "photos" / "p0002.png", face_photo(2))
    write_image(folder / "sketches" / "p0002.png", np.full((250, 200, 3), 255, np.uint8))
    return folder


def test_packs_both_faces_and_counts_those_not_found(folder: Path, tmp_path: Path) -> None:
    outcome = build_pair_dataset([PairSource("toy", folder)], tmp_path, PairPlan())
    assert outcome == {"packed": 2, "no_sketch_face": 1}
    packed = PackedDataset(tmp_path)
    assert [record.key for record in packed.records] == ["toy/p0000", "toy/p0001"]
    assert packed.manifest["geometry"] == "arcface-112"
    assert packed.manifest["outcome"] == dict(outcome)
    assert packed.manifest["drawings"] == "as drawn"
    photos = packed.images(packed.records, "photo").astype(float)
    assert packed.images(packed.records, "drawing").shape == (2, 112, 112, 3)
    for photo, seed in zip(photos, range(2), strict=True):
        truth = align_face(face_photo(seed), face_landmarks(seed), "arcface-112")[0]
        assert np.abs(photo - truth).mean() < 20  # the detector's points are near the true ones


def test_person_and_split(folder: Path, tmp_path: Path) -> None:
    plan = PairPlan(validation_fraction=0.5, seed=3)
    build_pair_dataset([PairSource("toy", folder, person_until="00")], tmp_path, plan)
    for record in PackedDataset(tmp_path).records:
        assert record.subject == "toy/p"
        assert record.split == split_of_subject("toy/p", validation_fraction=0.5, seed=3)


def test_unmatched_names_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "photos" / "a.png", face_photo(0))
    write_image(tmp_path / "sketches" / "b.png", face_photo(0))
    with pytest.raises(DataFolderError, match="do not match"):
        build_pair_dataset([PairSource("toy", tmp_path)], tmp_path / "out", PairPlan())
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_bad_options_name_the_remedy(tmp_path: Path) -> None:
    runner, out = CliRunner(), str(tmp_path / "out")
    nameless = runner.invoke(pairs, ["--pairs", "folder", "--out", out])
    assert isinstance(nameless.exception, InputError)
    assert "NAME=VALUE" in str(nameless.exception)
    stray = runner.invoke(pairs, ["--pairs", "a=x", "--person-until", "b=_", "--out", out])
    assert isinstance(stray.exception, InputError)
    assert "['b']" in str(stray.exception)


def aligned_pairs(folder: Path, n: int = 3) -> Path:
    """Write pairs in the size of CUFS."""
    write_pairs(folder, range(n))
    return folder


def test_aligned_pairs_keep_every_pixel_and_need_no_detector(tmp_path: Path) -> None:
    folder = aligned_pairs(tmp_path / "toy")
    plan = PairPlan(geometry="cufs-250", aligned="cufs", quality=100)
    source = PairSource("toy", folder, split="test")
    assert build_pair_dataset([source], tmp_path / "out", plan) == {"packed": 3}
    packed = PackedDataset(tmp_path / "out")
    assert packed.manifest["splits"] == {"test": 3}
    photos = packed.images(packed.records, "photo")
    np.testing.assert_array_equal(photos[1], face_photo(1))


def test_pairs_that_would_spoil_a_training_are_named_before_it(tmp_path: Path) -> None:
    plan = PairPlan(geometry="cufs-250", aligned="cufs")
    folder = aligned_pairs(tmp_path / "toy")
    photos, sketches = folder / "photos", folder / "sketches"
    (sketches / "p0000.png").write_bytes((photos / "p0000.png").read_bytes())
    (photos / "p0001.png").write_bytes((photos / "p0002.png").read_bytes())
    write_image(sketches / "p0002.png", face_photo(2, size_hw=(200, 200)))
    with pytest.raises(DataFolderError) as caught:
        build_pair_dataset([PairSource("toy", folder)], tmp_path / "out", plan)
    message = str(caught.value)
    assert "1 sketches that are their own photo: toy/p0000" in message
    assert "1 files used twice: photo of toy/p0002 = photo of toy/p0001" in message
    assert "toy/p0002 (photo 200×250, sketch 200×200)" in message
    assert not (tmp_path / "out").exists()


def test_split_of_a_source_is_checked(tmp_path: Path) -> None:
    arguments = ["--pairs", "a=x", "--out", str(tmp_path / "out"), "--split"]
    for split, phrase in (("b=test", "['b']"), ("a=dev", "['dev']")):
        result = CliRunner().invoke(pairs, [*arguments, split])
        assert isinstance(result.exception, InputError)
        assert phrase in str(result.exception)
