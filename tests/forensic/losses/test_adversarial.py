"""The three games, by values that algebra gives."""

import math

import pytest
import torch

from forensic.errors import UnknownNameError
from forensic.losses.adversarial import AdversarialLoss, Kind

ZERO = torch.zeros(2, 1, 3, 3)
KINDS: tuple[Kind, ...] = ("vanilla", "lsgan", "hinge")


@pytest.mark.parametrize(
    ("kind", "discriminator", "generator"),
    [("vanilla", math.log(2), math.log(2)), ("lsgan", 0.5, 0.5), ("hinge", 1.0, 0.0)],
)
def test_undecided_discriminator(kind: Kind, discriminator: float, generator: float) -> None:
    loss = AdversarialLoss(kind)
    assert loss.discriminator(ZERO, ZERO).item() == pytest.approx(discriminator)
    assert loss.generator(ZERO).item() == pytest.approx(generator)


def test_least_squares_of_equation_3_of_cali_sketch() -> None:
    """With a = 0, b = c = 1: half of (D(x) - 1)² and D(G)², and half of (D(G) - 1)²."""
    loss = AdversarialLoss("lsgan")
    real, fake = torch.tensor([3.0, 1.0]), torch.tensor([0.5, -2.0])
    assert loss.discriminator(real, fake).item() == pytest.approx((2 + 4.25 / 2) / 2)
    assert loss.generator(fake).item() == pytest.approx((0.25 + 9) / 4)


@pytest.mark.parametrize("kind", KINDS)
def test_perfect_discriminator_has_no_loss_and_a_fooled_one_none_for_the_generator(
    kind: Kind,
) -> None:
    loss = AdversarialLoss(kind)
    true, false = {"vanilla": (80, -80), "lsgan": (1, 0), "hinge": (1, -1)}[kind]
    real, fake = ZERO + true, ZERO + false
    assert loss.discriminator(real, fake).item() == pytest.approx(0, abs=1e-6)
    assert loss.discriminator(fake, real) > loss.discriminator(real, fake)
    assert loss.generator(real) < loss.generator(fake)


@pytest.mark.parametrize("kind", KINDS)
def test_players_pull_in_opposite_directions(kind: Kind) -> None:
    loss = AdversarialLoss(kind)
    fake = (ZERO + 0.3).requires_grad_()
    loss.generator(fake).backward()
    assert fake.grad is not None
    assert (fake.grad < 0).all()
    fake.grad = None
    loss.discriminator(ZERO, fake).backward()
    assert (fake.grad > 0).all()  # type: ignore[operator]


@pytest.mark.parametrize("kind", KINDS)
def test_large_logits_stay_finite(kind: Kind) -> None:
    loss = AdversarialLoss(kind)
    assert loss.discriminator(ZERO - 1e4, ZERO + 1e4).isfinite()
    assert loss.generator((ZERO - 300).bfloat16()).isfinite()


def test_unknown_kind() -> None:
    with pytest.raises(UnknownNameError, match="hinge"):
        AdversarialLoss("wgan")  # type: ignore[arg-type]
