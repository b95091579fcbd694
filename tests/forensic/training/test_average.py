import pytest
import torch
from torch import nn

from forensic.training.average import MovingAverage


def network(value: float) -> nn.Module:
    net = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    nn.init.constant_(net[0].weight, value)  # type: ignore[arg-type]
    return net


def weight(average: MovingAverage) -> float:
    return float(average.networks["n"].state_dict()["0.weight"].item())


def test_follows_the_recurrence_with_its_early_decay() -> None:
    """Mean 0, then 1 for ever: the rest after n steps is the product of all decays."""
    average = MovingAverage({"n": network(0.0)}, decay=0.9)
    rest = 1.0
    for step in range(1, 200):
        average.update({"n": network(1.0)}, step)
        rest *= min(0.9, (1 + step) / (10 + step))
        assert weight(average) == pytest.approx(1 - rest, abs=1e-6)
    assert rest < 1e-7


def test_first_step_forgets_nine_elevenths() -> None:
    average = MovingAverage({"n": network(0.0)}, decay=0.999)
    average.update({"n": network(1.0)}, 1)
    assert weight(average) == pytest.approx(9 / 11)


def test_decay_zero_makes_plain_copies() -> None:
    average = MovingAverage({"n": network(0.0)}, decay=0.0)
    average.update({"n": network(0.3)}, 1)
    assert weight(average) == pytest.approx(0.3)


def test_statistics_are_averaged_and_counters_copied() -> None:
    trained = network(1.0).train()
    average = MovingAverage({"n": trained}, decay=0.5)
    trained(torch.tensor([[0.0], [2.0], [4.0]]))
    average.update({"n": trained}, 1000)
    slow, fast = average.networks["n"].state_dict(), trained.state_dict()
    torch.testing.assert_close(slow["1.running_mean"], fast["1.running_mean"] / 2)
    torch.testing.assert_close(slow["1.running_var"], (fast["1.running_var"] + 1) / 2)
    assert slow["1.num_batches_tracked"] == 1


def test_copies_are_apart_frozen_and_in_evaluation() -> None:
    trained = network(1.0)
    average = MovingAverage({"n": trained}, decay=0.9)
    nn.init.zeros_(trained[0].weight)  # type: ignore[index, arg-type]
    assert weight(average) == 1
    assert not average.networks["n"].training
    assert not any(p.requires_grad for p in average.networks["n"].parameters())
