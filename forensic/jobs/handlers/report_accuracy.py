"""What has been measured of searches like one, for the report of a case."""

from __future__ import annotations

from sqlalchemy.orm import Session

from db.models import Gallery, JobState, Search
from db.queries.jobs import list_jobs
from db.queries.rows import PAGE_SIZE_MAX, get_row
from forensic.cases.benchmarks import DIRECT
from forensic.cases.compared import weights_of_best
from forensic.cases.jobs import JobKind
from forensic.reports.case_record import AccuracyFacts
from forensic.reports.tables import interval, percent
from forensic.weights.accuracy import NOT_MEASURED, measured_accuracy
from forensic.weights.fusions import BEST


def accuracy_of(
    session: Session, search: Search, kinds: set[str], n_inputs: int
) -> tuple[list[AccuracyFacts], str]:
    """Return the figures that hold for this search, and what they say or that there are none."""
    kind = kinds.pop() if len(kinds) == 1 else "mixed"
    gallery = get_row(session, Gallery, search.gallery_id)
    size = int((search.extent or {}).get("subjects") or 0)
    what = f"{kind} sketches in a gallery of {size} persons"
    best_of = weights_of_best(search)
    by_best = best_of is not None
    n_compared = len(search.parameters.get("probe_ids", ())) if by_best else n_inputs
    if search.completed_at is None or n_compared != 1:
        return [], f"For this combination of inputs, {what}: {NOT_MEASURED}."
    generators = search.parameters.get("generators") or [DIRECT]
    method = DIRECT if search.parameters.get("compare_sketch") else generators[0]
    method = BEST if by_best else method
    found = _own_figures(session, gallery, method, kind=kind, gallery_size=size)
    if method in (DIRECT, BEST):
        found += [
            AccuracyFacts(**vars(figure))
            for figure in measured_accuracy(
                gallery.embedder,
                gallery.weights_sha256,
                kind=kind,
                gallery_size=size,
                best_of=best_of,
            )
        ]
    if not found:
        return [], f"For {what}: {NOT_MEASURED}."
    return found, (
        f"For {what}; measured in galleries at least as large, with other sketches than those of "
        "this case:"
    )


def _own_figures(
    session: Session, gallery: Gallery, method: str, *, kind: str, gallery_size: int
) -> list[AccuracyFacts]:
    """Return what this service's own benchmarks measured of the same weights and method."""
    figures = []
    for job in list_jobs(session, kind=JobKind.BENCHMARK.value, limit=PAGE_SIZE_MAX).rows:
        told = job.progress.get("summary", {}) if job.state is JobState.SUCCEEDED else {}
        fits = (
            told.get("sketch_kind") == kind
            and told.get("embedder_weights_sha256") == gallery.weights_sha256
            and told.get("gallery", 0) >= gallery_size
            and method in told.get("methods", {})
        )
        if fits:
            rate = told["methods"][method]
            figures.append(
                AccuracyFacts(
                    data=f"benchmark {job.parameters['name']!r} of this service",
                    kind=kind,
                    probes=told["probes"],
                    gallery_size=told["gallery"],
                    rate=f"{percent(rate['rank1'])} (95 % interval {interval(rate['ci95'])})",
                    remark="",
                    command=f"forensic benchmark pairs, job {job.id}",
                )
            )
    return figures
