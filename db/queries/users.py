"""People, their roles, and the keys by which machines act for them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db.base import utc_now
from db.errors import NotFound
from db.models.users import ApiKey, Role, User, UserRole
from db.queries.rows import Page, fetch_page, get_row


def create_user(
    session: Session,
    *,
    name: str,
    full_name: str,
    password_digest: str,
    roles: Iterable[Role] = (),
    must_change_password: bool = False,
    granted_by_id: uuid.UUID | None = None,
) -> User:
    """Add a person who may sign in.

    Raises:
        Conflict: The name is taken; seen when the transaction is flushed.
    """
    user = User(
        name=name,
        full_name=full_name,
        password_digest=password_digest,
        must_change_password=must_change_password,
    )
    session.add(user)
    session.flush()
    set_roles(session, user.id, roles, granted_by_id=granted_by_id)
    return user


def get_user(session: Session, user_id: uuid.UUID, *, lock: bool = False) -> User:
    """Return one person.

    Raises:
        NotFound: There is none with this id.
    """
    return get_row(session, User, user_id, lock=lock)


def find_user(session: Session, name: str) -> User | None:
    """Return the person who signs in as `name`."""
    return session.scalars(select(User).where(User.name == name)).one_or_none()


def list_users(session: Session, *, after: uuid.UUID | None = None, limit: int = 50) -> Page[User]:
    """Return people in the order in which they were added."""
    return fetch_page(session, select(User), key=User.id, after=after, limit=limit)


def list_roles(session: Session, user_id: uuid.UUID) -> frozenset[Role]:
    """Return the roles that a person holds."""
    return frozenset(session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)))


def set_roles(
    session: Session,
    user_id: uuid.UUID,
    roles: Iterable[Role],
    *,
    granted_by_id: uuid.UUID | None = None,
) -> None:
    """Make `roles` the roles that a person holds, no more and no fewer."""
    wanted, held = set(roles), list_roles(session, user_id)
    session.execute(
        delete(UserRole).where(UserRole.user_id == user_id, UserRole.role.not_in(wanted))
    )
    session.add_all(
        UserRole(user_id=user_id, role=role, granted_by_id=granted_by_id)
        for role in sorted(wanted - held)
    )
    session.flush()


def record_failed_login(
    session: Session, user_id: uuid.UUID, *, lock_after: int, lock_for: timedelta
) -> int:
    """Count a wrong password, lock the account at every `lock_after`th, and return the count.

    Counted in the database, so that many attempts at once are all counted.

    Raises:
        NotFound: There is no such person.
    """
    counted = (
        update(User)
        .where(User.id == user_id)
        .values(failed_logins=User.failed_logins + 1)
        .returning(User.failed_logins)
        .execution_options(synchronize_session=False)
    )
    failed = session.scalar(counted)
    if failed is None:
        raise NotFound("user", user_id)
    if failed % lock_after == 0:
        _set(session, user_id, locked_until_at=utc_now() + lock_for)
    return failed


def record_login(session: Session, user_id: uuid.UUID) -> None:
    """Note a right password: the count of wrong ones starts again."""
    _set(session, user_id, failed_logins=0, locked_until_at=None, last_login_at=utc_now())


def _set(session: Session, user_id: uuid.UUID, **values: object) -> None:
    """Change columns that are no edit by a person, and so leave `version` alone."""
    session.execute(
        update(User)
        .where(User.id == user_id)
        .values(**values)
        .execution_options(synchronize_session="fetch")
    )


def create_api_key(
    session: Session,
    *,
    user_id: uuid.UUID,
    label: str,
    prefix: str,
    digest_sha256: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
) -> ApiKey:
    """Add a key; only its prefix and digest are kept.

    Raises:
        Conflict: The prefix is taken, or there is no such person; seen when flushed.
    """
    key = ApiKey(
        user_id=user_id,
        label=label,
        prefix=prefix,
        digest_sha256=digest_sha256,
        scopes=list(scopes),
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return key


def find_api_key(session: Session, prefix: str) -> ApiKey | None:
    """Return the key with this prefix unless it is revoked, expired, or its person inactive.

    The caller compares the digest, in constant time.
    """
    key = session.scalars(
        select(ApiKey)
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.prefix == prefix, ApiKey.revoked_at.is_(None), User.is_active)
    ).one_or_none()
    expired = key is not None and key.expires_at is not None and key.expires_at <= utc_now()
    return None if expired else key


def list_api_keys(session: Session, user_id: uuid.UUID) -> Sequence[ApiKey]:
    """Return all keys of a person, oldest first."""
    return session.scalars(
        select(ApiKey).where(ApiKey.user_id == user_id).order_by(ApiKey.id)
    ).all()


def revoke_api_key(session: Session, key_id: uuid.UUID) -> ApiKey:
    """End a key; a key that has ended stays as it is.

    Raises:
        NotFound: There is no such key.
    """
    key = get_row(session, ApiKey, key_id, lock=True)
    key.revoked_at = key.revoked_at or utc_now()
    session.flush()
    return key


def note_key_use(session: Session, key_id: uuid.UUID) -> None:
    """Note that a key was used now."""
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=utc_now()))
