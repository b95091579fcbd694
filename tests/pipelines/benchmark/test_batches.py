import threading
import time
from collections.abc import Sequence

import pytest
import torch

from pipelines.benchmark.batches import BATCH_SIZE, Clock, batched, work_on


@pytest.fixture(params=[1, 4])
def _threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: request.param)


def test_last_batch_is_what_remains() -> None:
    assert [len(batch) for batch in batched(range(2 * BATCH_SIZE + 3))] == [16, 16, 3]
    assert not list(batched([]))


@pytest.mark.usefixtures("_threads")
def test_batches_come_in_order_though_a_later_one_is_done_earlier() -> None:
    def work(batch: Sequence[int]) -> int:
        if batch[0] == 0:
            time.sleep(0.05)
        return sum(batch)

    items = range(10 * BATCH_SIZE)
    assert list(work_on(items, work)) == [(batch, sum(batch)) for batch in batched(items)]


@pytest.mark.usefixtures("_threads")
def test_an_error_ends_the_work_after_the_batches_before_it() -> None:
    begun, done = [], []

    def work(batch: Sequence[int]) -> None:
        begun.append(batch[0])
        if batch[0] == BATCH_SIZE:
            raise KeyError("broken")

    outcomes = work_on(range(100 * BATCH_SIZE), work)
    with pytest.raises(KeyError, match="broken"):
        done.extend(batch[0] for batch, _ in outcomes)
    assert done == [0]
    assert len(begun) < 20


def test_each_thread_computes_alone_and_torch_gets_its_threads_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen = [n for _, n in work_on(range(BATCH_SIZE * 4), lambda _: torch.get_num_threads())]
        assert seen == [1, 1, 1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_clock_adds_up_over_threads() -> None:
    clock, together = Clock(), threading.Barrier(2)

    def work() -> None:
        with clock.stage("both"):
            together.wait(timeout=60)
            time.sleep(0.02)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with clock.stage("after"):
        pass
    assert list(clock.seconds()) == ["both", "after"]
    assert clock.seconds()["both"] >= 0.04
