"""The case report as HTML, JSON and CSV, and all of it as one ZIP with a manifest of SHA-256."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime

from forensic.errors import ImageError
from forensic.files import sha256_of_bytes
from forensic.images.io import decode_image
from forensic.reports.case_record import CaseReport, Pictures
from forensic.reports.html import picture_uri, render_page
from forensic.reports.tables import safe_cell
from forensic.values import LEAD_ONLY

MANIFEST = "manifest.json"

_COLUMNS = (
    "search", "rank", "subject", "photo_sha256", "similarity", "verdict", "standing", "examiner",
    "decision", "note", "decided_at", "is_superseded", "adjudication", "contributions",
)  # fmt: skip


def render_case_html(report: CaseReport, pictures: Pictures) -> bytes:
    """Return a page that stands alone: nothing in it is loaded from elsewhere.

    Args:
        report: What it says.
        pictures: Sketches, labelled renditions and photos by SHA-256; an absent one is said to
            be no longer kept.
    """
    shown = {key: uri for key, data in pictures.items() if (uri := _uri(data)) is not None}
    return render_page("case.html.j2", report=report, pictures=shown).encode()


def render_case_json(report: CaseReport) -> bytes:
    """Return the report as JSON with sorted keys."""
    text = json.dumps(report.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode()


def render_case_csv(report: CaseReport) -> bytes:
    """Return one row for each decision, and one for each candidate without; notice first."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([report.notice])
    writer.writerow(_COLUMNS)
    for search in report.searches:
        for c in search.candidates:
            facts = [
                search.label, c.rank, c.subject, c.photo_sha256, f"{c.similarity:.6f}",
                c.verdict or "", c.standing,
            ]  # fmt: skip
            decisions = [
                [r.examiner, r.verdict, r.note, r.decided_at.isoformat(), r.is_superseded]
                for r in c.reviews
            ] or [[""] * 5]
            added = "; ".join(f"{part} {odds:+.4f}" for part, odds in c.contributions.items())
            for decision in decisions:
                row = [*facts, *decision, c.adjudication or "", added]
                writer.writerow([safe_cell(cell) for cell in row])
    return buffer.getvalue().encode()


def bundle_case(files: Mapping[str, bytes], *, written_at: datetime) -> bytes:
    """Return a ZIP of files with `manifest.json`, which tells size and SHA-256 of each.

    The same files give the same bytes.

    Args:
        files: Name inside the ZIP to content.
        written_at: Goes into the manifest and the ZIP's dates.
    """
    manifest = {
        "notice": LEAD_ONLY,
        "written_at": written_at.astimezone(UTC).isoformat(),
        "files": {
            name: {"sha256": sha256_of_bytes(data), "size_bytes": len(data)}
            for name, data in sorted(files.items())
        },
    }
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [(MANIFEST, text.encode()), *sorted(files.items())]:
            entry = zipfile.ZipInfo(name, written_at.astimezone(UTC).timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def _uri(data: bytes) -> str | None:
    try:
        return picture_uri(decode_image(data), height_px=400)
    except ImageError:  # the file is sealed as it came; what shows it may have changed
        return None
