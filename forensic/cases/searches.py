"""Searches: asking for one, and keeping what it found. Nothing here computes: the worker does."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from db.base import new_id
from db.models import (
    Candidate,
    Gallery,
    Job,
    Search,
    SearchInput,
)
from db.queries import searches as search_rows
from db.queries.rows import Page, get_row
from db.queries.searches import Outcome, RankedPhoto
from db.queries.subjects import SubjectFilter
from forensic.cases import access, audit, jobs
from forensic.cases.actor import Actor
from forensic.cases.compared import (
    check_left_to_best,
    generators_of_best,
    inputs_known,
    probes_of_one_person,
)
from forensic.cases.permissions import Action, check
from forensic.cases.renditions import check_generators
from forensic.errors import RequestRefused
from forensic.weights.fusions import BEST

LIST_LENGTH_DEFAULT = 20
LIST_LENGTH_LEAST = 2
LIST_LENGTH_MOST = 50
LIST_LENGTH_LONG = 200
"""The longest list, for those who may ask for more than `LIST_LENGTH_MOST`."""

MEAN = "mean"
FUSIONS: Mapping[str, str] = {
    BEST: "best: the sketch, its encoder and the faces made from it, weighed as learnt on other "
    "people",
    MEAN: "mean of the cosine similarities of all inputs",
    "z-mean": "mean of the similarities of all inputs, each in units of its own spread over the "
    "gallery",
}
"""How several sketches and renditions become one list, and what a report calls it."""


@dataclass(frozen=True)
class SearchView:
    """A search, the job that runs it, and what it compares."""

    search: Search
    job: Job | None
    inputs: tuple[SearchInput, ...]
    gallery_name: str


def request(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    gallery_id: uuid.UUID,
    probe_ids: Sequence[uuid.UUID],
    generators: Sequence[str] = (),
    compare_sketch: bool = True,
    fusion: str | None = None,
    filters: SubjectFilter | None = None,
    list_length: int = LIST_LENGTH_DEFAULT,
    threshold: float | None = None,
    purpose: str = "",
    weights: Path | None = None,
) -> Search:
    """Ask for a search of a gallery by one or several sketches of one person.

    Args:
        session: An open session that may write.
        actor: Who asks.
        case_id: Which case.
        gallery_id: Which gallery.
        probe_ids: Sketches of one person.
        generators: Their faces are compared as well, made first where they are missing.
        compare_sketch: Whether the sketches themselves are compared.
        fusion: A name of `FUSIONS`; by default `best`, which itself chooses what is compared, or
            the mean where the request chooses.
        filters: Which subjects may be listed.
        list_length: 2 to 50; up to 200 for those who may ask for more, which is recorded.
        threshold: Least similarity listed; None lists the best whatever their similarity.
        purpose: Why; by default that of the case.
        weights: Folder of fetched weights, for a fusion that does not come with the package.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
        CaseClosed: The case is closed.
        RecordNotFound: There is no such gallery or probe.
        RecordConflict: A probe was withdrawn or has no landmarks yet; or only renditions are to be
            compared, and one of them is not made yet.
        RequestRefused: An argument is out of range.
    """
    case = access.get_case(session, actor, case_id, Action.SEARCH, is_change=True)
    if fusion is None:
        fusion = MEAN if generators or not compare_sketch else BEST
    _check_request(actor, fusion, list_length, threshold)
    with access.plain_errors():
        gallery = get_row(session, Gallery, gallery_id)
    probes = probes_of_one_person(session, actor, case_id, probe_ids)
    wanted = check_generators(generators)
    if fusion == BEST:
        check_left_to_best(wanted, compare_sketch)
        wanted = generators_of_best(gallery, weights)
    inputs = inputs_known(session, probes, wanted, compare_sketch)
    search_id = new_id()
    job = jobs.create(
        session, actor, jobs.JobKind.SEARCH, {"search_id": str(search_id)}, case_id=case_id
    )
    search = Search(
        id=search_id,
        case_id=case_id,
        gallery_id=gallery_id,
        job_id=job.id,
        requested_by_id=access.user_id(actor),
        purpose=access.optional_text(purpose, "purpose") or case.purpose,
        list_length=list_length,
        threshold=threshold,
        parameters={
            "probe_ids": [str(probe.id) for probe in probes],
            "generators": wanted,
            "compare_sketch": compare_sketch,
            "fusion": fusion,
            "filters": _filters_as_told(filters),
            "matchers": [gallery.embedder],
        },
        request_id=actor.request_id,
    )
    with access.plain_errors():
        search_rows.request_search(session, search, inputs)
    audit.record(
        session,
        actor,
        audit.Tag.SEARCH_REQUESTED,
        case_id=case_id,
        search_id=search.id,
        gallery_id=gallery_id,
        job_id=job.id,
        list_length=list_length,
        is_extended=list_length > LIST_LENGTH_MOST,
        threshold=threshold,
        **search.parameters,
    )
    return search


def get(session: Session, actor: Actor, search_id: uuid.UUID) -> SearchView:
    """Return a search and the state of its job.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such search, or it is in other people's case.
    """
    search = access.get_search(session, actor, search_id, Action.VIEW_CASE)
    view = SearchView(
        search,
        session.get(Job, search.job_id) if search.job_id else None,
        tuple(search_rows.list_inputs(session, search_id)),
        get_row(session, Gallery, search.gallery_id).name,
    )
    audit.record(
        session, actor, audit.Tag.SEARCH_VIEWED, case_id=search.case_id, search_id=search_id
    )
    return view


def list_searches(
    session: Session,
    actor: Actor,
    case_id: uuid.UUID,
    *,
    after: uuid.UUID | None = None,
    limit: int = 50,
) -> Page[Search]:
    """Return the searches of a case, newest first.

    Raises:
        NotPermitted: No role of the actor allows it.
        CaseNotFound: There is no such case, or it is other people's.
    """
    access.get_case(session, actor, case_id, Action.VIEW_CASE)
    with access.plain_errors():
        page = search_rows.list_searches(session, case_id, after=after, limit=limit)
    audit.record(session, actor, audit.Tag.SEARCHES_LISTED, case_id=case_id)
    return page


def record_outcome(
    session: Session,
    actor: Actor,
    search_id: uuid.UUID,
    *,
    outcome: Outcome,
    ranked: Sequence[RankedPhoto],
    made: Sequence[SearchInput] = (),
    facts: Mapping[str, Any] | None = None,
) -> Sequence[Candidate]:
    """Keep what a search found, once and for all.

    Args:
        session: An open session that may write.
        actor: The worker.
        search_id: Which search.
        outcome: How it was run.
        ranked: Its list, best first.
        made: Inputs that came to be while it was run.
        facts: Anything more for the audit.

    Raises:
        NotPermitted: Not the service itself.
        RecordConflict: It was completed before, or a photo was removed meanwhile.
        RecordNotFound: There is no such search.
    """
    access.check_system(actor)
    search = access.get_search(session, actor, search_id, Action.SEARCH)
    with access.plain_errors():
        search_rows.add_inputs(session, search_id, made)
        found = search_rows.complete_search(session, search_id, outcome, ranked)
    audit.record(
        session,
        actor,
        audit.Tag.SEARCH_COMPLETED,
        case_id=search.case_id,
        search_id=search_id,
        candidates=[
            {"rank": c.rank, "subject_id": c.subject_id, "photo_sha256": c.photo_sha256}
            for c in found
        ],
        gallery_size=outcome.gallery_size,
        index_generation_id=outcome.index_generation_id,
        model_hashes=dict(outcome.model_hashes),
        **(facts or {}),
    )
    return found


def _check_request(actor: Actor, fusion: str, list_length: int, threshold: float | None) -> None:
    if fusion not in FUSIONS:
        raise RequestRefused(
            f"Unknown fusion {fusion!r}. Known: {', '.join(FUSIONS)}.", field="fusion"
        )
    if not LIST_LENGTH_LEAST <= list_length <= LIST_LENGTH_LONG:
        raise RequestRefused(
            f"A list has {LIST_LENGTH_LEAST} to {LIST_LENGTH_MOST} candidates, with permission up "
            f"to {LIST_LENGTH_LONG}.",
            field="list_length",
        )
    if list_length > LIST_LENGTH_MOST:
        check(actor, Action.SEARCH_LONG)
    if threshold is not None and not -1 <= threshold <= 1:
        raise RequestRefused("The threshold is a cosine, -1 to 1.", field="threshold")


def _filters_as_told(filters: SubjectFilter | None) -> dict[str, Any] | None:
    if filters is None:
        return None
    told = asdict(filters)
    return {
        **told,
        "birth_years": list(filters.birth_years),
        "attributes": dict(told["attributes"]),
    }


def filters_of(parameters: Mapping[str, Any]) -> SubjectFilter | None:
    """Return the metadata filter that a search's parameters tell."""
    told = parameters.get("filters")
    if told is None:
        return None
    first, last = told["birth_years"]
    return SubjectFilter(told["sex"], (first, last), told["attributes"], told["keep_unknown"])
