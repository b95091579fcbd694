"""Who is acting: passed explicitly to every service, never taken from a request."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from db.models import Role

ANONYMOUS = "anonymous"
SYSTEM_VIAS = frozenset({"worker", "command"})


@dataclass(frozen=True)
class Actor:
    """A person, or the service itself, at the moment of one request.

    Attributes:
        user_id: The person; None for the service itself and before sign-in.
        name: Under which they sign in, or `worker`, `command`, `anonymous`.
        roles: Held roles, narrowed to the scopes of an API key.
        request_id: The request that this is part of.
        via: `session`, `api_key`, `worker` or `command`.
        address: Network address of the asker, where there is one.
    """

    user_id: uuid.UUID | None
    name: str
    roles: frozenset[Role] = frozenset()
    request_id: str | None = None
    via: str = "session"
    address: str | None = None

    @property
    def is_system(self) -> bool:
        """Whether the service acts by itself: its worker, or a command on its own machine."""
        return self.user_id is None and self.via in SYSTEM_VIAS

    @property
    def audit_name(self) -> str:
        """What the audit writes: the person's id, else what acted."""
        return str(self.user_id) if self.user_id is not None else self.name


def worker_actor(*, request_id: str | None = None) -> Actor:
    """Return the actor of the worker's own steps."""
    return Actor(None, "worker", request_id=request_id, via="worker")


def command_actor() -> Actor:
    """Return the actor of commands run on the machine of the service."""
    return Actor(None, "command", via="command")


def anonymous_actor(*, request_id: str | None = None, address: str | None = None) -> Actor:
    """Return the actor of a request that nobody has signed in for."""
    return Actor(None, ANONYMOUS, request_id=request_id, address=address)
