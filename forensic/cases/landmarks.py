"""Landmarks of a probe: found, or placed by hand; each correction is a new version."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from db.models import LandmarkVersion, Probe
from db.queries import probes as probe_rows
from db.queries.rows import Page
from forensic.cases import access, audit
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action
from forensic.check import check_landmarks
from forensic.errors import LandmarksError, RecordConflict


def place(
    session: Session,
    actor: Actor,
    probe_id: uuid.UUID,
    points: Sequence[Sequence[float]],
    *,
    based_on: int | None = None,
) -> LandmarkVersion:
    """Add a version of a probe's landmarks, as a person placed them.

    Args:
        session: An open session that may write.
        actor: Who placed them.
        probe_id: Which probe.
        points: Five (x, y) in pixels of the sketch, in the order of `forensic.values.Landmarks`.
        based_on: Number of the version that was corrected, 0 for none; None does not ask.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such probe, or it is in other people's case.
        CaseClosed: The case is closed.
        LandmarksError: They are not five points of an upright face, inside the sketch.
        RecordConflict: Someone else has placed a newer version.
    """
    probe = access.get_probe(session, actor, probe_id, Action.PLACE_LANDMARKS, is_change=True)
    _check_points(points, probe)
    latest = probe_rows.find_landmarks(session, probe_id)
    if based_on is not None and based_on != (latest.number if latest else 0):
        raise RecordConflict("Someone else has placed landmarks meanwhile; look at them first.")
    version = probe_rows.add_landmarks(
        session,
        probe_id,
        points,
        author_id=access.user_id(actor),
        detector=latest.detector if latest else None,
    )
    audit.record(
        session,
        actor,
        audit.Tag.LANDMARKS_PLACED,
        case_id=probe.case_id,
        probe_id=probe_id,
        number=version.number,
        points=version.points,
    )
    return version


def record_found(
    session: Session,
    actor: Actor,
    probe_id: uuid.UUID,
    points: Sequence[Sequence[float]],
    *,
    detector: str,
    probability: float,
) -> LandmarkVersion:
    """Keep the landmarks that a detector found, unless the probe has some already.

    Raises:
        NotPermitted: Not the service itself.
        RecordNotFound: There is no such probe.
    """
    access.check_system(actor)
    probe = access.get_probe(session, actor, probe_id, Action.PLACE_LANDMARKS)
    known = probe_rows.find_landmarks(session, probe_id)
    if known is not None:  # a person was quicker, or the job is done a second time
        return known
    version = probe_rows.add_landmarks(session, probe_id, points, detector=detector)
    audit.record(
        session,
        actor,
        audit.Tag.LANDMARKS_FOUND,
        case_id=probe.case_id,
        probe_id=probe_id,
        number=version.number,
        detector=detector,
        probability=round(probability, 4),
    )
    return version


def list_versions(
    session: Session,
    actor: Actor,
    probe_id: uuid.UUID,
    *,
    after: int | None = None,
    limit: int = 50,
) -> Page[LandmarkVersion]:
    """Return the versions of a probe's landmarks, first one first.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such probe, or it is in other people's case.
    """
    probe = access.get_probe(session, actor, probe_id, Action.VIEW_CASE)
    with access.plain_errors():
        page = probe_rows.list_landmarks(session, probe_id, after=after, limit=limit)
    audit.record(
        session, actor, audit.Tag.LANDMARKS_VIEWED, case_id=probe.case_id, probe_id=probe_id
    )
    return page


def current(session: Session, probe: Probe) -> LandmarkVersion:
    """Return the version of a probe's landmarks that work goes on with.

    Raises:
        RecordConflict: There is none yet.
    """
    version = probe_rows.find_landmarks(session, probe.id)
    if version is None:
        raise RecordConflict(
            "The sketch has no landmarks yet: wait until they are found, or place them by hand."
        )
    return version


def _check_points(points: Sequence[Sequence[float]], probe: Probe) -> None:
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise LandmarksError("Landmarks must be five [x, y] points of numbers.") from None
    check_landmarks(array)
    outside = (array < 0) | (array > (probe.width_px, probe.height_px))
    if outside.any():
        raise LandmarksError(
            f"A landmark lies outside the sketch of {probe.width_px}×{probe.height_px} pixels."
        )
