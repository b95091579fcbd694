"""`forensic bench index`: photos imported per second, beside a plain facenet-pytorch loop.

Ours is the whole import: decoding and detection in processes, embedding, records in SQLite, photos
in the file store, and the published index. The plain side is the loop of facenet-pytorch's own
examples, one image at a time, which only computes the vectors. Both use the same networks.
With `--stand-in`, ours alone is run, on drawn files and without networks, for its memory.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensic.jobs.galleries.intake import LocalIntake, share_cores
from pipelines.bench_memory import (
    Memory,
    MemoryWatch,
    StandInEmbedder,
    draw_photos,
    make_stand_in_examiner,
)
from pipelines.bench_pipeline import WARM_UP, plain_loop, weights_file

if TYPE_CHECKING:
    from forensic.embedders.embedder import Embedder
    from forensic.jobs.galleries.intake import Intake


@dataclass(frozen=True)
class IndexBench:
    """Both sides, and under which conditions they were measured.

    Attributes:
        images: Photos imported in each pass.
        repeats: Timed passes of each side.
        ours_images_per_s: Median over the repeats.
        plain_images_per_s: Median over the repeats; None with stand-ins.
        ratio: Ours over plain; higher is better.
        embedding_share: Median share of the import's working time that the embedder was busy.
        memory: Of the last pass.
        indexed: Photos of the last pass that were indexed.
        plain_faces: Photos of the last pass in which the plain side found a face.
        weights: Which weights both sides used.
        processes: That found faces on our side.
        threads: Of torch in the main process while ours ran.
        plain_threads: The same for the plain side.
        device: Where the networks compute.
    """

    images: int
    repeats: int
    ours_images_per_s: float
    plain_images_per_s: float | None
    ratio: float | None
    embedding_share: float
    memory: Memory
    indexed: int
    plain_faces: int | None
    weights: str
    processes: int
    threads: int
    plain_threads: int | None
    device: str


@dataclass(frozen=True)
class _Pass:
    seconds: float
    indexed: int
    embedding_share: float
    memory: Memory


@click.command()
@click.option("--photos", type=click.Path(path_type=Path), help="Folder of photos of faces.")
@click.option(
    "--images", "--n", type=click.IntRange(10), default=500, show_default=True, help="To import."
)
@click.option(
    "--stand-in",
    is_flag=True,
    help="For memory: drawn files (20 kB of disk each), ours alone and without networks.",
)
@click.option(
    "--repeats", type=click.IntRange(1), default=3, show_default=True, help="Timed passes per side."
)
@click.option("--processes", type=click.IntRange(0), help="That find faces.")
@click.option("--threads", type=click.IntRange(1), help="That embed.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_index(
    photos: Path | None,
    images: int,
    stand_in: bool,
    repeats: int,
    processes: int | None,
    threads: int | None,
    device: str,
    as_json: bool,
) -> None:
    """Measure the import of PHOTOS into an empty gallery, in images per second."""
    from forensic.images.io import list_images
    from forensic.runtime import choose_device, provenance

    if stand_in == (photos is not None):
        raise click.UsageError("Give either --photos or --stand-in.")
    best = share_cores(len(os.sched_getaffinity(0)))
    setting = {
        "repeats": repeats,
        "processes": best[0] if processes is None else processes,
        "threads": threads or best[1],
    }
    if photos is None:
        result = measure_memory(images, **setting)
    else:
        paths = list(islice(list_images(photos), images))
        result = measure(paths, **setting, device=str(choose_device(device)))
    if as_json:
        click.echo(json.dumps({**asdict(result), "provenance": provenance()}, indent=2))
    else:
        click.echo(_table(result))


def _table(result: IndexBench) -> str:
    memory = result.memory
    lines = [f"ours   {result.ours_images_per_s:8.1f} images/s, {result.indexed} indexed"]
    if result.ratio is not None:
        lines += [
            f"plain  {result.plain_images_per_s:8.1f} images/s, {result.plain_faces} faces, "
            f"{result.plain_threads} threads",
            f"ratio  {result.ratio:8.2f}",
        ]
    return "\n".join(
        [
            *lines,
            f"busy   {result.embedding_share:8.0%} of the time, the embedder",
            f"memory {memory.start_mib:8.0f} MiB at a tenth, {memory.middle_mib:.0f} at half, "
            f"{memory.end_mib:.0f} at the end, {memory.peak_mib:.0f} at most",
            f"{result.images} images, {result.repeats} repeats, {result.processes} processes, "
            f"{result.threads} threads, {result.device}; {result.weights}",
        ]
    )


def measure(
    paths: Sequence[Path], *, repeats: int, processes: int, threads: int, device: str
) -> IndexBench:
    """Return the speed of both sides on the same files, passes taken in turn.

    Args:
        paths: Photos.
        repeats: Timed passes of each side.
        processes: That find faces on our side; 0 for a thread.
        threads: Of torch in this process on our side; the plain side has torch's own number.
        device: Where the networks compute.

    Raises:
        InputError: A photo cannot be used by the plain side.
    """
    import torch

    from forensic.embedders.facenet import FaceNetEmbedder

    plain_threads = torch.get_num_threads()
    ours: list[_Pass] = []
    plain_s: list[float] = []
    with tempfile.TemporaryDirectory(prefix="forensic-bench-") as name:
        folder = Path(name)
        weights, about = weights_file(folder)
        plain = plain_loop(weights, device)
        embedder = FaceNetEmbedder(weights_path=weights, device=torch.device(device))
        intake = LocalIntake.of_device(embedder, device="cpu", processes=processes)
        plain(paths[:WARM_UP])
        _import(paths[:WARM_UP], folder / "warm", embedder, intake)
        for repeat in range(repeats):
            torch.set_num_threads(threads)
            ours.append(_import(paths, folder / str(repeat), embedder, intake))
            torch.set_num_threads(plain_threads)
            started = time.perf_counter()
            faces = plain(paths)
            plain_s.append(time.perf_counter() - started)
    other = len(paths) / statistics.median(plain_s)
    result = _summary(ours, len(paths), processes, threads, weights=about, device=device)
    return replace(
        result,
        plain_images_per_s=other,
        ratio=result.ours_images_per_s / other,
        plain_faces=faces,
        plain_threads=plain_threads,
    )


def measure_memory(n: int, *, repeats: int, processes: int, threads: int) -> IndexBench:
    """Return what the import of `n` drawn photos takes, with stand-ins for both networks.

    Args:
        n: Photos.
        repeats: Passes.
        processes: That decode; 0 for a thread.
        threads: Of torch in this process.
    """
    import torch

    torch.set_num_threads(threads)
    embedder = StandInEmbedder()
    intake = LocalIntake(embedder, make_examiner=make_stand_in_examiner, processes=processes)
    with tempfile.TemporaryDirectory(prefix="forensic-bench-") as name:
        paths = draw_photos(Path(name) / "photos", n)
        ours = [
            _import(paths, Path(name) / str(repeat), embedder, intake) for repeat in range(repeats)
        ]
    about = "stand-ins for both networks: the speed says nothing of a real import"
    return _summary(ours, n, processes, threads, weights=about, device="cpu")


def _summary(
    ours: Sequence[_Pass], n: int, processes: int, threads: int, *, weights: str, device: str
) -> IndexBench:
    return IndexBench(
        images=n,
        repeats=len(ours),
        ours_images_per_s=n / statistics.median(one.seconds for one in ours),
        plain_images_per_s=None,
        ratio=None,
        embedding_share=statistics.median(one.embedding_share for one in ours),
        memory=ours[-1].memory,
        indexed=ours[-1].indexed,
        plain_faces=None,
        weights=weights,
        processes=processes,
        threads=threads,
        plain_threads=None,
        device=device,
    )


def _import(paths: Sequence[Path], base: Path, embedder: Embedder, intake: Intake) -> _Pass:
    """Import into an empty gallery."""
    from db.migrations import upgrade
    from db.session import open_engine
    from forensic.cases.actor import command_actor
    from forensic.cases.intake import ImportSource, IntakePolicy
    from forensic.jobs.galleries import catalog
    from forensic.jobs.galleries.starting import import_here
    from forensic.storage import FileStore

    base.mkdir()
    manifest = base / "list.csv"
    rows = [f'"{path.absolute()}",{number}' for number, path in enumerate(paths)]
    manifest.write_text("\n".join(["path,subject_id", *rows]))
    url = f"sqlite:///{base / 'records.db'}"
    upgrade(url)
    engine, actor = open_engine(url), command_actor()
    policy = IntakePolicy(several_faces="heaviest", min_face_px=1, min_sharpness=0)
    made = catalog.create(engine, "bench", embedder=embedder, policy=policy, actor=actor)
    watch, busy_before_s = MemoryWatch(len(paths)), intake.embedding_s
    started = time.perf_counter()
    done = import_here(
        engine,
        made.id,
        ImportSource(kind="manifest", path=manifest, root=Path("/")),
        intake=intake,
        store=FileStore(str(base / "files")),
        folder=base / "galleries",
        actor=actor,
        on_progress=watch,
    )
    seconds = time.perf_counter() - started
    engine.dispose()
    busy = (intake.embedding_s - busy_before_s) / seconds
    return _Pass(seconds, done.job.counts.get("indexed", 0), busy, watch.memory())
