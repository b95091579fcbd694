"""Open set, cohorts, likelihood ratios, growth and a stored index, from files to the pages."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from forensic.errors import CalibrationError, DataFolderError, IndexMismatch
from forensic.gallery.index import GalleryIndex
from forensic.images.io import write_image
from forensic.reports.benchmark import write_pages
from forensic.reports.record import BenchmarkReport
from forensic.values import RGB
from pipelines.benchmark.experiment import Extras, Outcome, run_pairs
from pipelines.benchmark.folders import read_data
from pipelines.benchmark.labels import read_labels
from pipelines.benchmark.stored import load_stored
from tests.support.benchmark import LANDMARKS, FakeMethod, fake_system
from tests.support.fakes import FakeEmbedder

N, STRANGERS, CALIBRATION = 10, 20, 52


def _blocks(seed: int, *, noise: int = 0, take: int = 0) -> RGB:
    """Blocks of noise: the fake embedder tells them apart; `noise` makes a sketch of them."""
    blocks = np.random.default_rng(seed).integers(0, 200, size=(8, 8, 3))
    blocks = blocks + np.random.default_rng([seed, take]).integers(
        -noise, noise + 1, size=(8, 8, 3)
    )
    return np.kron(np.clip(blocks, 0, 250).astype(np.uint8), np.ones((25, 25, 1), np.uint8))


def _write(folder: Path, first: int, n: int, *, noise: int = 0) -> Path:
    for seed in range(first, first + n):
        write_image(folder / f"p{seed:04d}.png", _blocks(seed, noise=noise, take=1))
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extras")
    _write(folder / "photos", 0, N)
    _write(folder / "sketches", 0, N, noise=80)
    _write(folder / "others", 100, 12)
    _write(folder / "strangers", 200, STRANGERS, noise=80)
    _write(folder / "known" / "photos", 300, CALIBRATION)
    _write(folder / "known" / "sketches", 300, CALIBRATION, noise=80)
    probes = [f"p{seed:04d}" for seed in (*range(N), *range(200, 200 + STRANGERS))]
    rows = "".join(f"{probe},{'ab'[place % 2]}\n" for place, probe in enumerate(probes[:-2]))
    (folder / "labels.csv").write_text("probe,group\n" + rows)
    return folder


def _run(root: Path, cache: Path, **changed: object) -> Outcome:
    folders = {"nonmated": root / "strangers", "distractors": [root / "others"]} | changed
    stored = folders.pop("stored", None)
    kind = folders.pop("kind", "viewed")
    data = read_data(root / "photos", root / "sketches", **folders)  # type: ignore[arg-type]
    is_usual = folders["nonmated"] == root / "strangers"
    labels = read_labels(root / "labels.csv", data) if is_usual else {}
    return run_pairs(
        data,
        fake_system(methods=[FakeMethod("none"), FakeMethod("blind", blind=True)]),
        cache_folder=cache,
        sketch_kind=str(kind),
        command=["forensic"],
        extras=Extras(fpirs=(0.1, 0.01), labels=labels, stored=stored),  # type: ignore[arg-type]
    )


def test_everything_at_once_reaches_record_page_pdf_and_tables(root: Path, tmp_path: Path) -> None:
    known = (root / "known" / "photos", root / "known" / "sketches")
    report = _run(root, tmp_path / "cache", calibration=known).report
    assert report.open_set
    assert report.likelihood
    assert report.growth
    assert (report.gallery, report.open_set.nonmated) == (N + 12, STRANGERS)
    good, blind = (report.open_set.methods[name].points[0] for name in ("none", "blind"))
    assert good.fnir < 0.5 < blind.fnir
    assert good.fpir <= 0.1
    assert [len(part.cohorts) for part in report.cohorts] == [2, 2]
    assert {part.unlabelled for part in report.cohorts} == {2}
    assert report.likelihood.methods["none"].logistic.cllr < 0.7
    assert report.growth.methods["none"][-1].gallery == report.gallery
    assert BenchmarkReport(**json.loads(report.model_dump_json())) == report
    write_pages(report, [], tmp_path)
    assert "not more similar" in report.likelihood.refused["blind"]
    plots = {"cmc", "growth", "det", "tippett-none", "ece-none"}
    assert {path.stem for path in tmp_path.glob("*.svg")} == plots
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png") == len(plots)
    assert "Not for the first of a list." in page
    assert report.likelihood.warning in page
    assert "Every search is for somebody who is enrolled" not in page
    assert "none was inferred" in page
    with (tmp_path / "cohorts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["name"]) for row in rows[:2]] == [("none", "a"), ("none", "b")]
    assert float(rows[0]["fnir_ci95_high"]) == report.cohorts[0].cohorts[0].fnir_ci95[1]  # type: ignore[index]
    for name in ("open_set.csv", "growth.csv", "likelihood.csv"):
        assert (tmp_path / name).read_text().count("\n") > 2


def test_same_figures_from_scratch_and_from_cache(root: Path, tmp_path: Path) -> None:
    records = []
    for cache in ("a", "a", "b"):
        record = _run(root, tmp_path / cache).report.model_dump(mode="json")
        record["provenance"].pop("times")
        records.append(record)
    assert records[0] == records[1] == records[2]


def test_without_extras_the_record_has_none(root: Path, tmp_path: Path) -> None:
    report = _run(root, tmp_path / "cache", nonmated=None, distractors=[]).report
    assert (report.open_set, report.likelihood, report.growth) == (None, None, None)
    assert report.cohorts == []


def test_people_in_two_parts_and_bad_calibrations_are_refused(root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(DataFolderError, match="share 10 files by stem"):
        _run(root, cache, nonmated=root / "sketches")
    few = (_write(tmp_path / "p", 400, 3), _write(tmp_path / "s", 400, 3, noise=9))
    with pytest.raises(CalibrationError, match="holds 3 people"):
        _run(root, cache, calibration=few)
    known = (root / "known" / "photos", root / "known" / "sketches")
    with pytest.raises(CalibrationError, match="--kind"):
        _run(root, cache, calibration=known, kind="unknown")
    assert not cache.exists()


def _index(folder: Path, images: list[RGB], *, name: str = "fake", last: str = "z") -> Path:
    from forensic.identification.enrol import embed_faces

    vectors = embed_faces(FakeEmbedder(), images, [LANDMARKS] * len(images))
    ids = [f"x{number}" for number in range(len(images) - 1)] + [last]
    index = GalleryIndex.build(
        vectors, photo_ids=ids, subject_ids=ids, embedder_name=name, weights_sha256="f" * 64
    )
    index.save(folder)
    return folder


def test_stored_index_fills_the_gallery_without_mates(root: Path, tmp_path: Path) -> None:
    mate = _blocks(0, take=1)
    others = [_blocks(seed) for seed in range(500, 531)]
    folder = _index(tmp_path / "index", [mate, *others], last="people/p0003")
    stored = load_stored(folder, FakeEmbedder())
    report = _run(root, tmp_path / "cache", stored=stored).report
    assert report.duplicates_left_out == ["index:index/x0", "index:index/people/p0003"]
    assert (report.gallery, report.distractors) == (N + 12 + 30, 12 + 30)
    assert report.landmarks["distractor"] == {"fake": 12, "stored index": 30}
    assert report.provenance["data_sha256"]["stored index"] == stored.sha256
    assert report.methods["none"].cms["1"] > 0.8


def test_index_of_another_embedder_is_refused(tmp_path: Path) -> None:
    folder = _index(tmp_path / "index", [_blocks(1)], name="other")
    with pytest.raises(IndexMismatch):
        load_stored(folder, FakeEmbedder())
