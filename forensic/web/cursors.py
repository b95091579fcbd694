"""Cursors: opaque, signed places in a list, good for that list and person only."""

from __future__ import annotations

import uuid
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from forensic.errors import RequestRefused
from forensic.settings import Settings


def _serializer(settings: Settings, scope: str) -> URLSafeSerializer:
    return URLSafeSerializer(settings.derive_key("cursors"), salt=scope)


def seal(settings: Settings, scope: str, after: Any | None) -> str | None:
    """Return the cursor of the next page, None at the end of the list.

    Args:
        settings: Hold the key.
        scope: Which list, with its filters, for which person.
        after: `next_after` of the page: a UUID or a number.
    """
    if after is None:
        return None
    value = ["u", str(after)] if isinstance(after, uuid.UUID) else ["n", int(after)]
    sealed = _serializer(settings, scope).dumps(value)
    return sealed if isinstance(sealed, str) else sealed.decode()


def unseal(settings: Settings, scope: str, cursor: str | None) -> Any | None:
    """Return the place that a cursor names.

    Raises:
        RequestRefused: It was not made here, or for another list or person.
    """
    if cursor is None:
        return None
    try:
        kind, value = _serializer(settings, scope).loads(cursor)
    except (BadSignature, ValueError, TypeError):
        raise RequestRefused(
            "The cursor was not made for this list; begin without one.", field="cursor"
        ) from None
    return uuid.UUID(value) if kind == "u" else int(value)
