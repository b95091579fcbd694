import pytest
import torch

from forensic.training.schedules import set_learning_rate, warm_cosine


def test_rises_then_falls_to_zero() -> None:
    rates = [warm_cosine(i, peak=0.4, warmup_steps=4, total_steps=24) for i in range(30)]
    assert rates[:4] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert rates[14] == pytest.approx(0.2)
    assert rates[24:] == pytest.approx([0.0] * 6)
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_no_warmup_starts_at_the_peak() -> None:
    assert warm_cosine(0, peak=1.0, warmup_steps=0, total_steps=10) == 1.0


def test_rate_reaches_every_group() -> None:
    a, b = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([{"params": [a]}, {"params": [b]}], lr=1.0)
    set_learning_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
