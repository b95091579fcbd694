"""What `forensic bench service` measures, and how it is told."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

TARGET_MS = 300
"""Compute in the worker for one sketch, from upload to ranked list, on two cores."""


@dataclass(frozen=True)
class Spread:
    """Milliseconds over several runs."""

    n: int
    median_ms: float
    p95_ms: float

    @classmethod
    def of(cls, values_ms: Sequence[float]) -> Spread:
        """Summarize at least one value."""
        ordered = sorted(values_ms)
        place = min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))
        return cls(len(ordered), statistics.median(ordered), ordered[place])

    @classmethod
    def of_stages(cls, runs: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
        """Summarize each stage of runs that all have the same ones."""
        return {stage: cls.of([run[stage] for run in runs]) for stage in runs[0]}


@dataclass(frozen=True)
class Crowd:
    """Many users at once.

    Attributes:
        done: How often what each of them does was begun, over all users.
        errors: How often it did not give what was asked for.
        per_s: `done` by the seconds until the last one had ended.
        took: One time, as its user sees it; of those without an error.
    """

    users: int
    done: int
    errors: int
    per_s: float
    took: Spread | None


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Attributes:
        gallery_size: Persons, with one random vector each.
        fill_s: How long writing and publishing the gallery took.
        ready_s: From the start of web and worker until both are ready.
        round_trip: From upload to ranked list, as a program outside sees it, waiting included.
        worker: What the worker's two jobs for a sketch take: landmarks and search.
        worker_in_time: In how many of the runs that is less than `TARGET_MS`.
        worker_cpu_ms: Processor time of the whole worker for one sketch, mean; None where the
            system does not tell.
        stages: Of `worker`.
        bare: The same models on the same sketches in one process without a service.
        bare_cpu_ms: Processor time of that for one sketch, mean.
        bare_stages: Of `bare`.
        readers: Users who look at cases, a search and its list.
        searchers: Users who upload a sketch each and wait for its list; None if not asked for.
    """

    gallery_size: int
    generator: str
    embedder: str
    fill_s: float
    ready_s: float
    round_trip: Spread
    worker: Spread
    worker_in_time: int
    worker_cpu_ms: float | None
    stages: dict[str, Spread]
    bare: Spread
    bare_cpu_ms: float
    bare_stages: dict[str, Spread]
    readers: Crowd
    searchers: Crowd | None

    @property
    def worker_over_bare(self) -> float:
        """How many times as long as bare inference the worker takes, by the medians."""
        return self.worker.median_ms / self.bare.median_ms

    def text(self) -> str:
        """Return all of it for people."""
        return "\n".join([*self._one_user(), *self._many_users()])

    def _one_user(self) -> Iterator[str]:
        yield (
            f"gallery of {self.gallery_size} persons: random vectors written into the records, "
            f"not photos (in {self.fill_s:.0f} s)"
        )
        yield f"web and worker ready after {self.ready_s:.1f} s"
        yield ""
        yield f"{f'one user, {self.round_trip.n} sketches':46}{'median':>9}{'p95':>12}"
        yield _line("upload to ranked list, waiting included", self.round_trip)
        yield _line(f"worker, with {self.generator} and {self.embedder}", self.worker)
        yield from (_line(f"  {name}", spread) for name, spread in self.stages.items())
        yield _line("bare inference with the same networks", self.bare)
        yield from (_line(f"  {name}", spread) for name, spread in self.bare_stages.items())
        yield f"worker / bare inference: {self.worker_over_bare:.2f}"
        cpu = "not told" if self.worker_cpu_ms is None else f"{self.worker_cpu_ms:.0f} ms"
        yield f"processor time for one sketch: worker {cpu}, bare {self.bare_cpu_ms:.0f} ms"
        yield (
            f"target, under {TARGET_MS} ms in the worker: {self.worker_in_time} of "
            f"{self.worker.n} sketches"
        )

    def _many_users(self) -> Iterator[str]:
        told = [(self.readers, "answers")]
        if self.searchers is not None:
            told.append((self.searchers, "searches"))
        for crowd, what in told:
            yield ""
            yield (
                f"{crowd.users} users at once: {crowd.done} {what}, {crowd.errors} errors, "
                f"{crowd.per_s:.1f} per second"
            )
            if crowd.took is not None:
                name = "upload to ranked list" if what == "searches" else "one answer"
                yield _line(name, crowd.took)


def _line(name: str, spread: Spread) -> str:
    return f"{name:46}{spread.median_ms:6.1f} ms{spread.p95_ms:9.1f} ms"
