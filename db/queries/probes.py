"""Probes, versions of their landmarks, and the renditions made from them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.base import utc_now
from db.errors import Conflict, Invalid, NotFound
from db.models.cases import Case, CaseStatus
from db.models.probes import LandmarkOrigin, LandmarkVersion, Probe, Rendition
from db.queries.files import hold_files
from db.queries.rows import Page, fetch_page, get_row


def add_probe(session: Session, probe: Probe) -> tuple[Probe, bool]:
    """Seal a sketch into its case; return its row and whether it is new.

    The same file sealed twice into one case is one probe: the first row comes back.

    Raises:
        NotFound: There is no such case.
        Conflict: The case is closed.
    """
    case = get_row(session, Case, probe.case_id, lock=True)
    if case.status is not CaseStatus.OPEN:
        raise Conflict(f"Case {case.number!r} is closed; open it again to add a sketch.")
    known = session.scalars(
        select(Probe).where(
            Probe.case_id == probe.case_id, Probe.sketch_sha256 == probe.sketch_sha256
        )
    ).one_or_none()
    if known is not None:
        return known, False
    session.add(probe)
    session.flush()
    return probe, True


def list_probes(
    session: Session, case_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Probe]:
    """Return the probes of a case in the order in which they were sealed."""
    statement = select(Probe).where(Probe.case_id == case_id)
    return fetch_page(session, statement, key=Probe.id, after=after, limit=limit)


def withdraw_probe(session: Session, probe_id: uuid.UUID) -> Probe:
    """Mark a probe as no longer to be searched with; it stays in the record.

    Raises:
        NotFound: There is no such probe.
    """
    probe = get_row(session, Probe, probe_id, lock=True)
    probe.withdrawn_at = probe.withdrawn_at or utc_now()
    session.flush()
    return probe


def add_landmarks(
    session: Session,
    probe_id: uuid.UUID,
    points: Sequence[Sequence[float]],
    *,
    author_id: uuid.UUID | None = None,
    detector: str | None = None,
) -> LandmarkVersion:
    """Add the next version of a probe's landmarks, by a person or by a detector.

    Args:
        session: An open session.
        probe_id: Which probe.
        points: Five (x, y) in pixels of the sketch.
        author_id: The person who placed them; None for a detector.
        detector: The detector that found them, or whose points the person corrected.

    Raises:
        NotFound: There is no such probe.
        Invalid: There are not five points of two numbers, or nobody is named as their author.
    """
    if [len(point) for point in points] != [2] * 5:
        raise Invalid("Landmarks are five points of two numbers each.")
    if author_id is None and detector is None:
        raise Invalid("Landmarks need the person or the detector that placed them.")
    get_row(session, Probe, probe_id, lock=True)  # one next number at a time
    latest = find_landmarks(session, probe_id)
    version = LandmarkVersion(
        probe_id=probe_id,
        number=latest.number + 1 if latest else 1,
        points=[[float(x), float(y)] for x, y in points],
        origin=LandmarkOrigin.DETECTOR if author_id is None else LandmarkOrigin.PERSON,
        detector=detector,
        author_id=author_id,
    )
    session.add(version)
    session.flush()
    return version


def find_landmarks(
    session: Session, probe_id: uuid.UUID, *, number: int | None = None
) -> LandmarkVersion | None:
    """Return one version of a probe's landmarks, by default the latest."""
    statement = select(LandmarkVersion).where(LandmarkVersion.probe_id == probe_id)
    if number is not None:
        statement = statement.where(LandmarkVersion.number == number)
    return session.scalars(statement.order_by(LandmarkVersion.number.desc()).limit(1)).first()


def list_landmarks(
    session: Session, probe_id: uuid.UUID, *, after: int | None = None, limit: int = 50
) -> Page[LandmarkVersion]:
    """Return the versions of a probe's landmarks, first one first."""
    statement = select(LandmarkVersion).where(LandmarkVersion.probe_id == probe_id)
    return fetch_page(session, statement, key=LandmarkVersion.number, after=after, limit=limit)


def add_rendition(session: Session, rendition: Rendition) -> Rendition:
    """Keep one face that a generator made.

    Raises:
        Conflict: Its landmarks belong to another probe.
        NotFound: There are no such landmarks.
    """
    landmarks = get_row(session, LandmarkVersion, rendition.landmark_version_id)
    if landmarks.probe_id != rendition.probe_id:
        raise Conflict("The landmarks of a rendition belong to another probe.")
    hold_files(session)
    session.add(rendition)
    session.flush()
    return rendition


def find_rendition(
    session: Session,
    probe_id: uuid.UUID,
    *,
    landmark_version_id: uuid.UUID,
    generator: str,
    weights_sha256: str | None = None,
    seed: int = 0,
) -> Rendition | None:
    """Return the newest rendition made so, by any weights unless they are named."""
    statement = select(Rendition).where(
        Rendition.probe_id == probe_id,
        Rendition.landmark_version_id == landmark_version_id,
        Rendition.generator == generator,
        Rendition.seed == seed,
    )
    if weights_sha256 is not None:
        statement = statement.where(Rendition.weights_sha256 == weights_sha256)
    return session.scalars(statement.order_by(Rendition.id.desc()).limit(1)).first()


def get_probe(session: Session, probe_id: uuid.UUID, *, case_id: uuid.UUID | None = None) -> Probe:
    """Return one probe; with `case_id`, only where it belongs to that case.

    Raises:
        NotFound: There is none, or it belongs to another case.
    """
    probe = get_row(session, Probe, probe_id)
    if case_id is not None and probe.case_id != case_id:
        raise NotFound("probe", probe_id)
    return probe


def list_renditions(
    session: Session, probe_id: uuid.UUID, *, after: uuid.UUID | None = None, limit: int = 50
) -> Page[Rendition]:
    """Return the renditions of a probe, newest first."""
    statement = select(Rendition).where(Rendition.probe_id == probe_id)
    return fetch_page(
        session, statement, key=Rendition.id, after=after, limit=limit, descending=True
    )
