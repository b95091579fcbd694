"""Sessions of browsers, and the answers kept for requests that may be sent twice."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db.base import utc_now
from db.models.users import User
from db.models.web import IdempotentReply, WebSession


def begin_session(
    session: Session,
    user: User,
    *,
    token_sha256: str,
    expires_at: datetime,
    address: str | None = None,
) -> WebSession:
    """Keep a new session of a person, known by the digest of its token.

    Raises:
        Conflict: The token was given out before; seen when the transaction is flushed.
    """
    begun = WebSession(
        user_id=user.id,
        token_sha256=token_sha256,
        session_epoch=user.session_epoch,
        address=address,
        expires_at=expires_at,
    )
    session.add(begun)
    session.flush()
    return begun


def find_session(
    session: Session, token_sha256: str, *, seen_since: datetime
) -> tuple[WebSession, User] | None:
    """Return a session that still holds, and its person; None where there is none.

    It holds until it expires, is ended, is idle since before `seen_since`, or the person is
    deactivated or had all their sessions ended.
    """
    statement = (
        select(WebSession, User)
        .join(User, User.id == WebSession.user_id)
        .where(
            WebSession.token_sha256 == token_sha256,
            WebSession.ended_at.is_(None),
            WebSession.expires_at > utc_now(),
            WebSession.seen_at > seen_since,
            WebSession.session_epoch == User.session_epoch,
            User.is_active,
        )
    )
    found = session.execute(statement).one_or_none()
    return None if found is None else (found[0], found[1])


def touch_session(session: Session, session_id: uuid.UUID) -> None:
    """Note that a session is in use."""
    session.execute(update(WebSession).where(WebSession.id == session_id).values(seen_at=utc_now()))


def end_session(session: Session, session_id: uuid.UUID) -> None:
    """End one session; one that has ended stays as it is."""
    session.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.ended_at.is_(None))
        .values(ended_at=utc_now())
    )


def delete_old(session: Session, *, before: datetime) -> None:
    """Delete sessions that expired, and answers that were kept, before an instant."""
    session.execute(delete(WebSession).where(WebSession.expires_at < before))
    session.execute(delete(IdempotentReply).where(IdempotentReply.created_at < before))


def find_reply(session: Session, user_id: uuid.UUID, key: str) -> IdempotentReply | None:
    """Return the answer that a person got under an idempotency key."""
    return session.scalars(
        select(IdempotentReply).where(
            IdempotentReply.user_id == user_id, IdempotentReply.key == key
        )
    ).one_or_none()


def keep_reply(
    session: Session,
    *,
    user_id: uuid.UUID,
    key: str,
    request_sha256: str,
    status: int,
    headers: Mapping[str, str],
    body: str,
) -> IdempotentReply:
    """Keep an answer under a person's idempotency key.

    Raises:
        Conflict: Another request with this key was answered meanwhile.
    """
    reply = IdempotentReply(
        user_id=user_id,
        key=key,
        request_sha256=request_sha256,
        status=status,
        headers=dict(headers),
        body=body,
    )
    session.add(reply)
    session.flush()
    return reply
