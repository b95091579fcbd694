"""The demonstration itself: render, sketch, invert, search, count, and write the page.

Figures come from the very code behind `forensic benchmark pairs`, once for every style.
"""

from __future__ import annotations

import shlex
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from forensic.cli.progress import show_progress
from forensic.files import atomic_write, write_json
from forensic.gallery.index import GalleryIndex
from forensic.generators.registry import GENERATORS
from forensic.identification.identifier import Identifier
from forensic.identification.probes import Method
from forensic.images.io import load_image
from forensic.reports.demo import ABOUT, Case, Experiment, render_demo_page, summary_text
from forensic.sketches.registry import SKETCH_STYLES
from forensic.values import LEAD_ONLY
from forensic.weights.bundle import read_bundle_metadata
from forensic.weights.store import choose_weights_folder, find_weights
from pipelines.benchmark.experiment import Outcome, run_pairs
from pipelines.benchmark.folders import read_data
from pipelines.benchmark.locating import Located, read_image
from pipelines.benchmark.output import REPORT, whole_folder
from pipelines.benchmark.system import System, create_system
from pipelines.demo.population import Population, build_population

PAGE = "demo.html"
SHOWN_CASES = 4
SHOWN_CANDIDATES = 5
REFERENCE = "second photo"
"""The experiment without a sketch: how well the second picture itself finds its person."""


@dataclass(frozen=True)
class DemoOptions:
    """What the user asks for; see `forensic demo --help`."""

    n_persons: int
    n_probes: int
    seed: int
    embedder: str
    device: str
    n_processes: int | None = None  # renderers; by default one per core

    def command(self) -> list[str]:
        """Return the command that gives these figures."""
        words = ["forensic", "demo", "--persons", str(self.n_persons)]
        words += ["--probes", str(self.n_probes), "--seed", str(self.seed)]
        words += ["--embedder", self.embedder, "--device", self.device]
        return [shlex.quote(word) for word in words]


def run_demo(options: DemoOptions, *, out: Path, environment: Mapping[str, str]) -> str:
    """Run the demonstration with the bundled generators, and return what to tell the user.

    Raises:
        ForensicError: Anything that the user can mend; nothing is left in `out` then.
    """
    styles = trained_styles()
    system = create_system(
        embedder=options.embedder,
        methods=["none", *styles.values()],
        device=options.device,
        weights=choose_weights_folder(environment),
    )
    return demonstrate(options, system=system, styles=styles, out=out)


def trained_styles() -> dict[str, str]:
    """Return each sketch style that a bundled generator was trained on, with its name.

    Generators of people's drawings are left out: nobody draws the persons of the demonstration. Of
    several for one style that of the paper is taken, whose name the others begin with.

    Raises:
        WeightsError: Weights are missing or damaged.
    """
    styles: dict[str, str] = {}
    for name in sorted(GENERATORS):
        style = read_bundle_metadata(find_weights(name))["style"]
        if style in SKETCH_STYLES:
            styles.setdefault(style, name)
    return styles


def demonstrate(
    options: DemoOptions, *, system: System, styles: Mapping[str, str], out: Path
) -> str:
    """Run the demonstration with a given system.

    Args:
        options: Sizes and seed.
        system: With the methods `none` and all those of `styles`.
        styles: Sketch style to the method that inverts it.
        out: Folder that gets the page and `report.json`.

    Raises:
        ForensicError: Anything that the user can mend; nothing is left in `out` then.
    """
    started = time.monotonic()
    with whole_folder(out) as unfinished, tempfile.TemporaryDirectory() as scratch:
        population = _render(options, tuple(styles), Path(scratch))
        experiments = [_reference(population, system, options)]
        for style, generator in styles.items():
            experiments.append(_experiment(population, system, options, style, generator))
        seconds = time.monotonic() - started
        page = render_demo_page(experiments, command=" ".join(options.command()), seconds=seconds)
        with atomic_write(unfinished / PAGE, "w") as file:
            file.write(page)
        records = {e.sketch_style: e.report.model_dump(mode="json") for e in experiments}
        write_json(
            unfinished / REPORT, {"notice": LEAD_ONLY, "about": ABOUT, "experiments": records}
        )
    return f"{summary_text(experiments)}\n{ABOUT}\n{LEAD_ONLY}\n{out / PAGE}"


def _render(options: DemoOptions, styles: tuple[str, ...], folder: Path) -> Population:
    with show_progress("Rendering phantoms", options.n_persons) as tell:
        return build_population(
            folder,
            n_persons=options.n_persons,
            n_probes=options.n_probes,
            seed=options.seed,
            styles=styles,
            on_persons=tell,
            n_processes=options.n_processes,
        )


def _reference(population: Population, system: System, options: DemoOptions) -> Experiment:
    data = read_data(population.folder / "gallery", population.folder / "seen", are_drawings=False)
    outcome = run_pairs(
        data,
        replace(system, methods=_methods(system, "none"), sketch_finder=system.photo_finder),
        cache_folder=population.folder / "cache",
        sketch_kind="unknown",
        command=options.command(),
    )
    return Experiment(REFERENCE, outcome.report, ())


def _experiment(
    population: Population, system: System, options: DemoOptions, style: str, generator: str
) -> Experiment:
    others = [population.others] if population.others.is_dir() else []
    outcome = run_pairs(
        read_data(
            population.mates,
            population.sketches(style),
            distractors=others,
            landmarks=population.landmarks,
        ),
        replace(system, methods=_methods(system, "none", generator)),
        cache_folder=population.folder / "cache",
        sketch_kind="unknown",
        command=options.command(),
    )
    (method,) = _methods(system, generator)
    return Experiment(style, outcome.report, _cases(outcome, population, method))


def _methods(system: System, *names: str) -> tuple[Method, ...]:
    return tuple(method for method in system.methods if method.name in names)


def _cases(outcome: Outcome, population: Population, method: Method) -> tuple[Case, ...]:
    """Return the first few searches of a method with their pictures."""
    gallery = outcome.gallery
    index = GalleryIndex.build(
        gallery.vectors,
        photo_ids=gallery.names,
        subject_ids=[_person(name) for name in gallery.names],
        embedder_name=method.embedder.name,
        weights_sha256=method.embedder.weights_sha256,
    )
    identifier = Identifier(method=method, index=index)
    usable = [item for item in outcome.sketches if item.found is not None]
    ranks = outcome.report.methods[method.name].ranks
    return tuple(
        _case(item, identifier, population, ranks[_person(item.image.name)])
        for item in usable[:SHOWN_CASES]
    )


def _case(item: Located, identifier: Identifier, population: Population, rank: int | None) -> Case:
    sketch = read_image(item.image)
    if item.found is None:
        raise ValueError("Only sketches with landmarks can be shown.")
    ranked = identifier.identify(sketch, landmarks=item.found.landmarks, k=SHOWN_CANDIDATES)
    paths = {_person(p.name): p for p in (population.folder / "gallery").rglob("*.png")}
    return Case(
        person=_person(item.image.name),
        seen=load_image(population.folder / "seen" / "sketched" / item.image.name),
        sketch=sketch,
        ranked=ranked,
        photos=[load_image(paths[c.subject_id]) for c in ranked.candidates],
        rank=rank,
    )


def _person(name: str) -> str:
    return Path(name).stem
