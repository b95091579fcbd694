"""The form that seals a sketch, which the page of a case and the drawing board share."""

from __future__ import annotations

from typing import Any

from db.models import ProbeKind
from forensic.cases.probes import DEFAULT_PERSON
from forensic.web import records
from forensic.web.pages.forms import Form

KINDS = (
    (ProbeKind.FORENSIC, "Forensic: drawn by an artist from a witness's memory"),
    (ProbeKind.COMPOSITE, "Composite: put together with software"),
    (ProbeKind.FREEHAND, "Freehand: drawn by someone untrained"),
    (ProbeKind.VIEWED, "Viewed: drawn from a photo, for benchmarks only"),
)


def empty() -> Form:
    """Return the form before anything is written into it."""
    return Form(person_label=DEFAULT_PERSON, kind=ProbeKind.FORENSIC.value)


def context() -> dict[str, Any]:
    """Return what the form's template needs beside the form."""
    kinds = [(kind.value, label) for kind, label in KINDS]
    return {"kinds": kinds, "most_bytes": records.settings().sketch_bytes_max}
