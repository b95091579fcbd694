"""The rate is that of the last minute, and the rest is told from it."""

from forensic.jobs.galleries.pace import Pace, Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_remaining_time() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.mark(1000)  # an earlier worker did these
    assert pace.items_per_s() is None
    assert pace.remaining_s(10) is None
    clock.now = 10
    pace.mark(1100)
    assert pace.items_per_s() == 10
    assert pace.remaining_s(50) == 5
    for second in range(20, 200, 10):
        clock.now = second
        pace.mark(1100 + 2 * second)
    assert pace.items_per_s() == 2  # the quick beginning is forgotten
    assert pace.share(95) == 0.5


def test_a_rate_of_nothing_promises_nothing() -> None:
    clock = Clock()
    pace = Pace(clock)
    for clock.now in (0, 5):
        pace.mark(3)
    assert pace.remaining_s(7) is None


def test_the_record_holds_what_the_job_does_not_tell_itself() -> None:
    record = Progress("importing", 10, 5, {"indexed": 5}, 2.0, 2.5, 0.8).record()
    assert record == {
        "phase": "importing",
        "items_per_s": 2.0,
        "remaining_s": 2.5,
        "embedding_share": 0.8,
        "listed": True,
    }
