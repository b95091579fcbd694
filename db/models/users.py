"""People and machines that sign in, what they may do, and the keys they use."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, CreatedAt, Id, JsonList, Sha256, Versioned


class Role(enum.StrEnum):
    """What a person may do; `forensic.cases` says what each role allows."""

    INVESTIGATOR = "investigator"
    EXAMINER = "examiner"
    GALLERY_MANAGER = "gallery_manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class User(Versioned, Base):
    """One person who may sign in.

    May change; is never deleted, because cases, reviews and the audit name it. Holds no
    password, only its digest. Raising `session_epoch` ends every session of the person.
    """

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("failed_logins >= 0", "failed_logins"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str]
    password_digest: Mapped[str]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    session_epoch: Mapped[int] = mapped_column(default=0)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    created_at: Mapped[CreatedAt]


class UserRole(Base):
    """One role held by one person; never changes, is added and deleted."""

    __tablename__ = "user_roles"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(primary_key=True)
    granted_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]


class ApiKey(Base):
    """One key by which a machine acts for a person.

    Only `last_used_at` and `revoked_at` change. The key itself is shown once and not kept: the
    prefix finds the row, the digest proves the key.
    """

    __tablename__ = "api_keys"

    id: Mapped[Id]
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    label: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    digest_sha256: Mapped[Sha256]
    scopes: Mapped[JsonList]
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
