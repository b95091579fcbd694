"""Whether a probe can be searched with, and what will weaken the search; an examiner decides."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from db.models import Job, JobState, LandmarkVersion, Probe
from db.queries import probes as probe_rows
from db.queries.jobs import list_jobs
from db.queries.rows import PAGE_SIZE_MAX
from forensic.cases import access, audit
from forensic.cases.actor import Actor
from forensic.cases.jobs import JobKind
from forensic.cases.permissions import Action
from forensic.errors import ImageError, LandmarksError, StorageError
from forensic.faces.plausible import is_plausible
from forensic.faces.quality import FaceMeasures, measure_face
from forensic.images.io import decode_image
from forensic.sketches.normalise import normalise_sketch
from forensic.storage import FileStore
from forensic.values import RGB

EYE_DISTANCE_MIN_PX = 35.0
"""Between the eyes of the 112-pixel frame in which faces are compared: less is enlarged to it."""
ROLL_MAX_DEG = 15.0
"""The crop of CSI does not level the eyes, and was trained on upright faces."""
OUTSIDE_MAX = 0.1
CONTRAST_MIN = 0.02
"""A face of nearly one tone: an empty sheet, or landmarks beside the drawing."""

MENDED = {
    "inverted": "White lines on black: the sketch is inverted before it is compared.",
    "evened": "A shadow lies on the paper: it is evened before the sketch is compared. Scan it.",
}
"""What is told of each step of `normalise_sketch`."""

NOTE = (
    "Measures of the drawing and its landmarks. They were made for photographs and foretell no "
    "match: whether a sketch is fit to be searched with is an examiner's decision."
)


@dataclass(frozen=True)
class Finding:
    """One thing that speaks against a search.

    Attributes:
        code: Stable.
        is_blocking: Whether a search would be refused or fail, not only be weaker.
        message: In words, with the remedy.
    """

    code: str
    is_blocking: bool
    message: str


@dataclass(frozen=True)
class Suitability:
    """What is known of a probe before a search; measures are None without picture or landmarks."""

    probe: Probe
    landmarks: LandmarkVersion | None
    measures: FaceMeasures | None
    findings: tuple[Finding, ...]
    note: str = NOTE

    @property
    def is_searchable(self) -> bool:
        """Whether nothing stands in the way of a search."""
        return not any(finding.is_blocking for finding in self.findings)


def assess(session: Session, actor: Actor, probe_id: uuid.UUID, *, store: FileStore) -> Suitability:
    """Return what can be measured of a probe, and what speaks against searching with it.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such probe, or it is in other people's case.
    """
    probe = access.get_probe(session, actor, probe_id, Action.VIEW_CASE)
    landmarks = probe_rows.find_landmarks(session, probe_id)
    findings = [*_of_record(probe), *_of_search_for_landmarks(session, probe, landmarks)]
    picture, damage = _picture(probe, store)
    findings += damage
    measures = None
    if picture is not None:
        findings += _of_paper(picture)
    if picture is not None and landmarks is not None:
        measures, weak = _measured(picture, landmarks)
        findings += weak
    audit.record(
        session,
        actor,
        audit.Tag.PROBE_ASSESSED,
        case_id=probe.case_id,
        probe_id=probe_id,
        findings=[finding.code for finding in findings],
    )
    return Suitability(probe, landmarks, measures, tuple(findings))


def _of_record(probe: Probe) -> list[Finding]:
    if probe.expunged_at is not None:
        return [Finding("expunged", True, "The case was expunged; only the seal remains.")]
    if probe.withdrawn_at is not None:
        return [Finding("withdrawn", True, "The probe was withdrawn; seal a better sketch.")]
    return []


def _of_search_for_landmarks(
    session: Session, probe: Probe, landmarks: LandmarkVersion | None
) -> list[Finding]:
    """Say why there are no landmarks: not found yet, or the reason why none were."""
    if landmarks is not None:
        return []
    job = _landmark_job(session, probe)
    if job is not None and job.ended_at is None:
        told = "They are being looked for; wait a moment, or place them by hand."
        return [Finding("landmarks_pending", True, told)]
    why = f" ({job.detail})" if job is not None and job.state is JobState.FAILED else ""
    return [Finding("no_landmarks", True, f"No landmarks were found{why}: place them by hand.")]


def _landmark_job(session: Session, probe: Probe) -> Job | None:
    jobs = list_jobs(
        session, case_id=probe.case_id, kind=JobKind.LANDMARKS.value, limit=PAGE_SIZE_MAX
    )
    ours = (job for job in jobs.rows if job.parameters.get("probe_id") == str(probe.id))
    return next(ours, None)


def _picture(probe: Probe, store: FileStore) -> tuple[RGB | None, list[Finding]]:
    if probe.expunged_at is not None:
        return None, []
    try:
        return decode_image(store.read(probe.sketch_sha256), name="the sketch"), []
    except (StorageError, ImageError) as error:
        return None, [Finding("file_unusable", True, str(error))]


def _of_paper(picture: RGB) -> list[Finding]:
    """Say what is mended before a sketch is compared, or that nothing is drawn."""
    try:
        steps = normalise_sketch(picture, name="The sketch").steps
    except ImageError as error:
        return [Finding(error.reason, True, str(error))]
    return [Finding(step, False, MENDED[step]) for step in steps]


def _measured(
    picture: RGB, landmarks: LandmarkVersion
) -> tuple[FaceMeasures | None, list[Finding]]:
    points = np.array(landmarks.points, dtype=np.float32)
    try:
        measures = measure_face(picture, points)
    except LandmarksError as error:
        return None, [Finding("landmarks_unusable", True, f"{error} Place them anew.")]
    weak = {
        "landmarks_implausible": (
            not is_plausible(points),
            "The landmarks lie unlike those of a face from the front; look at them.",
        ),
        "small_face": (
            measures.eye_distance_px < EYE_DISTANCE_MIN_PX,
            f"The eyes are {measures.eye_distance_px:.0f} pixels apart; below "
            f"{EYE_DISTANCE_MIN_PX:.0f} the face is enlarged. Scan the sketch finer.",
        ),
        "tilted": (
            abs(measures.roll_deg) > ROLL_MAX_DEG,
            f"The face is turned by {measures.roll_deg:.0f} degrees. Scan the sketch upright.",
        ),
        "cut_off": (
            measures.outside > OUTSIDE_MAX,
            f"{measures.outside:.0%} of the face's square lie beyond the sketch's border.",
        ),
        "low_contrast": (
            measures.contrast < CONTRAST_MIN,
            "The face is of nearly one tone: faint strokes, or landmarks beside the drawing.",
        ),
    }
    return measures, [Finding(code, False, told) for code, (is_so, told) in weak.items() if is_so]
