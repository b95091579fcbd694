"""Tables and cards written from the reports that are up to date."""

from __future__ import annotations

from pathlib import Path

from forensic.files import atomic_write
from forensic.weights.store import BUNDLED
from pipelines.benchmark.suite.cards import write_card
from pipelines.benchmark.suite.pages import marks, write_tables
from pipelines.benchmark.suite.plan import Table
from pipelines.benchmark.suite.states import Workshop
from pipelines.benchmark.suite.tables import render


def publish(workshop: Workshop, *, page: Path | None, cards: bool) -> str:
    """Write one Markdown file a table, then the page and the cards; say what changed.

    Args:
        workshop: Plan and places.
        page: Its marked tables are brought up to date.
        cards: Bring the results and cards beside the weights up to date.

    Raises:
        ForensicError: A report, the page or a table of the plan cannot be used.
    """
    fresh = {n for n in workshop.plan.report if workshop.state(n).word == "fresh"}
    ready = {n: table for n, table in workshop.plan.table.items() if _is_ready(table, fresh)}
    said = []
    if cards:  # first: a table may show what a card says of a training
        for name, tables in workshop.plan.card.items():
            usable = [table for table in tables if _is_ready(table, fresh)]
            if usable and write_card(
                name, usable, plan=workshop.plan, reports=workshop.folder, folder=BUNDLED
            ):
                said.append(f"card {name}: {len(usable)} of {len(tables)} tables up to date")
    texts = {name: render(table, workshop.folder) for name, table in ready.items()}
    for name, text in texts.items():
        with atomic_write(workshop.out / "tables" / f"{name}.md", "w") as file:
            file.write(text + "\n")
    said.append(f"{len(texts)} of {len(workshop.plan.table)} tables in {workshop.out / 'tables'}")
    if page:
        left = [name for name in marks(page) if name not in texts]
        changed = write_tables(page, texts)
        said.append(f"{page}: changed {', '.join(changed) or 'nothing'}")
        said += [f"{page}: left as it was: {', '.join(left)}"] if left else []
    return "\n".join(said)


def _is_ready(table: Table, fresh: set[str]) -> bool:
    return all(name in fresh for name in table.reports())
