"""What the web keeps between requests: who is signed in, and answers that may be asked again."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, CreatedAt, Id, JsonObject, Sha256


class WebSession(Base):
    """One browser in which a person is signed in.

    The token in the browser's cookie is not kept, only its digest. `seen_at` moves with use;
    `ended_at` is set once. A session also ends when the person's `session_epoch` moves on.
    """

    __tablename__ = "web_sessions"

    id: Mapped[Id]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    token_sha256: Mapped[Sha256] = mapped_column(unique=True)
    session_epoch: Mapped[int]
    address: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    seen_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class IdempotentReply(Base):
    """The answer to one request that carried an `Idempotency-Key`; never changes.

    Written in the transaction of the work that it answers for, so the work is done once however
    often it is asked for. Deleted when it is a day old.
    """

    __tablename__ = "idempotent_replies"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index(None, "created_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    key: Mapped[str]
    request_sha256: Mapped[Sha256]
    """Of method, path and body: the same key with another request is refused."""
    status: Mapped[int]
    headers: Mapped[JsonObject]
    body: Mapped[str]
    created_at: Mapped[CreatedAt]
