"""The rejected items of an import as CSV, for whoever has to mend them."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator

from sqlalchemy.orm import Session

from db.models import ItemState
from db.queries.job_items import list_items
from db.queries.rows import PAGE_SIZE_MAX
from forensic.reports.tables import safe_cell

COLUMNS = ("position", "name", "subject_id", "reason", "detail")


def rejected_csv(session: Session, job_id: uuid.UUID) -> Iterator[str]:
    """Yield the lines of a CSV table of an import's rejected items, in their order.

    Names come from files, so cells that a spreadsheet would take for a formula begin with an
    apostrophe. Items are read some at a time, whatever their number.

    Args:
        session: An open session; read-only suffices.
        job_id: The import.
    """
    yield _line(COLUMNS)
    after: int | None = None
    while True:
        page = list_items(
            session, job_id, state=ItemState.REJECTED, after=after, limit=PAGE_SIZE_MAX
        )
        for item in page.rows:
            cells = (item.name, item.subject_external_id, item.reason_code, item.detail or "")
            yield _line((item.position, *cells))
        after = page.next_after
        if after is None:
            return


def _line(cells: tuple[object, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([safe_cell(cell) for cell in cells])
    return text.getvalue()
