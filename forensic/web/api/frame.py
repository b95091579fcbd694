"""What all operations share: how one is declared, pages with cursors, versions as ETags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, TypeVar, cast

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from werkzeug.exceptions import PreconditionRequired, UnsupportedMediaType

from db.queries.rows import Page
from forensic.cases.audit import plain
from forensic.errors import StaleRecord
from forensic.web import auth, cursors, idempotency, records

View = TypeVar("View", bound=Callable[..., Any])

PREFIX = "/api/v1"
PAGE_LIMIT_MAX = 100
TEXT = validate.Length(max=10_000)
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "description": "The ETag that was read; 412 if the record was changed since.",
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "description": "Chosen by the client: the same request with the same key is done once.",
}


class Family:
    """One family of operations, such as all that concern cases.

    Args:
        name: Of the family, as the description shows it.
        description: One line.
    """

    def __init__(self, name: str, description: str) -> None:
        self.blueprint = Blueprint(name, __name__, description=description)

    def operation(
        self,
        method: str,
        path: str,
        *,
        body: type[Schema] | None = None,
        query: type[Schema] | None = None,
        form: tuple[type[Schema], type[Schema]] | None = None,
        gives: type[Schema] | str | None = None,
        status: int = 200,
        is_versioned: bool = False,
        is_public: bool = False,
    ) -> Callable[[View], View]:
        """Make a view an operation of the API, and describe it.

        Args:
            method: HTTP method; each POST may carry an Idempotency-Key.
            path: Below `/api/v1`.
            body: Schema of the JSON body, given to the view as its first argument.
            query: Schema of the query, likewise.
            form: Schemas of the fields and of the files of a multipart form, likewise.
            gives: Schema of the answer, or the media type of a file; None for no content.
            status: Of the answer.
            is_versioned: Whether the request must name the version it changes.
            is_public: Whether nobody needs to have signed in.
        """
        blueprint = self.blueprint
        headers = [IF_MATCH] if is_versioned else []
        if idempotency.applies(method, PREFIX + path):
            headers = [*headers, IDEMPOTENCY_KEY]

        def declare(view: View) -> View:
            doc: dict[str, Any] = {"parameters": headers} if headers else {}
            described: Any = blueprint.doc(**doc, **({"security": []} if is_public else {}))(view)
            if isinstance(gives, str):
                binary = {"type": "string", "format": "binary"}
                described = blueprint.response(status, binary, content_type=gives)(described)
            else:
                described = blueprint.response(status if gives else 204, gives)(described)
            if form is not None:
                described = blueprint.arguments(form[1], location="files")(described)
                described = blueprint.arguments(form[0], location="form")(described)
            if body is not None:
                described = _json_only(blueprint.arguments(body)(described))
            if query is not None:
                described = blueprint.arguments(query, location="query")(described)
            blueprint.route(path, methods=[method])(described)
            return view

        return declare


def _json_only(view: View) -> View:
    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if not request.is_json:
            raise UnsupportedMediaType
        return view(*args, **kwargs)

    return cast(View, checked)


def file_response(data: bytes, media_type: str, *, name: str = "") -> Response:
    """Return a file that no browser interprets as anything but its media type.

    Args:
        data: The file.
        media_type: Of the file.
        name: Where given, the browser offers to save the file under it.
    """
    answer = Response(data, mimetype=media_type)
    if name:
        answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


class FaultSchema(Schema):
    """One field that cannot be used."""

    field = fields.String(required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)


class ProblemSchema(Schema):
    """What went wrong, as RFC 9457 has it."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    errors = fields.List(fields.Nested(FaultSchema), required=True)
    request_id = fields.String(required=True, allow_none=True)


class PageQuery(Schema):
    """Which part of a list is wanted."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, PAGE_LIMIT_MAX))
    cursor = fields.String(validate=validate.Length(max=500))


class Reason(Schema):
    """Why something is done."""

    reason = fields.String(required=True, validate=validate.Length(1, 10_000))


@cache
def page_of(item: type[Schema]) -> type[Schema]:
    """Return the schema of one page of a list."""
    name = item.__name__.removesuffix("Schema")
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next_cursor": fields.String(required=True, allow_none=True),
        },
        name=f"{name}Page",
    )


def fetch(
    query: Mapping[str, Any], read: Callable[..., Page[Any]], **filters: Any
) -> dict[str, Any]:
    """Return one page of a list as its schema shows it.

    Args:
        query: What `PageQuery` or a schema derived from it has read.
        read: Returns a `Page` for `after`, `limit` and the filters.
        filters: Given to `read`, and part of what the cursor is good for.

    Raises:
        RequestRefused: The cursor is forged or another list's.
    """
    settings = records.settings()
    asked = sorted((name, str(plain(value))) for name, value in filters.items())
    scope = repr((request.path, asked, str(auth.asker().user_id)))
    after = cursors.unseal(settings, scope, query.get("cursor"))
    page = read(after=after, limit=query["limit"], **filters)
    return {"items": page.rows, "next_cursor": cursors.seal(settings, scope, page.next_after)}


def etag(version: int) -> dict[str, str]:
    """Return the header that names a record's version."""
    return {"ETag": f'"{version}"'}


def expected_version() -> int:
    """Return the version that the request expects to change.

    Raises:
        PreconditionRequired: There is no If-Match header.
        StaleRecord: The header names no version of a record.
    """
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise PreconditionRequired("Read the record and send its ETag as If-Match.")
    number = given.strip('"')
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise StaleRecord("If-Match names no version of this record; read it again.")
    return int(number)
