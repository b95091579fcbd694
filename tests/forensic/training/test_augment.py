import pytest
import torch

from forensic.training import augment


def faces(n: int = 4) -> torch.Tensor:
    torch.manual_seed(0)
    coarse = torch.rand(n, 3, 7, 7)
    return torch.nn.functional.interpolate(coarse, size=[56, 56], mode="bilinear")


CHANGES = [
    lambda x: augment.jitter(x, pixels=1.0, turn=0.03, stretch=0.03),
    lambda x: augment.deform(x, pixels=4.0),
    augment.relight,
    augment.repaper,
]


@pytest.mark.parametrize("change", CHANGES)
def test_changes_each_face_differently_and_by_seed(change) -> None:
    same = faces(1).expand(4, -1, -1, -1).contiguous()
    torch.manual_seed(1)
    changed = change(same)
    assert changed.shape == same.shape
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert (changed[0] - changed[1]).abs().mean() > 1e-3
    torch.manual_seed(1)
    torch.testing.assert_close(change(same), changed, rtol=0, atol=0)


def test_no_jitter_changes_nothing() -> None:
    x = faces()
    still = augment.jitter(x, pixels=0.0, turn=0.0, stretch=0.0)
    torch.testing.assert_close(still, x, atol=1e-5, rtol=0)


def test_jitter_moves_by_the_stated_pixels() -> None:
    torch.manual_seed(2)
    ramp = torch.linspace(0, 1, 56).expand(400, 3, 56, 56).contiguous()
    moved = augment.jitter(ramp, pixels=2.0, turn=0.0, stretch=0.0)
    shift_px = (moved - ramp)[:, 0, 28, 28] * 55
    assert shift_px.std().item() == pytest.approx(2.0, rel=0.15)


def test_most_coloured_drawings_turn_gray() -> None:
    torch.manual_seed(3)
    papered = augment.repaper(faces(200))
    spread = (papered.amax(1) - papered.amin(1)).mean((1, 2))
    assert ((spread < 1e-6).float().mean() - 0.6).abs() < 0.15
