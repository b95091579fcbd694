"""Quality of machine-made faces, from files to the pages of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from forensic.faces.align import align_face
from forensic.identification.inverter import MachineMadeFace
from forensic.identification.probes import Probes
from forensic.images.frame import Frame
from forensic.images.io import write_image
from forensic.reports.benchmark import write_pages
from forensic.reports.sections import QualityRecord
from forensic.values import RGB, Landmarks
from pipelines.benchmark.experiment import Extras, Outcome, run_pairs
from pipelines.benchmark.folders import PairsData, read_data
from tests.support.benchmark import LANDMARKS, FakeMethod, fake_system

SHIFT = 10
WHOLE = Frame()
PSNR = 20 * np.log10(255 / SHIFT)


class Maker(FakeMethod):
    """Makes the very face of the sketch, each value larger by `SHIFT`."""

    def __init__(self, name: str = "maker", *, frame: Frame = WHOLE) -> None:
        super().__init__(name)
        self.weights_sha256 = {name: "b" * 64}
        self.frame = frame

    def probe(
        self,
        sketches: Sequence[RGB],
        landmarks: Sequence[Landmarks],
        *,
        is_simulated: bool = False,
    ) -> Probes:
        done = super().probe(sketches, landmarks)
        crops = [align_face(*pair, "csi-96")[0] for pair in zip(sketches, landmarks, strict=True)]
        facts = {"geometry": "csi-96", "frame": asdict(self.frame)}
        faces = [MachineMadeFace(self.frame.apply(c) + SHIFT, LANDMARKS, facts) for c in crops]
        return Probes(done.vectors, tuple(faces))


@pytest.fixture
def data(tmp_path: Path) -> PairsData:
    for number in range(20):
        blocks = np.random.default_rng(number).integers(0, 200, size=(8, 8, 3), dtype=np.uint8)
        image = np.kron(blocks, np.ones((25, 25, 1), np.uint8))
        for side in ("photos", "sketches"):
            write_image(tmp_path / side / f"p{number:02d}.png", image)
    return read_data(tmp_path / "photos", tmp_path / "sketches")


def _run(data: PairsData, cache: Path, *methods: FakeMethod, extras: Extras) -> Outcome:
    return run_pairs(
        data,
        fake_system(methods=methods),
        cache_folder=cache,
        sketch_kind="viewed",
        command=["forensic"],
        extras=extras,
    )


def _quality(data: PairsData, cache: Path, *methods: FakeMethod) -> QualityRecord | None:
    return _run(data, cache, *methods, extras=Extras()).report.quality


def test_a_face_that_is_brighter_by_ten_has_the_psnr_of_algebra(
    data: PairsData, tmp_path: Path
) -> None:
    maker = Maker()
    found = _quality(data, tmp_path / "cache", FakeMethod("none"), maker)
    assert found is not None
    assert list(found.methods) == ["maker"]
    method = found.methods["maker"]
    assert (method.faces, method.people) == (20, 20)
    assert method.psnr is not None
    assert method.psnr.mean == pytest.approx(PSNR, abs=1e-4)
    assert method.psnr.standard_error == pytest.approx(0, abs=1e-4)
    assert method.r is not None
    assert method.r.mean == pytest.approx(1, abs=1e-5)
    assert method.ssim is not None
    assert 0.9 < method.ssim.mean < 1
    again = Maker()
    assert _quality(data, tmp_path / "cache", again) == found
    assert not again.batch_sizes  # vectors and figures both came from the cache


def test_a_face_is_measured_against_the_truth_in_the_generators_own_frame(
    data: PairsData, tmp_path: Path
) -> None:
    half = Maker(frame=Frame(crop_hw=(80, 80), size_hw=(48, 48)))
    found = _quality(data, tmp_path / "cache", half)
    assert found is not None
    psnr_found = found.methods["maker"].psnr
    assert psnr_found is not None
    assert psnr_found.mean == pytest.approx(PSNR, abs=1e-4)


def test_several_pictures_of_a_person_count_as_one_person(data: PairsData, tmp_path: Path) -> None:
    two = [
        replace(pair, person="Ann" if row < 10 else "Bob") for row, pair in enumerate(data.pairs)
    ]
    found = _quality(replace(data, pairs=two), tmp_path / "cache", Maker())
    assert found is not None
    assert found.methods["maker"].people == 2


def test_methods_without_faces_have_no_quality(data: PairsData, tmp_path: Path) -> None:
    methods = FakeMethod("none"), FakeMethod("blind", blind=True)
    assert _quality(data, tmp_path / "cache", *methods) is None


def test_pages_show_quality_beside_the_papers(data: PairsData, tmp_path: Path) -> None:
    extras = Extras(published_means={"maker": {"psnr": (20.1158, 0.0231)}})
    outcome = _run(data, tmp_path / "cache", Maker(), extras=extras)
    out = tmp_path / "out"
    out.mkdir()
    write_pages(outcome.report, [], out)
    page = (out / "report.html").read_text()
    assert "paper 20.12 ± 0.0231" in page
    assert "28.13" in page
    table = (out / "quality.csv").read_text().splitlines()
    assert table[1].startswith("maker,psnr,28.13")
    assert table[1].endswith(",20,20,20.1158,0.0231")
    assert (out / "report.pdf").stat().st_size > 5000


def test_a_constant_face_has_no_r_and_stops_nothing(data: PairsData, tmp_path: Path) -> None:
    class Flat(Maker):
        def probe(self, sketches, landmarks, *, is_simulated=False):  # type: ignore[no-untyped-def]
            done = super().probe(sketches, landmarks)
            return Probes(
                done.vectors,
                tuple(replace(f, image=np.full_like(f.image, 128)) for f in done.faces if f),
            )

    outcome = _run(data, tmp_path / "cache", Flat(), extras=Extras())
    assert outcome.report.quality is not None
    assert outcome.report.quality.methods["maker"].r is None
    out = tmp_path / "out"
    out.mkdir()
    write_pages(outcome.report, [], out)
    assert '<td class="n">–' in (out / "report.html").read_text()
