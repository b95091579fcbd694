"""Running one search: renditions, embedding, fusion, the gallery, and the ranked list."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

import forensic
from db.models import Gallery, Job, Search, SearchInput
from db.queries.jobs import end_job
from db.queries.rows import get_row
from db.queries.searches import Outcome, RankedPhoto
from forensic.cases import files, renditions, searches
from forensic.errors import RecordConflict
from forensic.identification.enrol import embed_faces
from forensic.jobs.fusion import fuse
from forensic.jobs.galleries.hold import Hold
from forensic.jobs.galleries.searching import Found
from forensic.jobs.handlers.compared import Compared, Run, Stopwatch, gather
from forensic.jobs.handlers.parts import Parts, embed_parts
from forensic.jobs.tasks import Workshop, asker_of
from forensic.values import Vectors
from forensic.weights.fusions import BEST

_TRIES = 3
"""How often a search is repeated where a photo of its list was taken out at the last moment."""


def run_search(shop: Workshop, hold: Hold, job: Job) -> None:
    """Run a search and keep its list, together with the end of its job.

    Raises:
        GalleryError: The gallery is empty, not published, or of another embedder.
        WeightsError: Weights are missing or damaged.
        InputError: A sketch or its landmarks cannot be used.
        StorageError: A file cannot be read or kept.
        JobError: The job is not ours any more.
        RecordConflict: Photos were taken out again and again while the list was being made.
    """
    search_id = uuid.UUID(job.parameters["search_id"])
    search = hold.read(lambda session: get_row(session, Search, search_id))
    gallery = hold.read(lambda session: get_row(session, Gallery, search.gallery_id))
    embedder = shop.models.embedder(gallery.embedder, weights_sha256=gallery.weights_sha256)
    run = Run(shop, hold, job, search, embedder, Stopwatch())
    compared = gather(run)
    with run.watch.stage("embed"):
        vectors = embed_faces(embedder, compared.images, compared.landmarks)
    parts = embed_parts(run, compared, vectors) if search.parameters["fusion"] == BEST else None
    for tries_left in range(_TRIES - 1, -1, -1):
        found, facts = _look(run, vectors, parts)
        try:
            _keep(run, compared, found, parts, facts)
            return
        except RecordConflict:
            if not tries_left:
                raise


def _look(run: Run, vectors: Vectors, parts: Parts | None) -> tuple[Found, dict[str, Any]]:
    """Fuse the inputs and search the gallery; return the list and what each input counted."""
    searcher, gallery_id = run.shop.searcher, run.search.gallery_id
    weights_sha256 = run.embedder.weights_sha256
    wanted = searches.filters_of(run.search.parameters)
    with run.watch.stage("fuse"):
        if parts is not None:
            query, facts = parts.query(), {"weights_of_parts": dict(parts.weights)}
        else:
            query, weights = fuse(
                vectors,
                run.search.parameters["fusion"],
                spread=lambda: searcher.similarity_spread(
                    gallery_id, vectors, weights_sha256=weights_sha256, wanted=wanted
                ),
            )
            facts = {"weights_of_inputs": weights.round(6).tolist()}
    with run.watch.stage("search"):
        found = searcher.search(
            gallery_id,
            query,
            run.search.list_length,
            weights_sha256=weights_sha256,
            wanted=wanted,
        )
    return found, facts


def _ranked(run: Run, found: Found, parts: Parts | None) -> list[RankedPhoto]:
    """Return the list with what each part adds to it, down to the threshold asked for."""
    hits, least = found.lists[0], run.search.threshold
    added = parts.contributions(found.vectors[0]) if parts is not None else [None] * len(hits)
    return [
        RankedPhoto(hit.photo_id, hit.similarity, told)
        for hit, told in zip(hits, added, strict=True)
        if least is None or hit.similarity >= least
    ]


def _keep(
    run: Run, compared: Compared, found: Found, parts: Parts | None, facts: dict[str, Any]
) -> None:
    """Keep the list and end the job, both or neither."""
    outcome = _outcome(run, compared, found)
    ranked = _ranked(run, found, parts)

    def keep(session: Session) -> None:
        end_job(session, run.job.id, run.shop.worker)  # first: refused if no longer ours
        actor = asker_of(run.job)
        for row in compared.made:
            files.check_kept(session, run.shop.store, row.output_sha256)
        made = [renditions.record_made(session, actor, row) for row in compared.made]
        searches.record_outcome(
            session,
            actor,
            run.search.id,
            outcome=outcome,
            ranked=ranked,
            made=[
                SearchInput(
                    probe_id=row.probe_id,
                    landmark_version_id=row.landmark_version_id,
                    rendition_id=row.id,
                )
                for row in made
            ],
            facts={"extent": outcome.extent, **facts},
        )

    run.hold.write(keep)


def _outcome(run: Run, compared: Compared, found: Found) -> Outcome:
    return Outcome(
        index_generation_id=found.generation_id,
        gallery_size=found.gallery_size,
        extent={
            "photos": found.n_searched,
            "subjects": found.n_subjects,
            "generation": found.generation_number,
            "is_current": found.is_current,
        },
        model_hashes={
            f"embedder {run.embedder.name}": run.embedder.weights_sha256,
            **compared.hashes,
        },
        device=found.device,
        is_exact=found.is_exact,
        measured_recall=found.measured_recall,
        timings_ms={stage: round(ms, 3) for stage, ms in run.watch.timings_ms.items()},
        software_version=forensic.__version__,
    )
