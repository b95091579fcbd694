"""`forensic bench service`: the real web and worker under load, beside bare inference.

Both start on a database of their own, with a gallery of random vectors. The same sketches go
through the service, from upload to ranked list, and through the same models in this process,
without database, files, queue or network; the difference is what the service costs.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from forensic.errors import JobError
from pipelines.service.client import Client, SearchRun
from pipelines.service.figures import TARGET_MS, Crowd, Figures, Spread
from pipelines.service.site import EMBEDDER, GENERATOR, ServiceSite, draw_sketches

WARM_UP = 2
"""Sketches that go through each side before the first that is timed."""

CROWD_POLL_S = 1.0
"""How often each of many users asks whether the list is there; the pages ask as often."""


@dataclass(frozen=True)
class Load:
    """How much is sent.

    Attributes:
        sketches: Timed one after another.
        users: Users at once.
        requests: Requests of each.
        searches: Sketches that each of them uploads.
    """

    sketches: int
    users: int
    requests: int
    searches: int


@click.command()
@click.option("--gallery", "size", type=click.IntRange(100), default=100_000, show_default=True)
@click.option("--sketches", type=click.IntRange(2), default=20, show_default=True)
@click.option("--users", type=click.IntRange(1), default=50, show_default=True)
@click.option(
    "--requests", type=click.IntRange(1), default=20, show_default=True, help="Of each user."
)
@click.option(
    "--searches", type=click.IntRange(0), default=1, show_default=True, help="Of each user."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_service(
    size: int, sketches: int, users: int, requests: int, searches: int, as_json: bool
) -> None:
    """Measure the whole service: from upload to ranked list, and many users at once.

    Nothing real is used: synthetic sketches, a gallery of random vectors, a temporary folder.
    """
    from forensic.runtime import let_waiting_threads_sleep, provenance

    let_waiting_threads_sleep()  # as the worker does; before torch and faiss are loaded
    with tempfile.TemporaryDirectory(prefix="forensic-bench-") as folder:
        figures = measure(
            Path(folder),
            gallery_size=size,
            load=Load(sketches, users, requests, searches),
            tell=lambda text: click.echo(text, err=True),
        )
    if as_json:
        click.echo(
            json.dumps(
                {
                    **asdict(figures),
                    "worker_over_bare": figures.worker_over_bare,
                    "target_ms": TARGET_MS,
                    "provenance": provenance(),
                },
                indent=2,
            )
        )
    else:
        click.echo(figures.text())


def measure(folder: Path, *, gallery_size: int, load: Load, tell: Callable[[str], None]) -> Figures:
    """Start the service, send it everything, and return the figures.

    Args:
        folder: Where the service keeps its data.
        gallery_size: Persons in the gallery.
        load: What is sent.
        tell: Told what is being done.
    """
    tell("Drawing sketches …")
    sketches = draw_sketches(load.sketches + WARM_UP)
    site = ServiceSite(folder)
    tell(f"Writing a gallery of {gallery_size} random vectors …")
    started = time.perf_counter()
    site.fill(gallery_size)
    fill_s = time.perf_counter() - started
    tell("Bare inference …")
    bare = [site.infer(sketch) for sketch in sketches][WARM_UP:]
    site.forget_models()
    tell("Starting web and worker …")
    started = time.perf_counter()
    with site.running():
        ready_s = time.perf_counter() - started
        tell("One user …")
        runs, worker_cpu_ms = _one_user(site, sketches)
        tell(f"{load.users} users at once …")
        readers = _readers(site, runs[-1].search_id, load)
        searchers = _searchers(site, sketches, load) if load.searches else None
    worker_ms = [run.worker_ms for run in runs]
    return Figures(
        gallery_size=gallery_size,
        generator=GENERATOR,
        embedder=EMBEDDER,
        fill_s=fill_s,
        ready_s=ready_s,
        round_trip=Spread.of([run.wall_ms for run in runs]),
        worker=Spread.of(worker_ms),
        worker_in_time=sum(ms < TARGET_MS for ms in worker_ms),
        worker_cpu_ms=worker_cpu_ms,
        stages=Spread.of_stages([run.stages_ms for run in runs]),
        bare=Spread.of([sum(run.stages_ms.values()) for run in bare]),
        bare_cpu_ms=statistics.fmean(run.cpu_ms for run in bare),
        bare_stages=Spread.of_stages([run.stages_ms for run in bare]),
        readers=readers,
        searchers=searchers,
    )


def _one_user(site: ServiceSite, sketches: Sequence[bytes]) -> tuple[list[SearchRun], float | None]:
    """Return the timed runs, and the worker's processor time for one of them, in ms."""
    client = site.client()
    case_id = client.open_case("one user")

    def search(sketch: bytes) -> SearchRun:
        return client.search(case_id, sketch, site.gallery_id, generator=GENERATOR)

    for sketch in sketches[:WARM_UP]:
        search(sketch)
    before = site.worker_cpu_s()
    runs = [search(sketch) for sketch in sketches[WARM_UP:]]
    after = site.worker_cpu_s()
    if before is None or after is None:
        return runs, None
    return runs, (after - before) * 1000 / len(runs)


def _readers(site: ServiceSite, search_id: str, load: Load) -> Crowd:
    """Let users ask for cases, a search and its list, all at once."""
    paths = ("/cases", f"/searches/{search_id}", f"/searches/{search_id}/candidates")

    def read(client: Client, _user: int, number: int) -> float | None:
        started = time.perf_counter()
        status = client.status_of(paths[number % len(paths)])
        return (time.perf_counter() - started) * 1000 if status == 200 else None

    return _crowd([site.client() for _ in range(load.users)], read, times=load.requests)


def _searchers(site: ServiceSite, sketches: Sequence[bytes], load: Load) -> Crowd:
    """Let users upload sketches, each in a case of its own, and wait for lists, all at once."""

    def search(client: Client, user: int, number: int) -> float | None:
        sketch = sketches[(user + number) % len(sketches)]
        try:
            run = client.search(
                client.open_case(f"{user}-{number}"),
                sketch,
                site.gallery_id,
                generator=GENERATOR,
                poll_s=CROWD_POLL_S,
            )
        except JobError:
            return None
        return run.wall_ms

    return _crowd([site.client() for _ in range(load.users)], search, times=load.searches)


def _crowd(
    clients: Sequence[Client], act: Callable[[Client, int, int], float | None], *, times: int
) -> Crowd:
    """Let every client act `times` times, all at once.

    Args:
        clients: One for each user.
        act: Given a client, its number and the number of the time; returns how long it took in
            milliseconds, None where it did not go well.
        times: How often each of them acts.
    """

    def go(user: int) -> list[float | None]:
        return [act(clients[user], user, number) for number in range(times)]

    started = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        took = [ms for each in pool.map(go, range(len(clients))) for ms in each]
    seconds = time.perf_counter() - started
    good = [ms for ms in took if ms is not None]
    return Crowd(
        users=len(clients),
        done=len(took),
        errors=len(took) - len(good),
        per_s=len(took) / seconds,
        took=Spread.of(good) if good else None,
    )
