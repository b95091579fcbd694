"""What tests of the case service begin with."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from db.models import Role
from db.session import session_scope
from forensic.cases import leads, lifecycle
from forensic.storage import FileStore
from tests.support.service import actor_of, completed_search, open_case


@pytest.fixture
def scene(records: Engine, store: FileStore):
    """An investigator, three examiners, and a list of three candidates."""
    with session_scope(records) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        examiners = [actor_of(session, Role.EXAMINER) for _ in range(3)]
        case = open_case(session, actor)
        for examiner in examiners:
            lifecycle.assign(session, actor, case.id, examiner.user_id)
        search = completed_search(session, actor, case, store)
        ids = [row.id for row in leads.all_candidates(session, search.id)]
    return actor, examiners, search, ids
