"""Contours by whichever detector is to be had, and its name."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from forensic.backbones.contours import (
    GradientContours,
    detect_contours,
    equalized,
    load_contours,
)
from forensic.backbones.pidinet import PiDiNet
from forensic.errors import DtypeError, MissingWeights, ShapeError


def step(low: int, high: int) -> np.ndarray:
    photo = np.full((64, 64, 3), low, dtype=np.uint8)
    photo[:, 32:] = high
    return photo


def test_operator_says_that_nothing_was_learned() -> None:
    assert "no learned contours" in load_contours("gradient").name


def test_operator_finds_a_step_by_its_formula() -> None:
    detector = GradientContours(sigma_px=2.0, soft=0.25)
    images = torch.zeros(1, 3, 64, 64)
    images[:, 1, :, 32:] = 0.3  # one channel is enough
    contours = detector(images)[0, 0]
    slope = 8 * 0.3 / (2.0 * np.sqrt(2 * np.pi))
    assert contours[:, 31:33].max().item() == pytest.approx(
        1 - np.exp(-((slope / 0.25) ** 2)), abs=0.02
    )
    assert contours[:, :20].max() < 1e-6


def test_a_file_of_pidinet_is_known_by_its_content(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_file(PiDiNet().state_dict(), tmp_path / "edges.safetensors")
    assert load_contours(str(tmp_path / "edges.safetensors")).name == "pidinet"


def test_missing_file_names_all_ways_out(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights, match=r"fetch hed.*fetch pidinet.*'gradient'"):
        load_contours(str(tmp_path / "absent.pth"))


def test_photos_become_bytes_one_by_one() -> None:
    photos = np.stack([step(20, 220)] * 9 + [step(90, 90)])
    found = detect_contours(photos, GradientContours(), equalize=False)
    assert found.shape == (10, 64, 64, 1)
    assert found.dtype == np.uint8
    assert found[8, 32, 31:33].max() > 250
    assert found[9].max() == 0
    assert (found[0] == found[8]).all()


def test_equalizing_brings_faint_contours_out() -> None:
    faint = step(60, 66)[None]
    plain, even = (
        detect_contours(faint, GradientContours(), equalize=e).max() for e in (False, True)
    )
    assert plain < 60 < 250 < even


def test_equalized_levels_are_about_equally_frequent() -> None:
    ramp = np.repeat((np.linspace(0, 1, 64) ** 3 * 255).astype(np.uint8)[None, :, None], 64, axis=0)
    even = equalized(np.repeat(ramp, 3, axis=2))
    assert np.median(ramp) < 40
    assert 110 < np.median(even) < 145


def test_refused() -> None:
    with pytest.raises(ShapeError):
        detect_contours(step(0, 9), GradientContours())
    with pytest.raises(DtypeError):
        detect_contours(np.zeros((1, 32, 32, 3)), GradientContours(), equalize=False)  # type: ignore[arg-type]
    with pytest.raises(ShapeError):
        GradientContours()(torch.rand(1, 1, 8, 8))
