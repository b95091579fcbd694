"""What a search compares with the gallery, worked out when it is asked for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from db.models import Gallery, Probe, Search, SearchInput
from db.queries import probes as probe_rows
from forensic.cases import access, landmarks
from forensic.cases.actor import Actor
from forensic.cases.permissions import Action
from forensic.cases.renditions import generator_names
from forensic.errors import MissingWeights, RecordConflict, RequestRefused
from forensic.weights.fusions import BEST, find_fusion


def check_left_to_best(generators: Sequence[str], compare_sketch: bool) -> None:
    """Refuse a request that chooses itself what the fusion `best` is to compare.

    Raises:
        RequestRefused: It does.
    """
    if generators or not compare_sketch:
        raise RequestRefused(
            "The fusion best itself chooses what is compared, the sketch first: name no generator "
            "and keep the sketch, or take the mean of what you choose.",
            field="fusion",
        )


def generators_of_best(gallery: Gallery, weights: Path | None) -> list[str]:
    """Return the generators among the parts of the fusion fitted for a gallery's embedder.

    Raises:
        RequestRefused: None was fitted.
        WeightsError: The file of a fusion is damaged.
    """
    try:
        fitted = find_fusion(gallery.embedder, gallery.weights_sha256, folder=weights)
    except MissingWeights as error:
        raise RequestRefused(
            f"No fusion was fitted for the embedder {gallery.embedder} of this gallery: take the "
            "mean, and choose what is compared; or have one fitted with `forensic benchmark "
            "fusion`.",
            field="fusion",
        ) from error
    known = generator_names()
    return [part.method for part in fitted.parts if part.method in known]


def weights_of_best(search: Search) -> set[str] | None:
    """Return the SHA-256 of what a search by `best` used beside the embedder; None for another."""
    if search.parameters.get("fusion") != BEST:
        return None
    used = search.model_hashes or {}
    return {sha256 for role, sha256 in used.items() if not role.startswith("embedder ")}


def probes_of_one_person(
    session: Session, actor: Actor, case_id: uuid.UUID, probe_ids: Sequence[uuid.UUID]
) -> list[Probe]:
    """Return the sketches to search with.

    Raises:
        NotPermitted: No role of the actor allows it.
        RecordNotFound: There is no such probe.
        RecordConflict: A probe was withdrawn.
        RequestRefused: There is none, or one of another case, or they show several people.
    """
    probes = [
        access.get_probe(session, actor, probe_id, Action.SEARCH)
        for probe_id in dict.fromkeys(probe_ids)
    ]
    if not probes or any(probe.case_id != case_id for probe in probes):
        raise RequestRefused("Name at least one probe, of this case.", field="probe_ids")
    if len({probe.person_label for probe in probes}) > 1:
        raise RequestRefused(
            "Several sketches are fused only where they show one person; these carry different "
            "person labels.",
            field="probe_ids",
        )
    if any(probe.withdrawn_at is not None for probe in probes):
        raise RecordConflict("A probe was withdrawn; leave it out.")
    return probes


def inputs_known(
    session: Session, probes: Sequence[Probe], generators: Sequence[str], compare_sketch: bool
) -> list[SearchInput]:
    """Return what is known now to be compared; renditions to be made are added by the worker.

    Raises:
        RecordConflict: A probe has no landmarks, or only renditions are to be compared and one of
            them is not made yet.
        RequestRefused: Nothing is compared.
    """
    inputs: list[SearchInput] = []
    is_missing = False
    for probe in probes:
        version = landmarks.current(session, probe)
        given = {"probe_id": probe.id, "landmark_version_id": version.id}
        if compare_sketch:
            inputs.append(SearchInput(**given))
        for name in () if compare_sketch else generators:
            made = probe_rows.find_rendition(
                session, probe.id, landmark_version_id=version.id, generator=name
            )
            is_missing |= made is None
            if made is not None:
                inputs.append(SearchInput(**given, rendition_id=made.id))
    if is_missing:
        raise RecordConflict(
            "A rendition is not made yet for the present landmarks. Make it first, or compare the "
            "sketch as well."
        )
    if not inputs:
        raise RequestRefused(
            "Nothing is compared: take the sketch, a generator, or both.", field="compare_sketch"
        )
    return inputs
