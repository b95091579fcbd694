"""`forensic benchmark heldout`: figures of held-out people of every set, and the card's tables."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensic.files import read_json, sha256_of_file, write_json
from forensic.reports.record import BenchmarkReport, ComparisonRecord, MethodRecord, load_report
from forensic.reports.tables import interval, p_value, percent
from forensic.training.history import History
from forensic.training.loop import HISTORY
from forensic.weights.accuracy import EMBEDDED_BY
from pipelines.benchmark.output import REPORT
from pipelines.benchmark.pairs import PairsOptions, benchmark_pairs
from pipelines.heldout import arrange_heldout

TABLES = "results.json"
NEW_PEOPLE = "people new; set and artists seen"
NEW_SET = "set and artists new"


@dataclass(frozen=True)
class HeldoutOptions:
    """What the user asks for; see `forensic benchmark heldout --help`."""

    data: Path
    sources: Mapping[str, Path]
    part: str
    unseen: tuple[str, ...]
    distractors: tuple[Path, ...]
    methods: tuple[str, ...]
    embedder: str
    device: str
    run: Path | None = None
    seen: tuple[Path, ...] = ()


def benchmark_heldout(
    options: HeldoutOptions, *, out: Path, cache: Path | None, environment: Mapping[str, str]
) -> str:
    """Run `pairs` for every source, write all reports and one file of tables; return a summary.

    Raises:
        ForensicError: Anything that the user can mend.
    """
    people = out / "people"
    arrange_heldout(options.data, options.sources, people, part=options.part, seen=options.seen)
    tables: dict[str, Any] = {"Training": training_facts(options.run)} if options.run else {}
    lines = []
    for source in options.sources:
        pairs = _pairs_options(options, out / "people" / source)
        lines.append(f"{source}:")
        lines.append(benchmark_pairs(pairs, out=out / source, cache=cache, environment=environment))
        report = load_report(out / source / REPORT)
        news = NEW_SET if source in options.unseen else NEW_PEOPLE
        tables[title_of(source, report, news)] = rows_of(report, pairs.command())
    write_json(out / TABLES, tables)
    return "\n".join([*lines, str(out / TABLES)])


def title_of(source: str, report: BenchmarkReport, news: str) -> str:
    """Return what a table is about: set, probes, gallery, and who is new."""
    return (
        f"Sketch to photo, rank 1. {source}, {report.sketch_kind} sketches of held-out people: "
        f"{report.probes} probes in a gallery of {report.gallery}; {news}"
    )


def rows_of(report: BenchmarkReport, command: list[str]) -> dict[str, str]:
    """Return every method's rate with its interval, and each comparison with `best`."""
    rows = {"Command": " ".join(shlex.quote(Path(word).name or word) for word in command)}
    rows[EMBEDDED_BY] = f"{report.embedder.name} ({report.embedder.weights_sha256[:12]}…)"
    rows |= {name: rate_with_counts(method) for name, method in report.methods.items()}
    for found in report.comparisons:
        if "best" in (found.a, found.b):
            rows[f"{found.a} beside {found.b}"] = _beside(found)
    return rows


def training_facts(run: Path) -> dict[str, str]:
    """Return what a card says of a training: data, seed, length, device, learning curve.

    Raises:
        OSError: The run folder holds no finished export.
    """
    record: dict[str, Any] = read_json(next(iter(sorted(run.glob("adapter*.json")))))
    recipe, progress, made_by = record["recipe"], record["progress"], record["provenance"]
    steps = [line for line in History(run / HISTORY).read() if line["kind"] == "validation"]
    return {
        "Recipe": f"{recipe['name']}, seed {recipe['schedule']['seed']}",
        "Embedder": str(recipe["options"]["embedder"]).rpartition("/")[2],
        "Left out of training": ", ".join(recipe["data"]["options"].get("without", [])) or "no set",
        "Images seen": f"{progress['images_seen']:,}",
        "Hours": f"{progress['elapsed_s'] / 3600:.2f} on {made_by['machine']}",
        "Published weights": f"moving average at the best validation, {progress['best_score']:.3f} "
        "of held-out drawings at rank 1 among all photos of training and of held-out people",
        "Learning curve (validation rank 1 by images seen)": ", ".join(
            f"{line['images'] // 1000}k {100 * line['rank1']:.1f} %" for line in steps
        ),
        "Data": ", ".join(f"{name} {sha[:12]}…" for name, sha in record["data"].items()),
        "Weights": f"SHA-256 {sha256_of_file(run / record['weights'])}",
    }


def _pairs_options(options: HeldoutOptions, folder: Path) -> PairsOptions:
    return PairsOptions(
        photos=folder / "photos",
        sketches=folder / "sketches",
        distractors=options.distractors,
        methods=options.methods,
        embedder=options.embedder,
        device=options.device,
        sketch_kind="viewed",
        aligned=None,
        landmarks=None,
        show_faces=False,
        allow_many=True,
    )


def rate_with_counts(method: MethodRecord) -> str:
    """Return the rate at rank 1 with its counts and interval, rank 10, and failures."""
    first = method.rank1
    return (
        f"{percent(method.cms['1'])} ({first.successes} of {first.trials}, 95 % interval "
        f"{interval(first.ci95)}), rank 10: {percent(method.cms['10'])}; no face: "
        f"{method.failures_to_enrol}"
    )


def _beside(found: ComparisonRecord) -> str:
    return (
        f"only the first {found.only_a}, only the second {found.only_b}; McNemar exact p "
        f"{p_value(found.mcnemar_p)}, after Holm {p_value(found.holm_p)}"
    )
