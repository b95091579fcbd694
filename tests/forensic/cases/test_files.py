"""A file goes from the store with the last record that names it, never under one that is new."""

import hashlib
import threading
import uuid

import pytest
from sqlalchemy import Engine

from db.models import Role
from db.session import session_scope
from forensic.cases import files, retention
from forensic.errors import RecordConflict
from forensic.storage import FileStore
from tests.support.service import actor_of, open_case, png, seal

SKETCH = png(3)
SHA256 = hashlib.sha256(SKETCH).hexdigest()


def test_a_sketch_sealed_while_its_file_is_deleted_has_its_file(
    engine: Engine, store: FileStore
) -> None:
    """Whoever seals waits for the deletion, and then puts the file anew."""
    store.put(SKETCH)
    with session_scope(engine) as session:
        actor = actor_of(session, Role.INVESTIGATOR)
        case = open_case(session, actor)

    def seal_beside() -> None:
        with session_scope(engine) as session:
            seal(session, actor, case, store, data=SKETCH)

    thread = threading.Thread(target=seal_beside)
    with session_scope(engine) as session:
        assert files.free_files(session, [SHA256])  # nobody names it yet
        thread.start()
        thread.join(0.5)  # long enough for a seal that does not wait
        assert files.delete_free(session, store, [SHA256]) == (SHA256,)
    thread.join(60)
    assert store.exists(SHA256)


def test_a_file_of_two_cases_goes_with_the_second(records: Engine, store: FileStore) -> None:
    with session_scope(records) as session:
        owner = actor_of(session, Role.INVESTIGATOR)
        admin = actor_of(session, Role.ADMINISTRATOR)
        cases: list[uuid.UUID] = []
        for _ in range(2):
            case = open_case(session, owner)
            seal(session, owner, case, store, data=SKETCH)
            cases.append(case.id)
        for case_id, deleted in zip(cases, [(), (SHA256,)], strict=True):
            retention.expunge(session, admin, case_id, reason="past retention")
            assert files.delete_free(session, store, [SHA256]) == deleted
    assert not store.exists(SHA256)


def test_a_file_that_was_deleted_before_its_record_is_told(
    records: Engine, store: FileStore
) -> None:
    store.put(SKETCH)
    with session_scope(records) as session:
        files.check_kept(session, store, SHA256)
        files.delete_free(session, store, [SHA256])
        with pytest.raises(RecordConflict, match="send it again"):
            files.check_kept(session, store, SHA256)
