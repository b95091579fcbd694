"""`/searches` and `/candidates`: asking a gallery, and the list that it gives: leads only."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from db.models import Search
from db.queries.subjects import SubjectFilter
from forensic.cases import leads, searches
from forensic.cases.leads import CandidateList
from forensic.cases.renditions import GENERATORS_MAX
from forensic.cases.searches import SearchView
from forensic.web import auth, records
from forensic.web.api.frame import TEXT, Family, PageQuery, fetch, file_response, page_of
from forensic.web.api.jobs import JobSchema
from forensic.web.api.reviews import ReviewSchema

family = Family("searches", "Searches of a gallery, and their lists of leads.")
PROBES_MAX = 20
YEAR = validate.Range(1850, 2200)


class FilterSchema(Schema):
    """Which subjects may be listed, by what the gallery's operator told of them."""

    sex = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=50))
    birth_year_from = fields.Integer(load_default=None, allow_none=True, validate=YEAR)
    birth_year_to = fields.Integer(load_default=None, allow_none=True, validate=YEAR)
    attributes = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"^[A-Za-z0-9_ -]{1,100}$")),
        values=fields.String(validate=validate.Length(max=200)),
        load_default=dict,
        validate=validate.Length(max=20),
    )
    keep_unknown = fields.Boolean(load_default=True)


class NewSearchSchema(Schema):
    """A search by one or several sketches of one person."""

    gallery_id = fields.UUID(required=True)
    probe_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, PROBES_MAX))
    generators = fields.List(
        fields.String(validate=validate.Length(1, 100)),
        load_default=list,
        validate=validate.Length(max=GENERATORS_MAX),
    )
    compare_sketch = fields.Boolean(load_default=True)
    fusion = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf(sorted(searches.FUSIONS))
    )
    filters = fields.Nested(FilterSchema, load_default=None, allow_none=True)
    list_length = fields.Integer(
        load_default=searches.LIST_LENGTH_DEFAULT,
        validate=validate.Range(searches.LIST_LENGTH_LEAST, searches.LIST_LENGTH_LONG),
    )
    threshold = fields.Float(load_default=None, allow_none=True, validate=validate.Range(-1, 1))
    purpose = fields.String(load_default="", validate=TEXT)


class SearchSchema(Schema):
    """One search: what was asked, and once it has run, of what and how."""

    id = fields.UUID(required=True)
    case_id = fields.UUID(required=True)
    gallery_id = fields.UUID(required=True)
    job_id = fields.UUID(required=True, allow_none=True)
    requested_by_id = fields.UUID(required=True)
    purpose = fields.String(required=True)
    list_length = fields.Integer(required=True)
    threshold = fields.Float(required=True, allow_none=True)
    parameters = fields.Dict(required=True)
    request_id = fields.String(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    index_generation_id = fields.UUID(required=True, allow_none=True)
    gallery_size = fields.Integer(required=True, allow_none=True)
    extent = fields.Dict(required=True, allow_none=True)
    model_hashes = fields.Dict(required=True, allow_none=True)
    device = fields.String(required=True, allow_none=True)
    is_exact = fields.Boolean(required=True, allow_none=True)
    measured_recall = fields.Float(required=True, allow_none=True)
    timings_ms = fields.Dict(required=True, allow_none=True)
    software_version = fields.String(required=True, allow_none=True)
    completed_at = fields.AwareDateTime(required=True, allow_none=True)


class InputSchema(Schema):
    """One sketch or face that was compared."""

    position = fields.Integer(required=True)
    probe_id = fields.UUID(required=True)
    landmark_version_id = fields.UUID(required=True)
    rendition_id = fields.UUID(required=True, allow_none=True)


class SearchViewSchema(Schema):
    """A search with its job and what it compared."""

    search = fields.Nested(SearchSchema, required=True)
    job = fields.Nested(JobSchema, required=True, allow_none=True)
    inputs = fields.List(fields.Nested(InputSchema), required=True)
    gallery_name = fields.String(required=True)


class CandidateSchema(Schema):
    """One lead; rank, similarity and person are null until a blind examiner has decided."""

    id = fields.UUID(required=True)
    label = fields.Integer(required=True)
    photo_sha256 = fields.String(required=True)
    rank = fields.Integer(required=True, allow_none=True)
    similarity = fields.Float(required=True, allow_none=True)
    contributions = fields.Dict(required=True, allow_none=True)
    subject_external_id = fields.String(required=True, allow_none=True)
    own_review = fields.Nested(ReviewSchema, required=True, allow_none=True)


class CandidatesSchema(Schema):
    """The whole list of a search: investigative leads, never an identification."""

    notice = fields.String(required=True)
    is_blind = fields.Boolean(required=True)
    decided = fields.Integer(required=True)
    entries = fields.List(fields.Nested(CandidateSchema), required=True)


@family.operation(
    "POST",
    "/cases/<uuid:case_id>/searches",
    body=NewSearchSchema,
    gives=SearchSchema,
    status=202,
)
def request_search(sent: dict[str, Any], case_id: uuid.UUID) -> tuple[Search, dict[str, str]]:
    """Ask for a search; a job runs it."""
    filters = sent.pop("filters")
    search = searches.request(
        records.session(),
        auth.current_actor(),
        case_id,
        filters=_subject_filter(filters) if filters else None,
        weights=records.weights(),
        **sent,
    )
    return search, {"Location": f"/api/v1/searches/{search.id}"}


@family.operation(
    "GET", "/cases/<uuid:case_id>/searches", query=PageQuery, gives=page_of(SearchSchema)
)
def list_searches(query: dict[str, Any], case_id: uuid.UUID) -> dict[str, Any]:
    """List the searches of a case, newest first."""
    session, actor = records.session(), auth.current_actor()
    return fetch(
        query, lambda **options: searches.list_searches(session, actor, case_id, **options)
    )


@family.operation("GET", "/searches/<uuid:search_id>", gives=SearchViewSchema)
def get_search(search_id: uuid.UUID) -> SearchView:
    """Show a search and the state of its job."""
    return searches.get(records.session(), auth.current_actor(), search_id)


@family.operation("GET", "/searches/<uuid:search_id>/candidates", gives=CandidatesSchema)
def list_candidates(search_id: uuid.UUID) -> CandidateList:
    """Return the whole list; an examiner who has still to decide sees it without ranks."""
    return leads.candidates(records.session(), auth.current_actor(), search_id)


@family.operation("GET", "/candidates/<uuid:candidate_id>/photo", gives="image/*")
def get_candidate_photo(candidate_id: uuid.UUID) -> Response:
    """Return the gallery photo of a candidate."""
    data, media_type = leads.candidate_photo(
        records.session(), auth.current_actor(), candidate_id, store=records.store()
    )
    return file_response(data, media_type)


def _subject_filter(told: dict[str, Any]) -> SubjectFilter:
    return SubjectFilter(
        sex=told["sex"],
        birth_years=(told["birth_year_from"], told["birth_year_to"]),
        attributes=told["attributes"],
        keep_unknown=told["keep_unknown"],
    )
