from __future__ import annotations

import pytest

from pipelines.bench_service import Spread


def test_spread_tells_middle_and_tail() -> None:
    spread = Spread.of([float(value) for value in range(1, 101)])
    assert (spread.n, spread.median_ms, spread.p95_ms) == (100, 50.5, 95.0)


@pytest.mark.parametrize("values", [[7.0], [7.0, 7.0]])
def test_spread_of_few_runs(values: list[float]) -> None:
    assert Spread.of(values).p95_ms == 7.0
