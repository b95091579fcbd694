"""The phantoms of a demonstration as picture files: gallery, second pictures, sketches."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from forensic.errors import RangeError
from forensic.files import write_json
from forensic.images.io import write_image
from forensic.phantoms import create_person, render_photo
from forensic.phantoms.witness import misremember
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import RGB, Landmarks

STRIDE = 1_000_000
"""Distance between the person seeds of two demonstrations, so that they share nobody."""


@dataclass(frozen=True)
class Population:
    """Where the pictures of a demonstration lie.

    Attributes:
        folder: Holds `gallery` (first pictures), `seen` (second pictures) and one folder of
            sketches per style. `gallery` and `seen` have the sub-folders `sketched` and
            `others`; files of one person have equal names. `landmarks.json` holds the five
            points of the sketches.
        styles: The styles of the sketches.
    """

    folder: Path
    styles: tuple[str, ...]

    @property
    def mates(self) -> Path:
        """First pictures of the persons who were sketched."""
        return self.folder / "gallery" / "sketched"

    @property
    def others(self) -> Path:
        """First pictures of the persons who were not."""
        return self.folder / "gallery" / "others"

    @property
    def landmarks(self) -> Path:
        """The five points of every sketch, as someone would mark them by hand."""
        return self.folder / "landmarks.json"

    def sketches(self, style: str) -> Path:
        """Return the folder of the sketches in one style."""
        return self.folder / "sketches" / style


@dataclass(frozen=True)
class _Job:
    folder: Path
    name: str
    person_seed: int
    styles: tuple[str, ...]  # none for a person who is not sketched


def build_population(
    folder: Path,
    *,
    n_persons: int,
    n_probes: int,
    seed: int,
    styles: Sequence[str],
    on_persons: Callable[[int], None],
    n_processes: int | None = None,
) -> Population:
    """Render every phantom twice, and sketch some from their second picture.

    Args:
        folder: Where the pictures go.
        n_persons: How many phantoms.
        n_probes: How many of them are sketched, spread evenly.
        seed: Draws the phantoms, and their pictures, and the errors of the witnesses.
        styles: Names of `SKETCH_STYLES`.
        on_persons: Told the number of persons done since it was last called.
        n_processes: Renderers at work; by default one per core.

    Raises:
        RangeError: More probes than persons.
        UnknownNameError: No such style.
    """
    if not 1 <= n_probes <= n_persons:
        raise RangeError(f"{n_probes} probes were asked for among {n_persons} persons.")
    for style in styles:
        SKETCH_STYLES[style]
    chosen = {i * n_persons // n_probes for i in range(n_probes)}
    jobs = [
        _Job(folder, f"phantom-{i:04d}", seed * STRIDE + i, tuple(styles) if i in chosen else ())
        for i in range(n_persons)
    ]
    points = {}
    drawn = _drawn(jobs, n_processes or os.cpu_count() or 1)
    for job, found in zip(jobs, drawn, strict=True):
        if found is not None:
            points[f"{job.name}.png"] = {"landmarks": found.tolist()}
        on_persons(1)
    population = Population(folder, tuple(styles))
    write_json(population.landmarks, points)
    return population


def _drawn(jobs: Sequence[_Job], n_processes: int) -> Iterator[Landmarks | None]:
    """Do the jobs, and yield the landmarks of each person's sketches, in order."""
    if n_processes == 1:
        yield from map(_draw, jobs)
        return
    # Spawned, not forked: the parent may hold threads of torch, which do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_processes, mp_context=context) as pool:
        yield from pool.map(_draw, jobs, chunksize=4)


def _draw(job: _Job) -> Landmarks | None:
    group, file = ("sketched" if job.styles else "others"), f"{job.name}.png"
    person = create_person(job.person_seed)
    first, _ = render_photo(person, 2 * job.person_seed)
    second, landmarks = render_photo(person, 2 * job.person_seed + 1)
    write_image(job.folder / "gallery" / group / file, first)
    write_image(job.folder / "seen" / group / file, second)
    if not job.styles:
        return None
    recalled, points = misremember(second, landmarks, seed=job.person_seed)
    for style in job.styles:
        write_image(job.folder / "sketches" / style / file, _sketch(recalled, style))
    return points


def _sketch(photo: RGB, style: str) -> RGB:
    drawn = SKETCH_STYLES[style](photo)
    return drawn if drawn.shape[2] == 3 else drawn.repeat(3, axis=2)
