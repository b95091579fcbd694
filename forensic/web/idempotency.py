"""Requests that may be sent twice and are done once: the `Idempotency-Key` header.

The answer is kept in the transaction of the work, so that after a crash there are either both or
neither, and of two such requests at once one is done and the other is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from flask import Response, g, request
from werkzeug.datastructures import FileStorage

from db.errors import Conflict
from db.queries import web
from db.session import session_scope
from forensic.errors import RecordConflict, RequestRefused
from forensic.web import auth, records

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_LENGTH_MAX = 200
_PASSWORDS = "/api/v1/session"
_KEPT_HEADERS = ("Location", "ETag", "Content-Type")


def answer_once(view: Callable[[], Response]) -> Response:
    """Return the view's answer, or the one it gave before to the same request and key.

    Raises:
        RequestRefused: The key is malformed, or was used for another request.
        RecordConflict: The same request is being answered at this moment.
    """
    key, person = request.headers.get(HEADER), auth.asker().user_id
    if key is None or person is None or not applies(request.method, request.path):
        return view()
    if not 1 <= len(key) <= KEY_LENGTH_MAX or not key.isprintable():
        raise RequestRefused(
            f"The key has 1 to {KEY_LENGTH_MAX} printable characters.", field=HEADER
        )
    seal = request_sha256()
    # Read in a transaction of its own: a view may have a large file to copy before it begins one.
    with session_scope(records.service().engine, read_only=True) as looked:
        kept = web.find_reply(looked, person, key)
    if kept is not None:
        if kept.request_sha256 != seal:
            raise RequestRefused("This key was used for another request.", field=HEADER)
        answer = Response(kept.body, kept.status, headers=dict(kept.headers))
        answer.headers[REPLAYED] = "true"
        return answer
    answer = view()
    if answer.status_code < 300 and not g.get("holds_secret", False):
        headers = {k: answer.headers[k] for k in _KEPT_HEADERS if k in answer.headers}
        try:
            web.keep_reply(
                records.session(),
                user_id=person,
                key=key,
                request_sha256=seal,
                status=answer.status_code,
                headers=headers,
                body=answer.get_data(as_text=True),
            )
        except Conflict:
            raise RecordConflict("The same request is being answered; ask again.") from None
    return answer


def applies(method: str, path: str) -> bool:
    """Answer whether a request may carry a key: each POST of the API, but for passwords.

    Nothing made of a password is kept, and signing in has transactions of its own.
    """
    return method == "POST" and path.startswith("/api/") and not path.startswith(_PASSWORDS)


def request_sha256() -> str:
    """Return the SHA-256 of what the request asks: method, path, query, fields and files.

    Fields, not bytes: a client that sends a form again draws a new boundary.
    """
    seal = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    if request.mimetype == "multipart/form-data":
        for name, value in sorted(request.form.items(multi=True)):
            seal.update(json.dumps([name, value]).encode())
        for name, file in sorted(request.files.items(multi=True), key=lambda pair: pair[0]):
            seal.update(json.dumps([name, file.filename, _file_sha256(file)]).encode())
    else:
        seal.update(request.get_data())
    return seal.hexdigest()


def _file_sha256(file: FileStorage) -> str:
    digest = hashlib.file_digest(file.stream, "sha256").hexdigest()  # type: ignore[arg-type]
    file.stream.seek(0)
    return digest
