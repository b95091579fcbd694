"""Matching among drawings ranks by the paper's summed squared error."""

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from forensic.errors import InputError, ShapeError
from forensic.faces.landmarks import ALIGNED
from forensic.images.color import rgb_to_gray
from forensic.images.frame import centre_crop
from pipelines.benchmark.sketch_domain import (
    SketchDomainMatcher,
    SketchDomainMethod,
    create_sketch_domain,
    lift_gallery,
    lift_probes,
    to_rows,
)
from pipelines.benchmark.system import create_system
from pipelines.cli import main
from tests.support.generators import small_generator, write_copying_fcn
from tests.support.images import face_photo, face_sketch, write_pairs

CPU = torch.device("cpu")
FIVE = ALIGNED["cufs"].landmarks


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_copying_fcn(tmp_path_factory.mktemp("weights") / "copy.safetensors")


def test_products_of_lifted_rows_order_as_squared_errors_do() -> None:
    draw = np.random.default_rng(0)
    photos = [draw.integers(0, 256, (188, 143, 3), dtype=np.uint8) // k for k in (1, 2, 3, 1, 5)]
    sketches = [draw.integers(0, 256, (188, 143, 3), dtype=np.uint8) // k for k in (1, 4)]
    rows, asked = to_rows(photos), to_rows(sketches)
    products = lift_probes(asked).astype(float) @ lift_gallery(rows).astype(float).T
    errors = ((asked[:, None] - rows[None]) ** 2).sum(axis=2)
    assert np.array_equal(np.argsort(-products, axis=1), np.argsort(errors, axis=1))
    lengths = np.linalg.norm(np.vstack([lift_probes(asked), lift_gallery(rows)]), axis=1)
    assert lengths == pytest.approx(1, abs=1e-5)


def test_extreme_pictures_still_have_unit_rows() -> None:
    black, white = np.zeros((188, 143, 3), np.uint8), np.full((188, 143, 3), 255, np.uint8)
    lifted = lift_gallery(to_rows([black, white]))
    assert np.linalg.norm(lifted, axis=1) == pytest.approx(1, abs=1e-5)


def test_photos_are_drawn_by_the_network_and_sketches_are_not(weights: Path) -> None:
    matcher = create_sketch_domain(f"fcn:{weights}", device=CPU)
    photo, sketch = face_photo(1), face_sketch(1)
    green = np.repeat(photo[:, :, 1:2], 3, axis=2)
    drawn = centre_crop(matcher.draw(photo), (188, 143))
    np.testing.assert_allclose(drawn, centre_crop(green, (188, 143)), atol=1)
    probe = SketchDomainMethod(matcher).probe([sketch], [FIVE])
    wanted = to_rows([sketch])[0]
    ratio = probe.vectors[0, :-2] / np.where(wanted == 0, 1, wanted)
    assert np.ptp(ratio[np.abs(wanted) > 1e-4]) < 1e-4
    assert probe.faces == (None,)


def test_gray_baseline_is_the_paper_s_distance() -> None:
    matcher = create_sketch_domain("gray", device=CPU)
    photos = np.stack([face_photo(seed) for seed in range(4)])
    sketches = [face_sketch(seed) for seed in range(4)]
    probes = SketchDomainMethod(matcher).probe(sketches, [FIVE] * 4).vectors.astype(float)
    found = np.argsort(-(probes @ matcher.embed(photos).astype(float).T), axis=1)

    def gray(picture: np.ndarray) -> np.ndarray:
        return rgb_to_gray(centre_crop(picture, (188, 143))).astype(float)

    errors = [[((gray(s) - gray(p)) ** 2).sum() for p in photos] for s in sketches]
    assert np.array_equal(found, np.argsort(errors, axis=1))


def test_command_searches_among_drawings(weights: Path, tmp_path: Path) -> None:
    photos, sketches = write_pairs(tmp_path, range(3))
    result = CliRunner().invoke(
        main,
        [
            "benchmark", "pairs", "--photos", str(photos), "--sketches", str(sketches),
            "--methods", "fcn-sketch", "--embedder", f"fcn:{weights}", "--aligned", "cufs",
            "--device", "cpu", "--no-faces", "--cache", str(tmp_path / "cache"),
            "--out", str(tmp_path / "out"),
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "fcn-sketch" in (tmp_path / "out" / "report.json").read_text()


def test_the_network_of_the_package_is_known_by_name(tmp_path: Path) -> None:
    photos, sketches = write_pairs(tmp_path, range(3))
    result = CliRunner().invoke(
        main,
        [
            "benchmark", "pairs", "--photos", str(photos), "--sketches", str(sketches),
            "--methods", "fcn-sketch", "--aligned", "cufs", "--device", "cpu", "--no-faces",
            "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out"),
        ],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    report = (tmp_path / "out" / "report.json").read_text()
    assert "fcn-sr, summed squared error among drawings" in report


def test_methods_and_embedders_that_do_not_belong_together(weights: Path) -> None:
    for embedder, methods in (("pixels", ["fcn-sketch"]), ("gray", ["none", "fcn-sketch"])):
        with pytest.raises(InputError, match="fcn-sketch"):
            create_system(embedder=embedder, methods=methods, device="cpu")


def test_refused() -> None:
    with pytest.raises(InputError, match="photo-to-sketch"):
        SketchDomainMatcher(small_generator(), device=CPU)
    with pytest.raises(ShapeError):
        create_sketch_domain("gray", device=CPU).embed(np.zeros((1, 96, 96, 3), np.uint8))
