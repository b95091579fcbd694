"""Who may do what: one table, asked by every service and shown to nobody's surprise.

Roles are kept apart on purpose: administrators manage accounts and see no case, auditors see all
and change nothing, gallery managers never see who was searched for.
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from db.models import Role
from forensic.cases.actor import Actor
from forensic.errors import NotPermitted

INVESTIGATOR = frozenset({Role.INVESTIGATOR})
EXAMINER = frozenset({Role.EXAMINER})
MANAGER = frozenset({Role.GALLERY_MANAGER})
AUDITOR = frozenset({Role.AUDITOR})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
EVERYONE = frozenset(Role)


class Action(enum.StrEnum):
    """One thing that a person may or may not do; the value is what a refusal calls it."""

    OPEN_CASE = "open a case"
    VIEW_CASE = "see a case"
    EDIT_CASE = "change a case"
    ASSIGN = "assign people to a case"
    CLOSE_CASE = "close or reopen a case"
    HOLD_CASE = "set a legal hold"
    EXPUNGE_CASE = "expunge a case"
    SEAL_PROBE = "seal a probe"
    PLACE_LANDMARKS = "place landmarks"
    RENDER = "make renditions"
    SEARCH = "search a gallery"
    SEARCH_LONG = "ask for more than 50 candidates"
    REVIEW = "review candidates"
    ADJUDICATE = "adjudicate"
    VIEW_REPORT = "see reports"
    WRITE_REPORT = "write reports"
    VIEW_GALLERY = "see galleries"
    VIEW_SUBJECTS = "see the subjects of a gallery"
    MANAGE_GALLERY = "change galleries"
    EXPUNGE_SUBJECT = "expunge a subject"
    VIEW_JOB = "see jobs"
    CANCEL_JOB = "cancel jobs"
    VIEW_BENCHMARK = "see benchmarks"
    RUN_BENCHMARK = "run benchmarks"
    VIEW_MODELS = "see model cards"
    PREVIEW = "preview a rendition"
    VIEW_PEOPLE = "see who works here"
    MANAGE_USERS = "manage accounts"
    OWN_KEYS = "manage one's own API keys"
    VIEW_AUDIT = "read the audit"
    VERIFY_AUDIT = "verify the audit"
    VIEW_SYSTEM = "see the state of the system"


@dataclass(frozen=True)
class Rule:
    """Which roles may do an action, and which of them in cases that are not their own.

    Attributes:
        roles: Any one of them suffices.
        unbound: Those of `roles` that need not be assigned to the case.
    """

    roles: frozenset[Role]
    unbound: frozenset[Role] = frozenset()


_CASE_READERS = INVESTIGATOR | EXAMINER | AUDITOR
RULES: Mapping[Action, Rule] = {
    Action.OPEN_CASE: Rule(INVESTIGATOR),
    Action.VIEW_CASE: Rule(_CASE_READERS, AUDITOR),
    Action.EDIT_CASE: Rule(INVESTIGATOR),
    Action.ASSIGN: Rule(INVESTIGATOR),
    Action.CLOSE_CASE: Rule(INVESTIGATOR),
    Action.HOLD_CASE: Rule(INVESTIGATOR | ADMINISTRATOR, ADMINISTRATOR),
    Action.EXPUNGE_CASE: Rule(ADMINISTRATOR, ADMINISTRATOR),
    Action.SEAL_PROBE: Rule(INVESTIGATOR),
    Action.PLACE_LANDMARKS: Rule(INVESTIGATOR | EXAMINER),
    Action.RENDER: Rule(INVESTIGATOR | EXAMINER),
    Action.SEARCH: Rule(INVESTIGATOR | EXAMINER),
    Action.SEARCH_LONG: Rule(EXAMINER),
    Action.REVIEW: Rule(EXAMINER),
    Action.ADJUDICATE: Rule(EXAMINER),
    Action.VIEW_REPORT: Rule(_CASE_READERS, AUDITOR),
    Action.WRITE_REPORT: Rule(INVESTIGATOR),
    Action.VIEW_GALLERY: Rule(_CASE_READERS | MANAGER),
    Action.VIEW_SUBJECTS: Rule(MANAGER | AUDITOR),
    Action.MANAGE_GALLERY: Rule(MANAGER),
    Action.EXPUNGE_SUBJECT: Rule(MANAGER),
    Action.VIEW_JOB: Rule(EVERYONE, AUDITOR),
    Action.CANCEL_JOB: Rule(INVESTIGATOR | EXAMINER | MANAGER),
    Action.VIEW_BENCHMARK: Rule(EVERYONE),
    Action.RUN_BENCHMARK: Rule(MANAGER | EXAMINER),
    Action.VIEW_MODELS: Rule(EVERYONE),
    Action.PREVIEW: Rule(INVESTIGATOR | EXAMINER),
    Action.VIEW_PEOPLE: Rule(INVESTIGATOR | AUDITOR | ADMINISTRATOR),
    Action.MANAGE_USERS: Rule(ADMINISTRATOR),
    Action.OWN_KEYS: Rule(EVERYONE),
    Action.VIEW_AUDIT: Rule(AUDITOR),
    Action.VERIFY_AUDIT: Rule(AUDITOR | ADMINISTRATOR),
    Action.VIEW_SYSTEM: Rule(EVERYONE),
}


def may(actor: Actor, action: Action) -> bool:
    """Answer whether the actor's roles allow an action, leaving aside whose case it is."""
    return actor.is_system or bool(actor.roles & RULES[action].roles)


def check(actor: Actor, action: Action) -> None:
    """Refuse an action that none of the actor's roles allows.

    Raises:
        NotPermitted: It is not allowed.
    """
    if not may(actor, action):
        needed = " or ".join(sorted(role.replace("_", " ") for role in RULES[action].roles))
        raise NotPermitted(
            f"You may not {action.value}: that needs the role {needed}.", action=action.name.lower()
        )


def member_id(actor: Actor, action: Action) -> uuid.UUID | None:
    """Return whom a case must be assigned to for the actor to act in it; None for anybody.

    Pass it to `db.queries.cases.get_case` and `list_cases`, which answer for other people's cases
    as if there were none.

    Raises:
        NotPermitted: Nobody has signed in, or the roles allow the action nowhere.
    """
    check(actor, action)
    if actor.is_system or actor.roles & RULES[action].unbound:
        return None
    if actor.user_id is None:
        raise NotPermitted("Sign in first.", action=action.name.lower())
    return actor.user_id
