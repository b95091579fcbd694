"""`forensic bench index`: photos imported per second, beside a plain facenet-pytorch loop.

Ours is the whole import: decoding and detection in processes, embedding, records in SQLite, photos
in the file store, and the published index. The plain side is the loop of facenet-pytorch's own
examples, one image at a time, which only computes the vectors. Both use the same networks.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import click

from pipelines.bench_pipeline import WARM_UP, plain_loop, weights_file


@dataclass(frozen=True)
class IndexBench:
    """Both sides, and under which conditions they were measured.

    Attributes:
        images: Photos imported in each pass.
        repeats: Timed passes of each side.
        ours_images_per_s: Median over the repeats.
        plain_images_per_s: Median over the repeats.
        ratio: Ours over plain; higher is better.
        embedding_share: Median share of the import's working time that the embedder was busy.
        indexed: Photos of the last pass that were indexed.
        plain_faces: Photos of the last pass in which the plain side found a face.
        weights: Which weights both sides used.
        processes: That found faces on our side.
        threads: Of torch in the main process.
        device: Where the networks compute.
    """

    images: int
    repeats: int
    ours_images_per_s: float
    plain_images_per_s: float
    ratio: float
    embedding_share: float
    indexed: int
    plain_faces: int
    weights: str
    processes: int
    threads: int
    device: str


@click.command()
@click.option(
    "--photos", type=click.Path(path_type=Path), required=True, help="Folder of photos of faces."
)
@click.option(
    "--n", "n_images", type=click.IntRange(1), default=500, show_default=True, help="Photos to use."
)
@click.option(
    "--repeats", type=click.IntRange(1), default=3, show_default=True, help="Timed passes per side."
)
@click.option("--processes", type=click.IntRange(0), help="That find faces; one a core by default.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_index(
    photos: Path, n_images: int, repeats: int, processes: int | None, device: str, as_json: bool
) -> None:
    """Measure the import of PHOTOS into an empty gallery, in images per second."""
    from forensic.images.io import list_images
    from forensic.runtime import choose_device, provenance

    result = measure(
        list(islice(list_images(photos), n_images)),
        repeats=repeats,
        processes=len(os.sched_getaffinity(0)) if processes is None else processes,
        device=str(choose_device(device)),
    )
    if as_json:
        click.echo(json.dumps({**asdict(result), "provenance": provenance()}, indent=2))
        return
    click.echo(f"ours   {result.ours_images_per_s:8.1f} images/s, {result.indexed} indexed")
    click.echo(f"plain  {result.plain_images_per_s:8.1f} images/s, {result.plain_faces} faces")
    click.echo(
        f"ratio {result.ratio:.2f}; embedder busy {result.embedding_share:.0%} of the time; "
        f"{result.images} images, {result.repeats} repeats, {result.processes} processes, "
        f"{result.threads} threads, {result.device}; {result.weights}"
    )


def measure(paths: Sequence[Path], *, repeats: int, processes: int, device: str) -> IndexBench:
    """Return the speed of both sides on the same files, passes taken in turn.

    Args:
        paths: Photos.
        repeats: Timed passes of each side.
        processes: That find faces on our side; 0 for a thread.
        device: Where the networks compute.

    Raises:
        InputError: A photo cannot be used by the plain side.
    """
    import torch

    ours_s, plain_s, shares = [], [], []
    with tempfile.TemporaryDirectory(prefix="forensic-bench-") as name:
        folder = Path(name)
        weights, about = weights_file(folder)
        plain = plain_loop(weights, device)
        plain(paths[:WARM_UP])
        _import(paths[:WARM_UP], weights, folder / "warm", processes, device)
        for repeat in range(repeats):
            seconds, indexed, share = _import(
                paths, weights, folder / str(repeat), processes, device
            )
            ours_s.append(seconds)
            shares.append(share)
            started = time.perf_counter()
            faces = plain(paths)
            plain_s.append(time.perf_counter() - started)
    ours, other = (len(paths) / statistics.median(s) for s in (ours_s, plain_s))
    return IndexBench(
        images=len(paths),
        repeats=repeats,
        ours_images_per_s=ours,
        plain_images_per_s=other,
        ratio=ours / other,
        embedding_share=statistics.median(shares),
        indexed=indexed,
        plain_faces=faces,
        weights=about,
        processes=processes,
        threads=torch.get_num_threads(),
        device=device,
    )


def _import(
    paths: Sequence[Path], weights: Path, base: Path, processes: int, device: str
) -> tuple[float, int, float]:
    """Import into an empty gallery; return seconds, photos indexed, and the embedder's share."""
    import torch

    from db.migrations import upgrade
    from db.session import open_engine
    from forensic.cases.actor import command_actor
    from forensic.cases.intake import ImportSource, IntakePolicy
    from forensic.embedders.facenet import FaceNetEmbedder
    from forensic.jobs.galleries import catalog
    from forensic.jobs.galleries.intake import LocalIntake
    from forensic.jobs.galleries.starting import import_here
    from forensic.storage import FileStore

    base.mkdir()
    manifest = base / "list.csv"
    rows = [f'"{path.absolute()}",{number}' for number, path in enumerate(paths)]
    manifest.write_text("\n".join(["path,subject_id", *rows]))
    url = f"sqlite:///{base / 'records.db'}"
    upgrade(url)
    engine, actor = open_engine(url), command_actor()
    embedder = FaceNetEmbedder(weights_path=weights, device=torch.device(device))
    policy = IntakePolicy(several_faces="heaviest", min_face_px=1, min_sharpness=0)
    made = catalog.create(engine, "bench", embedder=embedder, policy=policy, actor=actor)
    intake = LocalIntake.of_device(embedder, device="cpu", processes=processes)
    started = time.perf_counter()
    done = import_here(
        engine,
        made.id,
        ImportSource(kind="manifest", path=manifest, root=Path("/")),
        intake=intake,
        store=FileStore(str(base / "files")),
        folder=base / "galleries",
        actor=actor,
    )
    seconds = time.perf_counter() - started
    engine.dispose()
    return seconds, done.job.counts.get("indexed", 0), intake.embedding_s / seconds
