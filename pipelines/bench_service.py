"""`forensic bench service`: the real web and worker under load, beside bare inference.

Both start on a database of their own, with a gallery of random vectors. The same sketches go
through the service, from upload to ranked list, and through the same models in this process,
without database, files, queue or network; the difference is what the service costs.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from pipelines.service.client import Client
from pipelines.service.site import GENERATOR, ServiceSite, draw_sketches

WARM_UP = 2
"""Sketches that go through each side before the first that is timed."""


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


@dataclass(frozen=True)
class Load:
    """Many users at once.

    Attributes:
        errors: Answers that were not what was asked for.
        requests_per_s: Over all users.
    """

    users: int
    requests: int
    errors: int
    requests_per_s: float
    latency: Spread


@dataclass(frozen=True)
class Figures:
    """What was measured.

    Attributes:
        round_trip: From upload to ranked list, as a program outside sees it, waiting included.
        worker: Compute in the worker, landmarks and search together.
        stages: The worker's stages.
        bare: The same models on the same sketches in this process, by stage.
        bare_total: All stages of `bare`.
    """

    gallery_size: int
    generator: str
    round_trip: Spread
    worker: Spread
    stages: dict[str, Spread]
    bare: dict[str, Spread]
    bare_total: Spread
    load: Load


@click.command()
@click.option("--gallery", "size", type=click.IntRange(100), default=100_000, show_default=True)
@click.option("--sketches", "n_sketches", type=click.IntRange(2), default=20, show_default=True)
@click.option("--users", type=click.IntRange(1), default=50, show_default=True)
@click.option(
    "--requests", type=click.IntRange(1), default=20, show_default=True, help="Of each user."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_service(size: int, n_sketches: int, users: int, requests: int, as_json: bool) -> None:
    """Measure the whole service: from upload to ranked list, and many users at once.

    Nothing real is used: synthetic sketches, random vectors, a temporary folder.
    """
    from forensic.runtime import provenance

    with tempfile.TemporaryDirectory(prefix="forensic-bench-") as folder:
        figures = measure(
            Path(folder),
            gallery_size=size,
            n_sketches=n_sketches,
            users=users,
            requests=requests,
            tell=lambda text: click.echo(text, err=True),
        )
    if as_json:
        click.echo(json.dumps({**asdict(figures), "provenance": provenance()}, indent=2))
    else:
        _print(figures)


def measure(
    folder: Path,
    *,
    gallery_size: int,
    n_sketches: int,
    users: int,
    requests: int,
    tell: Callable[[str], None],
) -> Figures:
    """Start the service, send it everything, and return the figures.

    Args:
        folder: Where the service keeps its data.
        gallery_size: Photos in the gallery.
        n_sketches: Timed sketches.
        users: Users at once.
        requests: Requests of each user.
        tell: Told what is being done.
    """
    tell("Drawing sketches and filling the gallery …")
    sketches = draw_sketches(n_sketches + WARM_UP)
    site = ServiceSite(folder)
    site.fill(gallery_size)
    tell("Bare inference …")
    bare = [site.infer(sketch) for sketch in sketches][WARM_UP:]
    site.forget_models()
    tell("Starting web and worker …")
    with site.running():
        client = site.client()
        case_id = client.post("/cases", site.CASE)["id"]
        runs = [
            client.search(case_id, sketch, site.gallery_id, generator=GENERATOR)
            for sketch in sketches
        ][WARM_UP:]
        tell(f"{users} users at once …")
        load = _crowd(site, runs[-1].search_id, users=users, requests=requests)
    return Figures(
        gallery_size=gallery_size,
        generator=GENERATOR,
        round_trip=Spread.of([run.wall_ms for run in runs]),
        worker=Spread.of([run.worker_ms for run in runs]),
        stages=_by_stage([run.stages_ms for run in runs]),
        bare=_by_stage(bare),
        bare_total=Spread.of([sum(stages.values()) for stages in bare]),
        load=load,
    )


def _by_stage(runs: Sequence[dict[str, float]]) -> dict[str, Spread]:
    return {stage: Spread.of([run[stage] for run in runs]) for stage in runs[0]}


def _crowd(site: ServiceSite, search_id: str, *, users: int, requests: int) -> Load:
    """Let users ask for cases, a search and its list, all at once."""
    took_ms: list[float] = []
    errors = 0
    lock = threading.Lock()
    paths = ("/cases", f"/searches/{search_id}", f"/searches/{search_id}/candidates")

    def ask(client: Client) -> None:
        nonlocal errors
        for number in range(requests):
            started = time.perf_counter()
            status = client.status_of(paths[number % len(paths)])
            with lock:
                took_ms.append((time.perf_counter() - started) * 1000)
                errors += status != 200

    clients = [site.client() for _ in range(users)]
    started = time.perf_counter()
    with ThreadPoolExecutor(users) as pool:
        list(pool.map(ask, clients))
    seconds = time.perf_counter() - started
    return Load(users, len(took_ms), errors, len(took_ms) / seconds, Spread.of(took_ms))


def _print(figures: Figures) -> None:
    def line(name: str, spread: Spread) -> None:
        click.echo(f"  {name:24}{spread.median_ms:9.1f} ms{spread.p95_ms:9.1f} ms")

    click.echo(f"gallery of {figures.gallery_size}, generator {figures.generator}; median, p95")
    line("upload to ranked list", figures.round_trip)
    line("worker", figures.worker)
    for name, spread in figures.stages.items():
        line(f"  {name}", spread)
    line("bare inference", figures.bare_total)
    for name, spread in figures.bare.items():
        line(f"  {name}", spread)
    load = figures.load
    click.echo(
        f"{load.users} users at once: {load.requests} requests, {load.errors} errors, "
        f"{load.requests_per_s:.0f} requests/s"
    )
    line("answer", load.latency)
