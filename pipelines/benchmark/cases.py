"""The probes worth looking at: best and worst ranks of the best method, as pictures."""

from __future__ import annotations

import numpy as np

from forensic.reports.cases import CasePictures
from forensic.reports.conclusions import best_method
from pipelines.benchmark.batches import BATCH_SIZE
from pipelines.benchmark.experiment import Outcome
from pipelines.benchmark.locating import read_image
from pipelines.benchmark.simulated import SimulatedMethod
from pipelines.benchmark.system import System

SHOWN_EACH = 4


def case_pictures(outcome: Outcome, system: System) -> list[CasePictures]:
    """Return pictures of the probes with the best and with the worst ranks.

    Raises:
        ImageError: A file changed since it was searched.
    """
    name = best_method(outcome.report)
    method = next(method for method in system.methods if method.name == name)
    draw = method.draw if isinstance(method, SimulatedMethod) else None
    found = outcome.searches[name]
    chosen = extremes(found.ranks)
    if not chosen:
        return []
    items = [outcome.sketches[row] for row in chosen]
    sketches = [read_image(item.image) for item in items]
    points = [item.found.landmarks for item in items if item.found]
    padding = BATCH_SIZE - len(items)
    faces = method.probe(sketches + sketches[-1:] * padding, points + points[-1:] * padding).faces
    files = {p.photo.name: p.photo for p in outcome.data.pairs}
    files |= {d.name: d for d in outcome.data.distractors}
    cases = []
    for row, image, five, face in zip(chosen, sketches, points, faces, strict=False):
        pair, best = outcome.data.pairs[row], outcome.gallery.names[found.best[row]]
        other = files.get(best) if best != pair.photo.name else None  # an index has no pictures
        cases.append(
            CasePictures(
                probe_id=pair.probe_id,
                method=name,
                rank=int(found.ranks[row]),
                sketch=draw(image, five)[0] if draw else image,
                machine_made=face.labelled() if face else None,
                mate=read_image(pair.photo),
                first=read_image(other) if other else None,
            )
        )
    return cases


def extremes(ranks: np.ndarray) -> list[int]:
    """Return the probes with the lowest and the highest ranks, failures left out."""
    order = [int(i) for i in np.argsort(ranks, kind="stable") if np.isfinite(ranks[i])]
    worst = [row for row in order[-SHOWN_EACH:] if row not in order[:SHOWN_EACH]]
    return order[:SHOWN_EACH] + worst[::-1]
