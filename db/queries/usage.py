"""How much the service was used in a period, and what came of it: numbers, nobody's names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.models.cases import Case, Report
from db.models.jobs import Job, JobState
from db.models.probes import Probe, Rendition
from db.models.reviews import Adjudication, Review, Verdict
from db.models.searches import Candidate, Search


@dataclass(frozen=True)
class Usage:
    """What happened in a period; reviews are counted whenever they came, by their search's day.

    Attributes:
        cases: Opened.
        probes: Sealed, by kind of sketch.
        renditions: Faces made.
        searches: Requested.
        searches_completed: Of those, with a result.
        searches_failed: Of those, given up with a reason.
        lists_empty: Of the completed, without any candidate.
        lists_reviewed: Of the completed with candidates, every one decided by somebody.
        lists_with_lead: Of the completed, a potential candidate in some examiner's standing
            decision or in the adjudication.
        candidates: Listed.
        decisions: Standing decisions of examiners, by verdict.
        adjudications: Candidates on which a further person decided.
        reports: Documents written.
    """

    cases: int
    probes: Mapping[str, int]
    renditions: int
    searches: int
    searches_completed: int
    searches_failed: int
    lists_empty: int
    lists_reviewed: int
    lists_with_lead: int
    candidates: int
    decisions: Mapping[str, int]
    adjudications: int
    reports: int


def count_usage(session: Session, since: datetime, until: datetime) -> Usage:
    """Return what happened from `since` to `until`, both included."""

    def during(column: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
        return (column >= since) & (column <= until)

    def rows_of(model: type[Case | Probe | Rendition | Search | Report]) -> Select[Any]:
        return select(func.count()).select_from(model).where(during(model.created_at))

    searches = rows_of(Search)
    completed = searches.where(Search.completed_at.is_not(None))
    listed = exists().where(Candidate.search_id == Search.id)
    decisions = _by(session, Review.verdict, _standing().where(during(Search.created_at)))
    return Usage(
        cases=_number(session, rows_of(Case)),
        probes=_by(session, Probe.kind, rows_of(Probe)),
        renditions=_number(session, rows_of(Rendition)),
        searches=_number(session, searches),
        searches_completed=_number(session, completed),
        searches_failed=_number(
            session,
            searches.join(Job, Job.id == Search.job_id).where(Job.state == JobState.FAILED),
        ),
        lists_empty=_number(session, completed.where(~listed)),
        lists_reviewed=_number(session, completed.where(listed, ~_has_undecided())),
        lists_with_lead=_number(session, completed.where(_has_lead())),
        candidates=_number(
            session,
            select(func.count())
            .select_from(Candidate)
            .join(Search, Search.id == Candidate.search_id)
            .where(during(Search.created_at)),
        ),
        decisions=decisions,
        adjudications=_number(
            session,
            select(func.count(Adjudication.candidate_id.distinct()))
            .join(Candidate, Candidate.id == Adjudication.candidate_id)
            .join(Search, Search.id == Candidate.search_id)
            .where(during(Search.created_at)),
        ),
        reports=_number(session, rows_of(Report)),
    )


def _number(session: Session, statement: Select[Any]) -> int:
    return int(session.scalars(statement).one())


def _by(
    session: Session, column: InstrumentedAttribute[Any], statement: Select[Any]
) -> dict[str, int]:
    grouped = statement.add_columns(column).group_by(column)
    return {key.value: count for count, key in session.execute(grouped)}


def _is_standing(row: type[Review | Adjudication]) -> ColumnElement[bool]:
    later = aliased(row)
    return ~exists().where(later.supersedes_id == row.id)


def _standing() -> Select[Any]:
    """Count decisions that no later one of the same examiner supersedes."""
    return (
        select(func.count())
        .select_from(Review)
        .join(Candidate, Candidate.id == Review.candidate_id)
        .join(Search, Search.id == Candidate.search_id)
        .where(_is_standing(Review))
    )


def _has_undecided() -> ColumnElement[bool]:
    decided = exists().where(Review.candidate_id == Candidate.id)
    return exists().where(Candidate.search_id == Search.id, ~decided)


def _has_lead() -> ColumnElement[bool]:
    """Answer whether a list holds a lead; where somebody adjudicated, that alone counts."""
    of_list = Candidate.search_id == Search.id
    adjudicated = exists().where(Adjudication.candidate_id == Candidate.id)
    by_examiner = exists().where(
        of_list,
        Review.candidate_id == Candidate.id,
        Review.verdict == Verdict.POTENTIAL_CANDIDATE,
        _is_standing(Review),
        ~adjudicated,
    )
    by_adjudicator = exists().where(
        of_list,
        Adjudication.candidate_id == Candidate.id,
        Adjudication.verdict == Verdict.POTENTIAL_CANDIDATE,
        _is_standing(Adjudication),
    )
    return by_examiner | by_adjudicator
