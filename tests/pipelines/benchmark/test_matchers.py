from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from forensic.errors import MissingWeights, RangeError, ShapeError, UnknownNameError
from forensic.images.color import rgb_to_gray
from pipelines.benchmark.cache import code_version
from pipelines.benchmark.matchers import PixelMatcher, create_matcher
from tests.support.vgg import write_vgg

CPU = torch.device("cpu")
FACES = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)


def test_product_of_pixel_vectors_is_pearsons_r_of_luminance() -> None:
    one, other, _ = PixelMatcher().embed(FACES)
    gray = [rgb_to_gray(face).ravel().astype(float) for face in FACES]
    assert one @ other == pytest.approx(stats.pearsonr(gray[0], gray[1]).statistic, abs=1e-6)
    brighter = (FACES // 2 + 60).astype(np.uint8)
    assert PixelMatcher().embed(brighter)[0] @ one == pytest.approx(1, abs=1e-3)


def test_vgg_vectors_know_a_face_again_and_name_the_stand_in(tmp_path: Path) -> None:
    matcher = create_matcher(f"vgg:{write_vgg(tmp_path / 'v.safetensors')}", device=CPU)
    assert "stand-in" in matcher.name
    rows = matcher.embed(FACES)
    assert rows.shape == (3, matcher.dimension)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.allclose(rows.mean(axis=1), 0, atol=1e-7)
    shaded = (FACES * 0.9).astype(np.uint8)
    products = matcher.embed(shaded) @ rows.T
    assert (products.argmax(axis=1) == np.arange(3)).all()
    assert matcher.embed(FACES[:0]).shape == (0, matcher.dimension)


def test_matchers_refuse_what_they_cannot_use(tmp_path: Path) -> None:
    with pytest.raises(ShapeError):
        PixelMatcher().embed(FACES[:, :90])
    with pytest.raises(RangeError, match="zero"):
        PixelMatcher().embed(np.full((1, 96, 96, 3), 7, np.uint8))
    with pytest.raises(MissingWeights):
        create_matcher("vgg:nowhere.pth", device=CPU)
    with pytest.raises(UnknownNameError):
        create_matcher("pixel", device=CPU)
    assert create_matcher("pixels", device=CPU).embed(FACES[:0]).shape == (0, 9216)


def test_code_of_matchers_is_part_of_the_cache_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_version()
    monkeypatch.setattr("pipelines.benchmark.cache.MAKERS", ("matchers.py",))
    assert code_version() != before
