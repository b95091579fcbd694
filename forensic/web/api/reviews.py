"""`/reviews` and `/adjudications`: what examiners decide about candidates, blind of each other."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, fields, validate

from db.models import Adjudication, Review, Verdict
from forensic.cases import conclusions, reviews
from forensic.cases.conclusions import Conclusion, Disagreement, Standing
from forensic.cases.reviews import ANSWERS, FEATURES, Progress
from forensic.web import auth, records
from forensic.web.api.frame import TEXT, Family

family = Family("reviews", "Decisions of examiners about candidates.")


class ReviewSchema(Schema):
    """One decision; never changed, only superseded."""

    id = fields.UUID(required=True)
    candidate_id = fields.UUID(required=True)
    examiner_id = fields.UUID(required=True)
    verdict = fields.Enum(Verdict, by_value=True, required=True)
    note = fields.String(required=True)
    features = fields.Dict(required=True)
    supersedes_id = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class NewReviewSchema(Schema):
    """A decision on one candidate; `potential_candidate` needs a note."""

    verdict = fields.Enum(Verdict, by_value=True, required=True)
    note = fields.String(load_default="", validate=TEXT)
    features = fields.Dict(
        keys=fields.String(validate=validate.OneOf(FEATURES)),
        values=fields.String(validate=validate.OneOf(ANSWERS)),
        load_default=dict,
    )


class ReviewsSchema(Schema):
    """Decisions."""

    items = fields.List(fields.Nested(ReviewSchema), required=True)


class ProgressSchema(Schema):
    """How far one has come."""

    decided = fields.Integer(required=True)
    total = fields.Integer(required=True)
    is_done = fields.Boolean(required=True)


class DisagreementSchema(Schema):
    """One candidate on which examiners differ."""

    candidate_id = fields.UUID(required=True)
    photo_sha256 = fields.String(required=True)
    reviews = fields.List(fields.Nested(ReviewSchema), required=True)


class DisagreementsSchema(Schema):
    """All candidates on which examiners differ."""

    items = fields.List(fields.Nested(DisagreementSchema), required=True)


class AdjudicationSchema(Schema):
    """A third person's decision; never changed, only superseded."""

    id = fields.UUID(required=True)
    candidate_id = fields.UUID(required=True)
    adjudicator_id = fields.UUID(required=True)
    verdict = fields.Enum(Verdict, by_value=True, required=True)
    reason = fields.String(required=True)
    supersedes_id = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class NewAdjudicationSchema(Schema):
    """A decision between examiners who differ."""

    verdict = fields.Enum(Verdict, by_value=True, required=True)
    reason = fields.String(required=True, validate=validate.Length(1, 10_000))


class ConclusionSchema(Schema):
    """Where one candidate stands; a lead at most."""

    candidate_id = fields.UUID(attribute="candidate.id", required=True)
    rank = fields.Integer(attribute="candidate.rank", required=True)
    standing = fields.Enum(Standing, by_value=True, required=True)
    verdict = fields.Enum(Verdict, by_value=True, required=True, allow_none=True)
    reviews = fields.List(fields.Nested(ReviewSchema), required=True)
    adjudication = fields.Nested(AdjudicationSchema, required=True, allow_none=True)


class ConclusionsSchema(Schema):
    """Where every candidate of a list stands."""

    items = fields.List(fields.Nested(ConclusionSchema), required=True)


@family.operation(
    "POST",
    "/candidates/<uuid:candidate_id>/reviews",
    body=NewReviewSchema,
    gives=ReviewSchema,
    status=201,
)
def decide(sent: dict[str, Any], candidate_id: uuid.UUID) -> Review:
    """Decide on a candidate; a later decision supersedes one's earlier one."""
    return reviews.decide(records.session(), auth.current_actor(), candidate_id, **sent)


@family.operation("GET", "/searches/<uuid:search_id>/reviews", gives=ReviewsSchema)
def list_own(search_id: uuid.UUID) -> dict[str, Sequence[Review]]:
    """List one's own decisions on a list."""
    return {"items": reviews.list_own(records.session(), auth.current_actor(), search_id)}


@family.operation("GET", "/searches/<uuid:search_id>/progress", gives=ProgressSchema)
def progress(search_id: uuid.UUID) -> Progress:
    """Tell how many candidates one has decided on."""
    return reviews.progress(records.session(), auth.current_actor(), search_id)


@family.operation("GET", "/searches/<uuid:search_id>/conclusions", gives=ConclusionsSchema)
def list_conclusions(search_id: uuid.UUID) -> dict[str, Sequence[Conclusion]]:
    """List where every candidate stands; 409 for an examiner who has still to decide."""
    return {"items": conclusions.list_all(records.session(), auth.current_actor(), search_id)}


@family.operation("GET", "/searches/<uuid:search_id>/disagreements", gives=DisagreementsSchema)
def list_disagreements(search_id: uuid.UUID) -> dict[str, Sequence[Disagreement]]:
    """List the candidates on which examiners differ and nobody has adjudicated."""
    return {"items": conclusions.disagreements(records.session(), auth.current_actor(), search_id)}


@family.operation(
    "POST",
    "/candidates/<uuid:candidate_id>/adjudications",
    body=NewAdjudicationSchema,
    gives=AdjudicationSchema,
    status=201,
)
def adjudicate(sent: dict[str, Any], candidate_id: uuid.UUID) -> Adjudication:
    """Decide between examiners who differ."""
    return conclusions.adjudicate(records.session(), auth.current_actor(), candidate_id, **sent)
