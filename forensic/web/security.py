"""Headers that every answer carries, and how large a request may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

from forensic.settings import Settings
from forensic.web import auth, records

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
}
FORM_PARTS_MAX = 100
_MULTIPART_OVERHEAD = 64 * 1024

View = TypeVar("View", bound=Callable[..., Any])


def register(app: Flask, settings: Settings) -> None:
    """Protect cookies, limit requests, and put the headers on every answer."""
    app.config.update(
        SESSION_COOKIE_NAME="__Host-forensic" if settings.is_production else "forensic",
        SESSION_COOKIE_SECURE=settings.is_production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=settings.request_bytes_max,
        MAX_FORM_MEMORY_SIZE=settings.request_bytes_max,
        MAX_FORM_PARTS=FORM_PARTS_MAX,
    )
    app.secret_key = settings.derive_key("cookies")
    app.after_request(_add_headers)
    if settings.trusted_proxies:
        n = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n)  # type: ignore[method-assign]


def bound_uploads(app: Flask) -> None:
    """Bound the body of each request by what its view takes, once it is known who asks."""
    app.before_request(limit_upload)


def limit_upload() -> None:
    """Allow signed-in people the size of file that the settings name for a view's kind."""
    view = current_app.view_functions.get(request.endpoint or "")
    kind = getattr(getattr(view, "view_class", view), "upload_kind", None)
    if kind is None or request.method != "POST" or auth.asker().user_id is None:
        return
    settings = records.settings()
    limits = {"sketch": settings.sketch_bytes_max, "import": settings.import_bytes_max}
    request.max_content_length = limits[kind] + _MULTIPART_OVERHEAD


def uploads(kind: str) -> Callable[[View], View]:
    """Let a view function or class take uploads of one kind, `sketch` or `import`."""

    def mark(view: View) -> View:
        view.upload_kind = kind  # type: ignore[attr-defined]
        return view

    return mark


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    if records.settings().is_production:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
