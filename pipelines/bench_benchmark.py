"""`forensic bench benchmark`: the benchmark's path beside one face at a time, in one run.

Both sides read the same files and use the same networks: detector, embedder, generators. The
plain side is the loop that one writes first: each photo is read and searched for its face once,
and then goes by itself through networks in float32 as they were trained. Ours works by batches,
several of them side by side, with networks laid out for speed, and includes writing the cache
from which a killed run resumes.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensic.errors import InputError

if TYPE_CHECKING:
    from forensic.values import Vectors
    from pipelines.benchmark.batches import Clock
    from pipelines.benchmark.folders import ImageFile
    from pipelines.benchmark.system import System

    Run = Callable[[Sequence[ImageFile]], dict[str, Vectors]]

WARM_UP = 2
LOWEST_AGREEMENT = 0.98
"""Least similarity of the two sides' vectors of one face; below it they did not do the same."""


@dataclass(frozen=True)
class Comparison:
    """What both sides took, and whether they found the same.

    Attributes:
        seconds_batched: Each pass of ours.
        seconds_single: Each pass of one face at a time, taken in turn with ours.
        stages: Milliseconds of work that each stage of ours took per photo in the last pass, summed
            over threads that worked side by side.
        ratio: Median of the latter over median of the former; above 1 ours is faster.
        agreement: Least similarity between the two sides' vectors of one face.
        images: Photos in a pass.
        methods: Kinds of probe made from each photo.
        weights: Which embedder both used.
        threads: Of torch.
        device: Where the networks computed.
    """

    seconds_batched: tuple[float, ...]
    seconds_single: tuple[float, ...]
    stages: Mapping[str, float]
    ratio: float
    agreement: float
    images: int
    methods: tuple[str, ...]
    weights: str
    threads: int
    device: str


@click.command()
@click.option(
    "--lfw", type=click.Path(path_type=Path), help="Folder of photos.  [default: phantoms]"
)
@click.option(
    "--n", "n_images", type=click.IntRange(2), default=64, show_default=True, help="Photos to use."
)
@click.option(
    "--repeats", type=click.IntRange(1), default=3, show_default=True, help="Passes per side."
)
@click.option(
    "--methods",
    default="raw-line,csi-line,raw-pencil-gray,csi-grayscale,raw-pencil-color,csi-color",
    show_default=True,
    help="As for benchmark lfw.",
)
@click.option("--embedder", default="sketchface", show_default=True, help="As for benchmark lfw.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_benchmark(
    lfw: Path | None,
    n_images: int,
    repeats: int,
    methods: str,
    embedder: str,
    device: str,
    as_json: bool,
) -> None:
    """Time `benchmark lfw` from images to vectors, beside one face at a time."""
    from forensic.runtime import provenance

    names = tuple(name.strip() for name in methods.split(","))
    result = compare(
        lfw, n_images=n_images, repeats=repeats, methods=names, embedder=embedder, device=device
    )
    if as_json:
        click.echo(json.dumps({**asdict(result), "provenance": provenance()}, indent=2))
        return
    for name, passes in (
        ("batched", result.seconds_batched), ("one at a time", result.seconds_single)
    ):  # fmt: skip
        middle = statistics.median(passes)
        click.echo(f"{name:14}{middle:8.2f} s, {result.images / middle:6.1f} photos/s")
    click.echo("work of the batched side, ms a photo, summed over threads:")
    for name, ms in result.stages.items():
        click.echo(f"  {name:22}{ms:8.1f}")
    click.echo(
        f"ratio {result.ratio:.2f}; {result.images} photos, {', '.join(result.methods)}; "
        f"{len(result.seconds_single)} passes, {result.threads} threads, {result.device}; "
        f"{result.weights}; least similarity of the two sides {result.agreement:.4f}"
    )


def compare(
    lfw: Path | None,
    *,
    n_images: int,
    repeats: int,
    methods: tuple[str, ...],
    embedder: str,
    device: str,
) -> Comparison:
    """Return the speed of both sides on the same files, passes taken in turn.

    Args:
        lfw: Folder of photos; None renders phantoms.
        n_images: The first so many are used.
        repeats: Timed passes of each side.
        methods: Kinds of probe, as for `forensic benchmark lfw`.
        embedder: As for `forensic benchmark lfw`.
        device: Where the networks compute.

    Raises:
        DataFolderError: The folder cannot be used.
        InputError: A photo shows no usable face, or the two sides differ.
        WeightsError: A generator's weights are missing or damaged.
        UnknownNameError: No such method or embedder.
    """
    import numpy as np
    import torch

    from pipelines.benchmark.plain import as_trained

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        system = _system(methods=methods, embedder=embedder, device=device)
        images = _images(lfw, n_images, folder)
        clocks: list[Clock] = []
        sides = (_batched(system, folder, clocks), _single(as_trained(system, embedder)))
        seconds: tuple[list[float], list[float]] = ([], [])
        vectors: list[dict[str, Vectors]] = [{}, {}]
        for run in sides:
            run(images[:WARM_UP])
        for _ in range(repeats):
            for place, run in enumerate(sides):
                started = time.perf_counter()
                vectors[place] = run(images)
                seconds[place].append(time.perf_counter() - started)
    ours, plain = vectors
    agreement = min(float((ours[key] * plain[key]).sum(axis=1).min()) for key in ours)
    if not np.isfinite(agreement) or agreement < LOWEST_AGREEMENT:
        raise InputError(
            f"The two sides differ: least similarity {agreement:.3f}. Their times say nothing."
        )
    return Comparison(
        seconds_batched=tuple(seconds[0]),
        seconds_single=tuple(seconds[1]),
        stages={
            name: round(1000 * taken / len(images), 2)
            for name, taken in clocks[-1].seconds().items()
        },
        ratio=statistics.median(seconds[1]) / statistics.median(seconds[0]),
        agreement=agreement,
        images=len(images),
        methods=methods,
        weights=f"{system.embedder.name} weights on both sides",
        threads=torch.get_num_threads(),
        device=system.device,
    )


def _batched(system: System, folder: Path, clocks: list[Clock]) -> Run:
    """Return the benchmark's own path, each time with a new cache and a new clock."""
    from pipelines.benchmark.batches import Clock
    from pipelines.benchmark.cache import Cache
    from pipelines.benchmark.enrolment import embed_all, locate_all
    from pipelines.benchmark.folders import Pair, PairsData

    def run(images: Sequence[ImageFile]) -> dict[str, Vectors]:
        data = PairsData([Pair(image.id, image, image) for image in images])
        clocks.append(clock := Clock())
        with Cache(Path(tempfile.mkdtemp(dir=folder))) as cache:
            located = locate_all(data, system, cache, clock=clock)
            enrolled = embed_all(located, system, cache, clock=clock)
        probes = enrolled.sketches["sketch"]
        return {
            "gallery": enrolled.photos["photo"].vectors,
            **{name: embedded.vectors for name, embedded in probes.items()},
        }

    return run


def _single(system: System) -> Run:
    """Return the plain loop: one photo at a time through every network."""
    import numpy as np

    from pipelines.benchmark.locating import read_image

    def run(images: Sequence[ImageFile]) -> dict[str, Vectors]:
        rows: dict[str, list[Vectors]] = {"gallery": [], **{m.name: [] for m in system.methods}}
        for image in images:
            photo = read_image(image)
            (found,) = system.photo_finder.find([photo])
            if isinstance(found, InputError):
                raise InputError(f"{image.name} cannot be used to measure speed: {found}")
            rows["gallery"].append(system.embed_photos([photo], [found.landmarks]))
            for method in system.methods:
                rows[method.name].append(method.probe([photo], [found.landmarks]).vectors)
        return {name: np.concatenate(parts) for name, parts in rows.items()}

    return run


def _system(*, methods: tuple[str, ...], embedder: str, device: str) -> System:
    """Return what `benchmark lfw` would use."""
    from pipelines.benchmark.lfw import create_lfw_system

    return create_lfw_system(methods, embedder=embedder, device=device, environment=os.environ)


def _images(lfw: Path | None, n_images: int, folder: Path) -> list[ImageFile]:
    """Return photos of the user, or phantoms rendered into a folder."""
    from forensic.images.io import list_images, write_image
    from forensic.phantoms import create_person, render_photo
    from pipelines.benchmark.folders import image_file

    if lfw is not None:
        return [image_file(path, lfw) for path in list_images(lfw)[:n_images]]
    photos = folder / "phantoms"
    photos.mkdir()
    for seed in range(n_images):
        write_image(photos / f"p{seed:04d}.png", render_photo(create_person(seed), seed)[0])
    return [image_file(path, photos) for path in list_images(photos)]
