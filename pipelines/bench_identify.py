"""`forensic bench identify`: what each way of comparing adds to the time of a search.

Every way goes the whole path of one search, from decoded sketch to ranked list: finding the face,
making the vector, searching the gallery. Times are of the processor, over all threads, so that
other work on the machine falsifies them little.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from forensic.errors import InputError
from forensic.weights.embedders import DEFAULT

if TYPE_CHECKING:
    from forensic.gallery.index import GalleryIndex
    from forensic.values import RGB

BASE = "csi-line"
"""Inversion alone: what the other ways are set beside."""

MOST = 1.3
"""How many times the base a search by `best` may take."""


@dataclass(frozen=True)
class Times:
    """Processor time of searches by one method.

    Attributes:
        median_ms: Of a search, over sketches and passes.
        quartiles_ms: First and third quartile.
        ratio: Median over the base's.
    """

    median_ms: float
    quartiles_ms: tuple[float, float]
    ratio: float


@click.command()
@click.option("--methods", default=f"none,{BASE},adapter,best", show_default=True)
@click.option("--n", "n_sketches", type=click.IntRange(1), default=8, show_default=True)
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True)
@click.option("--rows", type=click.IntRange(50), default=10_000, show_default=True, help="Gallery.")
@click.option("--embedder", default=DEFAULT, show_default=True, help="Name or TOML.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_identify(
    methods: str,
    n_sketches: int,
    repeats: int,
    rows: int,
    embedder: str,
    device: str,
    as_json: bool,
) -> None:
    """Measure searches of a gallery of random vectors by drawings of people who do not exist."""
    from forensic.images.io import decode_image
    from forensic.runtime import provenance
    from pipelines.service.site import draw_sketches

    sketches = [decode_image(data, name="sketch") for data in draw_sketches(n_sketches)]
    names = [name.strip() for name in methods.split(",")]
    found = measure(sketches, names, repeats=repeats, rows=rows, embedder=embedder, device=device)
    if as_json:
        told = {name: asdict(times) for name, times in found.items()}
        click.echo(json.dumps({"methods": told, "provenance": provenance()}, indent=2))
        return
    for name, times in found.items():
        low, high = times.quartiles_ms
        click.echo(
            f"{name:14}{times.median_ms:8.1f} ms of processor time  (quartiles {low:.1f} to "
            f"{high:.1f}), {times.ratio:.2f} of {BASE}"
        )
    if "best" in found:
        kept = "kept" if found["best"].ratio <= MOST else "missed"
        click.echo(f"Aim, best in at most {MOST:.2f} of {BASE}: {kept}.")


def measure(
    sketches: Sequence[RGB],
    methods: Sequence[str],
    *,
    repeats: int,
    rows: int,
    embedder: str,
    device: str,
) -> dict[str, Times]:
    """Return the time of a search by each method, passes taken in turn.

    Args:
        sketches: Each (H, W, 3) uint8 with one face.
        methods: Names of methods, `BASE` among them.
        repeats: Timed passes over all sketches.
        rows: Size of the gallery.
        embedder: Name or TOML file.
        device: Where everything computes.

    Raises:
        InputError: `BASE` is missing, or a sketch shows no face.
        WeightsError: Weights are missing or damaged.
    """
    from forensic.embedders.registry import create_embedder
    from forensic.faces.detect import FaceDetector
    from forensic.faces.search import find_face
    from forensic.identification.identifier import Identifier
    from forensic.identification.methods import create_method
    from forensic.runtime import choose_device
    from forensic.weights.store import choose_weights_folder

    if BASE not in methods:
        raise InputError(f"--methods must name {BASE}: the others are set beside it.")
    chosen, weights = choose_device(device), choose_weights_folder(os.environ)
    judge = create_embedder(embedder, device=chosen, weights=weights)
    index = _random_gallery(rows, judge.dimension, judge.name, judge.weights_sha256, str(chosen))
    detector = FaceDetector(str(chosen))
    searchers = {
        name: Identifier(
            method=create_method(name, embedder=judge, device=chosen, weights=weights), index=index
        )
        for name in methods
    }
    spent: dict[str, list[float]] = {name: [] for name in methods}
    for turn in range(repeats + 1):
        for sketch in sketches:
            for name, identifier in searchers.items():
                started = time.process_time()
                face = find_face(sketch, detector, kind="sketch")
                identifier.identify(sketch, landmarks=face.landmarks)
                if turn:  # the first pass warms up
                    spent[name].append((time.process_time() - started) * 1000)
    base = statistics.median(spent[BASE])
    return {name: _times(values, base) for name, values in spent.items()}


def _random_gallery(
    rows: int, dimension: int, embedder: str, weights_sha256: str, device: str
) -> GalleryIndex:
    import numpy as np

    from forensic.embedders.embedder import unit_rows
    from forensic.gallery.index import GalleryIndex

    names = [f"{number}.png" for number in range(rows)]
    return GalleryIndex.build(
        unit_rows(np.random.default_rng(0).standard_normal((rows, dimension))),
        photo_ids=names,
        subject_ids=names,
        embedder_name=embedder,
        weights_sha256=weights_sha256,
        device=device,
    )


def _times(values: Sequence[float], base: float) -> Times:
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
    middle = statistics.median(ordered)
    return Times(middle, (low, high), middle / base)
