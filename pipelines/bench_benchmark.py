"""`forensic bench benchmark`: the benchmark's path beside one face at a time, in one run.

Both sides read the same files and use the same networks: detector, embedder, generators. The
plain side takes each photo by itself through all of them. Ours works by batches, and includes
writing the cache from which a killed run resumes.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensic.errors import InputError, MissingWeights

if TYPE_CHECKING:
    from forensic.values import Vectors
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
    "--methods", default="raw-line,csi-line", show_default=True, help="As for benchmark lfw."
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

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        system, weights = _system(folder, methods=methods, embedder=embedder, device=device)
        images = _images(lfw, n_images, folder)
        sides = (_batched(system, folder), _single(system))
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
        ratio=statistics.median(seconds[1]) / statistics.median(seconds[0]),
        agreement=agreement,
        images=len(images),
        methods=methods,
        weights=weights,
        threads=torch.get_num_threads(),
        device=system.device,
    )


def _batched(system: System, folder: Path) -> Run:
    """Return the benchmark's own path, each time with a new cache."""
    from pipelines.benchmark.cache import Cache
    from pipelines.benchmark.enrolment import embed_all, locate_all
    from pipelines.benchmark.folders import Pair, PairsData

    def run(images: Sequence[ImageFile]) -> dict[str, Vectors]:
        data = PairsData([Pair(image.id, image, image) for image in images])
        with Cache(Path(tempfile.mkdtemp(dir=folder))) as cache:
            enrolled = embed_all(locate_all(data, system, cache), system, cache)
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


def _system(
    folder: Path, *, methods: tuple[str, ...], embedder: str, device: str
) -> tuple[System, str]:
    """Return what `benchmark lfw` would use; an embedder not yet trained gets random weights."""
    from pipelines.benchmark.lfw import create_lfw_system

    try:
        system = create_lfw_system(
            methods, embedder=embedder, device=device, environment=os.environ
        )
    except MissingWeights:
        if embedder != "sketchface":
            raise
        path = f"sketchface:{_random_sketchface(folder)}"
        system = create_lfw_system(methods, embedder=path, device=device, environment=os.environ)
        return system, "random sketchface weights on both sides (same cost as trained ones)"
    return system, f"{system.embedder.name} weights on both sides"


def _random_sketchface(folder: Path) -> Path:
    import torch

    from forensic.embedders.sketchface import SketchFace
    from forensic.weights.bundle import save_bundle

    torch.manual_seed(0)
    network = SketchFace()
    path = folder / "random.safetensors"
    save_bundle(path, network.state_dict(), network.config, {"recipe": "random"})
    return path


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
