"""How many requests one person, key or address may make."""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import Limiter

from forensic.settings import Settings
from forensic.web import auth


def register(app: Flask, settings: Settings) -> None:
    """Refuse requests beyond the settings with 429; attempts to sign in have a limit of their own.

    Attempts are counted before anything of them is looked at, and also when they succeed. While
    the place of a shared count is away, which is logged, each web counts for itself.
    """
    limiter = Limiter(
        asker_key,
        app=app,
        storage_uri=settings.rate_storage_url,
        strategy="moving-window" if settings.rate_storage_url == "memory://" else "fixed-window",
        headers_enabled=True,
        in_memory_fallback_enabled=True,
        application_limits=[f"{settings.requests_per_minute} per minute"],
    )
    limiter.request_filter(lambda: request.endpoint == "static" or _is_probe())
    app.before_request(
        limiter.shared_limit(
            f"{settings.sign_ins_per_minute} per minute",
            scope="sign-in",
            key_func=lambda: request.remote_addr or "unknown",
            exempt_when=lambda: not _is_sign_in(),
        )(lambda: None)
    )


def asker_key() -> str:
    """Return whose requests are counted together: a person's, else an address's."""
    actor = auth.asker()
    return str(actor.user_id or actor.address or "unknown")


def _is_sign_in() -> bool:
    return request.method == "POST" and request.path in auth.SIGN_IN_PATHS


def _is_probe() -> bool:
    return request.path.startswith("/health/")
