"""`forensic benchmark pairs`: from two folders whose files share stems to a report."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensic.errors import InputError
from forensic.files import write_json
from forensic.reports.benchmark import write_pages
from forensic.reports.conclusions import summary_text
from forensic.weights.store import choose_weights_folder
from pipelines.benchmark.cache import default_cache_folder
from pipelines.benchmark.cases import case_pictures
from pipelines.benchmark.experiment import FPIRS, Extras, run_pairs
from pipelines.benchmark.folders import read_data
from pipelines.benchmark.labels import read_labels
from pipelines.benchmark.likelihood import check_calibration
from pipelines.benchmark.output import REPORT, whole_folder
from pipelines.benchmark.quality import PaperMeans
from pipelines.benchmark.scoring import Published
from pipelines.benchmark.stored import load_stored
from pipelines.benchmark.system import create_system


@dataclass(frozen=True)
class PairsOptions:
    """What the user asks for; see `forensic benchmark pairs --help`."""

    photos: Path
    sketches: Path
    distractors: tuple[Path, ...]
    methods: tuple[str, ...]
    embedder: str
    device: str
    sketch_kind: str
    aligned: str | None
    landmarks: Path | None
    show_faces: bool
    allow_many: bool
    nonmated: Path | None = None
    fpirs: tuple[float, ...] = FPIRS
    cohorts: Path | None = None
    calibrate: tuple[Path, Path] | None = None
    gallery_index: Path | None = None
    same_hand: Path | None = None
    published: Mapping[str, Published] = field(default_factory=dict)
    published_means: PaperMeans = field(default_factory=dict)

    def subject(self) -> str:
        """Return whose sketches and photos these are, as far as folders tell."""
        others = [_tail(folder) for folder in self.distractors]
        if self.gallery_index:
            others.append(f"the index {self.gallery_index.name}")
        known = f"Sketches in {_tail(self.sketches)}, photos in {_tail(self.photos)}"
        known += f"; other people in {', '.join(others)}" if others else ""
        return known + (f"; the hand known from {_tail(self.same_hand)}" if self.same_hand else "")

    def command(self) -> list[str]:
        """Return the command that gives these figures; --out and --cache do not matter to them."""
        words = ["forensic", "benchmark", "pairs"]
        words += ["--photos", str(self.photos), "--sketches", str(self.sketches)]
        for folder in self.distractors:
            words += ["--distractors", str(folder)]
        words += ["--methods", ",".join(self.methods), "--embedder", self.embedder]
        words += ["--device", self.device, "--kind", self.sketch_kind]
        words += ["--aligned", self.aligned] if self.aligned else []
        words += ["--landmarks", str(self.landmarks)] if self.landmarks else []
        words += ["--allow-many"] if self.allow_many else []
        words += ["--non-mated", str(self.nonmated)] if self.nonmated else []
        words += ["--fpir", ",".join(map(str, self.fpirs))] if self.nonmated else []
        words += ["--cohorts", str(self.cohorts)] if self.cohorts else []
        words += ["--calibrate", *map(str, self.calibrate)] if self.calibrate else []
        words += ["--gallery-index", str(self.gallery_index)] if self.gallery_index else []
        words += ["--same-hand", str(self.same_hand)] if self.same_hand else []
        return words + ([] if self.show_faces else ["--no-faces"])


def benchmark_pairs(
    options: PairsOptions, *, out: Path, cache: Path | None, environment: Mapping[str, str]
) -> str:
    """Run the benchmark, write its folder, and return what to tell the user.

    Raises:
        ForensicError: Anything that the user can mend; nothing is left in `out` then.
    """
    if options.cohorts and not options.nonmated:
        raise InputError(
            "--cohorts needs --non-mated: the threshold for all cohorts comes from false alarms."
        )
    with whole_folder(out) as unfinished:
        data = read_data(
            options.photos,
            options.sketches,
            distractors=options.distractors,
            landmarks=options.landmarks,
            nonmated=options.nonmated,
            calibration=options.calibrate,
        )
        labels = read_labels(options.cohorts, data) if options.cohorts else {}
        check_calibration(data, options.sketch_kind)
        system = create_system(
            embedder=options.embedder,
            methods=options.methods,
            device=options.device,
            aligned=options.aligned,
            weights=choose_weights_folder(environment),
            allow_many=options.allow_many,
            same_hand=options.same_hand,
        )
        outcome = run_pairs(
            data,
            system,
            cache_folder=cache or default_cache_folder(environment),
            sketch_kind=options.sketch_kind,
            command=[shlex.quote(word) for word in options.command()],
            published=options.published,
            extras=Extras(
                subject=options.subject(),
                published_means=options.published_means,
                fpirs=options.fpirs,
                labels=labels,
                stored=load_stored(options.gallery_index, system.embedder)
                if options.gallery_index
                else None,
            ),
        )
        pictures = case_pictures(outcome, system) if options.show_faces else []
        write_pages(outcome.report, pictures, unfinished)
        write_json(unfinished / REPORT, outcome.report.model_dump(mode="json"))
    return f"{summary_text(outcome.report)}\n{out / 'report.html'}"


def _tail(folder: Path) -> str:
    """Return the end of a folder's path, which tells sub-sets apart without naming a machine."""
    return "/".join(folder.parts[-3:]).lstrip("/")
