"""Accounts: adding people, their roles, their passwords, and who works here."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.models import Role, User
from db.queries import users
from db.queries.rows import Page
from forensic.cases import audit, permissions
from forensic.cases.actor import Actor
from forensic.cases.passwords import (
    check_new_password,
    digest_password,
    is_password,
    new_one_time_password,
)
from forensic.cases.permissions import Action
from forensic.errors import NotSignedIn, RecordConflict, RequestRefused, SignInFailed, StaleRecord

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}\Z")


@dataclass(frozen=True)
class Person:
    """One account with its roles, without anything secret."""

    user: User
    roles: frozenset[Role]


def add_user(
    session: Session, actor: Actor, *, name: str, full_name: str, roles: Iterable[Role]
) -> tuple[Person, str]:
    """Add a person and return them with a one-time password, which is shown once and not kept.

    Raises:
        NotPermitted: The actor may not manage accounts.
        RequestRefused: The name is malformed, or the full name empty.
        RecordConflict: The name is taken.
    """
    permissions.check(actor, Action.MANAGE_USERS)
    if not _NAME.match(name):
        raise RequestRefused(
            "A name has 2 to 64 of a-z, 0-9 and . _ @ - and begins with a letter or digit.",
            field="name",
        )
    if not full_name.strip():
        raise RequestRefused("The full name is empty.", field="full_name")
    if users.find_user(session, name) is not None:
        raise RecordConflict(f"There is already a person named {name!r}.")
    password, held = new_one_time_password(), frozenset(roles)
    user = users.create_user(
        session,
        name=name,
        full_name=full_name.strip(),
        password_digest=digest_password(password),
        roles=held,
        must_change_password=True,
        granted_by_id=actor.user_id,
    )
    audit.record(session, actor, audit.Tag.USER_ADDED, user_id=user.id, name=name, roles=held)
    return Person(user, held), password


def get_user(session: Session, actor: Actor, user_id: uuid.UUID) -> Person:
    """Return one person; everybody may see themselves.

    Raises:
        NotPermitted: The actor may not see who works here.
        db.errors.NotFound: There is no such person.
    """
    if actor.user_id != user_id:
        permissions.check(actor, Action.VIEW_PEOPLE)
    user = users.get_user(session, user_id)
    return Person(user, users.list_roles(session, user_id))


def find_user(session: Session, actor: Actor, name: str) -> Person:
    """Return the person who signs in as `name`.

    Raises:
        NotPermitted: The actor may not see who works here.
        RequestRefused: There is nobody of that name.
    """
    permissions.check(actor, Action.VIEW_PEOPLE)
    user = users.find_user(session, name)
    if user is None:
        raise RequestRefused(f"There is nobody named {name!r}.", field="name")
    return Person(user, users.list_roles(session, user.id))


def list_users(
    session: Session, actor: Actor, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Person]:
    """Return people in the order in which they were added.

    Raises:
        NotPermitted: The actor may not see who works here.
    """
    permissions.check(actor, Action.VIEW_PEOPLE)
    page = users.list_users(session, after=after, limit=limit)
    people = [Person(user, users.list_roles(session, user.id)) for user in page.rows]
    audit.record(session, actor, audit.Tag.USERS_LISTED, count=len(people))
    return Page(people, page.next_after)


def update_user(
    session: Session,
    actor: Actor,
    user_id: uuid.UUID,
    *,
    version: int | None = None,
    full_name: str | None = None,
    is_active: bool | None = None,
    roles: Iterable[Role] | None = None,
) -> Person:
    """Change a person's full name, roles, or whether they may sign in; None leaves as it is.

    Whatever takes something away ends the person's sessions.

    Raises:
        NotPermitted: The actor may not manage accounts.
        RecordConflict: Administrators may not take their own account or role away.
        StaleRecord: The account is no longer at `version`.
        db.errors.NotFound: There is no such person.
    """
    permissions.check(actor, Action.MANAGE_USERS)
    user = users.get_user(session, user_id, lock=True)
    if version is not None and user.version != version:
        raise StaleRecord("The account was changed by someone else meanwhile; read it again.")
    held = users.list_roles(session, user_id)
    wanted = held if roles is None else frozenset(roles)
    loses_admin = Role.ADMINISTRATOR in held and Role.ADMINISTRATOR not in wanted
    if user_id == actor.user_id and (loses_admin or is_active is False):
        raise RecordConflict("Nobody takes away their own account or administration.")
    if full_name is not None:
        user.full_name = full_name.strip() or user.full_name
    if is_active is not None:
        user.is_active = is_active
    if held - wanted or is_active is False:
        user.session_epoch += 1
    users.set_roles(session, user_id, wanted, granted_by_id=actor.user_id)
    session.flush()
    tag = audit.Tag.ROLES_SET if wanted != held else audit.Tag.USER_CHANGED
    audit.record(
        session, actor, tag, user_id=user_id, roles=wanted, before=held, is_active=user.is_active
    )
    return Person(user, wanted)


def reset_password(session: Session, actor: Actor, user_id: uuid.UUID) -> tuple[Person, str]:
    """Give a person a new one-time password, end their sessions and lift a lock.

    Raises:
        NotPermitted: The actor may not manage accounts.
        db.errors.NotFound: There is no such person.
    """
    permissions.check(actor, Action.MANAGE_USERS)
    password = new_one_time_password()
    user = users.get_user(session, user_id, lock=True)
    user.password_digest, user.must_change_password = digest_password(password), True
    user.failed_logins, user.locked_until_at = 0, None
    user.session_epoch += 1
    session.flush()
    audit.record(session, actor, audit.Tag.PASSWORD_RESET, user_id=user_id)
    return Person(user, users.list_roles(session, user_id)), password


def change_password(session: Session, actor: Actor, *, old: str, new: str, length_min: int) -> User:
    """Replace one's own password, which ends one's sessions.

    Raises:
        NotSignedIn: Nobody is signed in.
        SignInFailed: The old password is wrong.
        PasswordRejected: The new one may not be used.
    """
    if actor.user_id is None:
        raise NotSignedIn("Sign in first.")
    user = users.get_user(session, actor.user_id, lock=True)
    if not is_password(old, user.password_digest):
        raise SignInFailed("The present password is wrong.")
    check_new_password(new, length_min=length_min, name=user.name, old=old)
    user.password_digest, user.must_change_password = digest_password(new), False
    user.session_epoch += 1
    session.flush()
    audit.record(session, actor, audit.Tag.PASSWORD_CHANGED)
    return user
