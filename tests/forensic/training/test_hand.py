import pytest
import torch

from forensic.training.hand import (
    contours,
    exaggerate,
    hatch,
    leave_out,
    rework_strokes,
    sometimes,
)


@pytest.fixture
def faces() -> torch.Tensor:
    torch.manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 112), torch.linspace(-1, 1, 112), indexing="ij")
    oval = ((x / 0.7) ** 2 + (y / 0.9) ** 2 < 1).float() * 0.5 + 0.3
    eyes = ((x.abs() - 0.31) ** 2 + (y + 0.08) ** 2 < 0.01).float()
    return (oval - 0.2 * eyes).expand(6, 3, 112, 112).clone()


@pytest.mark.parametrize("function", [contours, hatch])
def test_drawings_are_dark_lines_on_light_paper(function, faces: torch.Tensor) -> None:
    drawn = function(faces[:, :1])
    assert drawn.shape == (6, 1, 112, 112)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert drawn.amax((1, 2, 3)).min() > 0.8
    assert drawn.amin((1, 2, 3)).max() < 0.8
    assert not torch.equal(drawn[0], drawn[1])


def test_no_exaggeration_changes_nothing(faces: torch.Tensor) -> None:
    torch.testing.assert_close(exaggerate(faces, strength=0.0), faces, atol=1e-4, rtol=0)


def test_exaggeration_differs_from_face_to_face(faces: torch.Tensor) -> None:
    bent = exaggerate(faces, strength=0.3)
    moved = (bent - faces).abs().mean((1, 2, 3))
    assert moved.min() > 1e-3
    assert not torch.equal(bent[0], bent[1])


def test_strokes_grow_or_shrink_by_a_pixel() -> None:
    torch.manual_seed(1)
    drawing = torch.ones(16, 1, 9, 9)
    drawing[:, :, :, 4] = 0
    ink = (1 - rework_strokes(drawing)).sum((1, 2, 3)) / 9
    assert ink.max() > 1.1
    assert ink.min() < 0.9
    assert ink.max() <= 3


def test_what_is_left_out_is_paper(faces: torch.Tensor) -> None:
    dark = torch.zeros_like(faces)
    left = leave_out(dark)
    assert left[:, :, 0, 0].min() > 0.5
    assert left[:, :, 62, 56].max() < 0.1


def test_sometimes_takes_the_changed_image_for_about_that_share() -> None:
    torch.manual_seed(2)
    taken = sometimes(0.25, torch.ones(4000, 1, 1, 1), torch.zeros(4000, 1, 1, 1))
    assert float(taken.mean()) == pytest.approx(0.25, abs=0.03)
