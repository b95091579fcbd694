"""Names of people for pages that show who did something."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from db.errors import NotFound
from db.queries.users import get_user


class Names(dict[uuid.UUID | None, str]):
    """Person to full name, read from the records when first asked for."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def __missing__(self, user_id: uuid.UUID | None) -> str:
        """Read one name and keep it; the service itself has none."""
        if user_id is None:
            return "the service"
        try:
            name = get_user(self._session, user_id).full_name
        except NotFound:
            name = str(user_id)
        return self.setdefault(user_id, name)
