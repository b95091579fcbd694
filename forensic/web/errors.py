"""From errors to answers: one table of status and code, one shape for the API, one page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

import db.errors
from db.session import session_scope
from forensic import errors
from forensic.cases import audit
from forensic.web import auth, records
from forensic.web.problems import Fault, Problem

OPAQUE = "This was not foreseen. Nothing was changed; tell the administrator the request id."
PROGRAM_PATHS = ("/api/", "/health/", "/metrics")
"""Where answers are for programs; everywhere else they are pages."""

TABLE: Mapping[type[Exception], tuple[int, str]] = {
    errors.InputError: (422, "input_refused"),
    errors.ShapeError: (422, "input_refused"),
    errors.RangeError: (422, "out_of_range"),
    errors.DtypeError: (422, "input_refused"),
    errors.ImageError: (422, "image_refused"),
    errors.NoFaceError: (422, "face_not_found"),
    errors.ManyFacesError: (422, "several_faces"),
    errors.LandmarksError: (422, "landmarks_refused"),
    errors.DataFolderError: (500, "internal"),
    errors.CalibrationError: (422, "calibration_impossible"),
    errors.UnknownNameError: (422, "unknown_name"),
    errors.WeightsError: (503, "weights_unusable"),
    errors.MissingWeights: (503, "weights_missing"),
    errors.HashMismatch: (500, "internal"),
    errors.GalleryError: (409, "gallery_unusable"),
    errors.IndexMismatch: (409, "index_mismatch"),
    errors.CorruptIndex: (500, "internal"),
    errors.EmptyGallery: (409, "gallery_empty"),
    errors.NotIndexed: (409, "gallery_not_indexed"),
    errors.CorruptRecords: (500, "internal"),
    errors.DeviceError: (503, "device_missing"),
    errors.TrainingError: (500, "internal"),
    errors.RecipeError: (422, "recipe_refused"),
    errors.SettingsError: (500, "internal"),
    errors.StorageError: (503, "storage_unusable"),
    errors.MissingFile: (500, "internal"),
    errors.CorruptFile: (500, "internal"),
    errors.JobError: (503, "worker_unavailable"),
    errors.CaseError: (422, "refused"),
    errors.RecordNotFound: (404, "not_found"),
    errors.CaseNotFound: (404, "not_found"),
    errors.NotPermitted: (403, "not_permitted"),
    errors.SignInFailed: (401, "sign_in_failed"),
    errors.NotSignedIn: (401, "not_signed_in"),
    errors.PasswordRejected: (422, "password_refused"),
    errors.RequestRefused: (422, "refused"),
    errors.RecordConflict: (409, "conflict"),
    errors.CaseClosed: (409, "case_closed"),
    errors.LegalHold: (409, "legal_hold"),
    errors.ReviewConflict: (409, "review_conflict"),
    errors.StaleRecord: (412, "stale"),
    auth.CsrfFailed: (403, "csrf_failed"),
    auth.PasswordChangeRequired: (403, "password_change_required"),
    db.errors.RecordError: (500, "internal"),
    db.errors.NotFound: (404, "not_found"),
    db.errors.Conflict: (409, "conflict"),
    db.errors.Invalid: (422, "value_refused"),
    db.errors.SchemaMismatch: (503, "database_outdated"),
    db.errors.BadDatabaseUrl: (500, "internal"),
    db.errors.Unavailable: (503, "database_unavailable"),
}
"""Status and code of every error that the project raises on purpose."""

HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "too_slow",
    412: "stale",
    413: "too_large",
    415: "media_type_unsupported",
    422: "validation_failed",
    428: "if_match_required",
    429: "too_many_requests",
    500: "internal",
    503: "unavailable",
}
HTTP_DETAILS = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    413: "The request is larger than is allowed here.",
    415: "The body is not of a type that is read here.",
    422: "Some fields cannot be used; see errors.",
    429: "Too many requests; wait a little.",
    500: OPAQUE,
}
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
_log = logging.getLogger("forensic.web")


def register(app: Flask) -> None:
    """Answer every error of the app in one of the two shapes."""
    app.register_error_handler(Exception, handle)
    app.register_error_handler(HTTPException, handle)


def handle(error: Exception) -> AnyResponse:
    """Return the answer to an error, having recorded a refusal in the audit."""
    problem = describe(error)
    g.problem_code = problem.code
    if problem.status >= 500:
        _log.error("request failed", exc_info=error)
    if isinstance(error, errors.NotPermitted):
        _record_refusal(error)
    if is_for_programs():
        return problem.response()
    if isinstance(error, errors.NotSignedIn) and request.method in auth.SAFE_METHODS:
        target = urlencode({"next": request.full_path.rstrip("?")})
        return redirect(f"/sign-in?{target}", 303)
    if isinstance(error, auth.PasswordChangeRequired):
        return redirect("/password", 303)
    try:
        return _page(problem)
    except Exception as broken:  # the page may not hide what it was to tell
        _log.error("error page failed", exc_info=broken)
        return problem.response()


def is_for_programs() -> bool:
    """Answer whether the request's answers are read by programs."""
    return request.path.startswith(PROGRAM_PATHS)


def describe(error: Exception) -> Problem:
    """Return what to tell of an error; of one that was not foreseen, nothing."""
    if isinstance(error, HTTPException):
        return _describe_http(error)
    for kind in type(error).__mro__:
        if kind in TABLE:
            status, code = TABLE[kind]
            return _describe_ours(error, status, code)
    return Problem(500, "internal", OPAQUE)


def _describe_ours(error: Exception, status: int, code: str) -> Problem:
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        headers["Retry-After"] = "5"
    if status == 500:
        return Problem(500, code, OPAQUE)
    faults: tuple[Fault, ...] = ()
    if isinstance(error, errors.ImageError | errors.JobError):
        code = f"{code}_{error.reason}" if isinstance(error, errors.ImageError) else code
    if isinstance(error, errors.RequestRefused):
        faults = (Fault(error.field, code, str(error)),)
    return Problem(status, code, str(error), faults, headers)


def _describe_http(error: HTTPException) -> Problem:
    status = error.code or 500
    response = error.get_response()
    if status < 400:
        return Problem(500, "internal", OPAQUE)
    headers = {k: response.headers[k] for k in _KEPT_HEADERS if k in response.headers}
    detail = HTTP_DETAILS.get(status) or str(error.description)
    faults = tuple(_validation_faults(getattr(error, "data", None) or {}))
    return Problem(status, HTTP_CODES.get(status, "refused"), detail, faults, headers)


def _validation_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the faults that the schemas found, with the dotted path of each field."""

    def walk(path: tuple[str, ...], found: Any) -> Iterator[Fault]:
        if isinstance(found, Mapping):
            for name, inner in found.items():
                yield from walk((*path, str(name)), inner)
        elif isinstance(found, list | tuple):
            for inner in found:
                yield from walk(path, inner)
        else:
            yield Fault(".".join(path), "invalid", str(found))

    for inner in (data.get("messages") or {}).values():
        yield from walk((), inner)


def _page(problem: Problem) -> Response:
    text = render_template(
        "error.html.j2",
        status=problem.status,
        title=problem.title,
        detail=problem.detail,
        request_id=g.get("request_id", ""),
    )
    answer = Response(text, problem.status, mimetype="text/html")
    answer.headers.update(problem.headers)
    return answer


def _record_refusal(error: errors.NotPermitted) -> None:
    with session_scope(records.service().engine) as session:
        audit.record(
            session,
            auth.asker(),
            audit.Tag.PERMISSION_REFUSED,
            action=error.action,
            path=request.path,
            method=request.method,
        )
