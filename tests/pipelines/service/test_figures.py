from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.service.figures import Crowd, Figures, Spread


def spread(ms: float) -> Spread:
    return Spread(20, ms, 2 * ms)


FIGURES = Figures(
    gallery_size=100_000,
    generator="csi-line",
    embedder="sketchface",
    fill_s=21.4,
    ready_s=8.06,
    round_trip=spread(400),
    worker=spread(150),
    worker_in_time=19,
    worker_cpu_ms=180.2,
    stages={"landmarks": spread(40), "invert": spread(30)},
    bare=spread(100),
    bare_cpu_ms=110.7,
    bare_stages={"invert": spread(29)},
    readers=Crowd(50, 1000, 0, 123.4, spread(90)),
    searchers=Crowd(50, 50, 2, 6.5, spread(4000)),
)


def test_spread_tells_middle_and_tail() -> None:
    found = Spread.of([float(value) for value in range(1, 101)])
    assert (found.n, found.median_ms, found.p95_ms) == (100, 50.5, 95.0)


@pytest.mark.parametrize("values", [[7.0], [7.0, 7.0]])
def test_spread_of_few_runs(values: list[float]) -> None:
    assert Spread.of(values).p95_ms == 7.0


def test_each_stage_is_summarized_alone() -> None:
    stages = Spread.of_stages([{"a": 1, "b": 10}, {"a": 3, "b": 30}])
    assert [stages[name].median_ms for name in ("a", "b")] == [2, 20]


def test_the_text_tells_what_was_measured_on_what() -> None:
    text = FIGURES.text()
    assert "gallery of 100000 persons: random vectors written into the records" in text
    assert "web and worker ready after 8.1 s" in text
    assert "under 300 ms in the worker: 19 of 20 sketches" in text
    assert "worker / bare inference: 1.50" in text
    assert "worker 180 ms, bare 111 ms" in text
    assert "50 users at once: 1000 answers, 0 errors, 123.4 per second" in text
    assert "50 users at once: 50 searches, 2 errors, 6.5 per second" in text
    rows = {line[:46].strip(): line[46:].split() for line in text.splitlines()}
    assert rows["landmarks"] == ["40.0", "ms", "80.0", "ms"]
    assert rows["bare inference with the same networks"] == ["100.0", "ms", "200.0", "ms"]


def test_what_was_not_measured_is_not_told_as_a_figure() -> None:
    silent = replace(FIGURES, worker_cpu_ms=None, searchers=None)
    assert "worker not told, bare 111 ms" in silent.text()
    assert "searches" not in silent.text()
    failed = replace(FIGURES, readers=Crowd(50, 50, 50, 9.0, None))
    assert "one answer" not in failed.text()
