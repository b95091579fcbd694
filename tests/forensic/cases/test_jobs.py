"""Background work is seen by those whose case or gallery it is, and cancelled by few."""

import uuid

import pytest
from sqlalchemy import Engine

from db.models import JobState, Role
from db.session import session_scope
from forensic.cases import jobs, retention
from forensic.cases.actor import Actor
from forensic.cases.audit import Tag
from forensic.cases.jobs import JobKind
from forensic.errors import NotPermitted, RecordConflict, RecordNotFound
from forensic.storage import FileStore
from tests.support.service import actor_of, events_of, fill_gallery, open_case


@pytest.fixture
def scene(records: Engine, store: FileStore):
    with session_scope(records) as session:
        actor, manager = (
            actor_of(session, Role.INVESTIGATOR),
            actor_of(session, Role.GALLERY_MANAGER),
        )
        case = open_case(session, actor)
        gallery, _ = fill_gallery(session, store)
        of_case = jobs.create(session, actor, JobKind.SEARCH, {}, case_id=case.id)
        of_gallery = jobs.create(session, manager, JobKind.IMPORT, {}, gallery_id=gallery.id)
    return actor, manager, of_case, of_gallery


def test_each_sees_their_own_and_nobody_elses(records: Engine, scene) -> None:
    actor, manager, of_case, of_gallery = scene
    with session_scope(records) as session:
        stranger, auditor = actor_of(session, Role.INVESTIGATOR), actor_of(session, Role.AUDITOR)
        assert jobs.get(session, actor, of_case.id).id == of_case.id
        assert jobs.get(session, manager, of_gallery.id).id == of_gallery.id
        assert jobs.get(session, auditor, of_case.id).id == of_case.id
        for who, job in ((stranger, of_case), (manager, of_case), (actor, of_gallery)):
            with pytest.raises(RecordNotFound) as refused:
                jobs.get(session, who, job.id)
            assert str(refused.value) == f"There is no job {str(job.id)!r}."
        with pytest.raises(RecordNotFound):
            jobs.get(session, actor, uuid.uuid4())
        with pytest.raises(NotPermitted):
            jobs.get(session, Actor(None, "anonymous"), of_case.id)


def test_watching_leaves_the_audit_alone(records: Engine, scene) -> None:
    actor, _, of_case, _ = scene
    with session_scope(records) as session:
        jobs.watch(session, actor, of_case.id)
        assert not events_of(session, Tag.JOB_VIEWED)
        jobs.get(session, actor, of_case.id)
        assert len(events_of(session, Tag.JOB_VIEWED)) == 1


def test_a_waiting_job_is_cancelled_once(records: Engine, scene) -> None:
    actor, manager, of_case, of_gallery = scene
    with session_scope(records) as session:
        assert jobs.cancel(session, actor, of_case.id).state is JobState.CANCELLED
        assert jobs.cancel(session, manager, of_gallery.id).state is JobState.CANCELLED
        assert len(events_of(session, Tag.JOB_CANCELLED)) == 2
        with pytest.raises(RecordConflict):
            jobs.cancel(session, actor, of_case.id)


def test_the_deletion_of_files_is_not_cancelled_by_those_it_concerns(
    records: Engine, scene
) -> None:
    actor, _, of_case, _ = scene
    with session_scope(records) as session:
        chief = actor_of(session, Role.ADMINISTRATOR)
        job = retention.expunge(session, chief, of_case.case_id, reason="acquitted")
        with pytest.raises(NotPermitted):
            jobs.cancel(session, actor, job.id)


def test_jobs_are_listed_by_case(records: Engine, scene) -> None:
    actor, manager, of_case, of_gallery = scene
    with session_scope(records) as session:
        listed = jobs.list_of_case(session, actor, of_case.case_id).rows
        assert [job.id for job in listed] == [of_case.id]
        listed = jobs.list_of_gallery(session, manager, of_gallery.gallery_id).rows
        assert [job.id for job in listed] == [of_gallery.id]
        with pytest.raises(NotPermitted):
            jobs.list_of_gallery(session, actor, of_gallery.gallery_id)
