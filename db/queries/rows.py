"""What all families share: rows by their keys, and pages of rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.base import Base
from db.errors import Invalid, NotFound

PAGE_SIZE_MAX = 1000

Row = TypeVar("Row")
Model = TypeVar("Model", bound=Base)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a longer list.

    Attributes:
        rows: The rows, in the order of the list.
        next_after: What to pass as `after` to get the next page; None at the end.
    """

    rows: Sequence[Row]
    next_after: Any | None


def fetch_page(
    session: Session,
    statement: Select[Row],
    *,
    key: InstrumentedAttribute[Any],
    after: Any | None = None,
    limit: int = 50,
    descending: bool = False,
) -> Page[Row]:
    """Return the next `limit` rows after the one whose `key` is `after`.

    Rows that are added or removed meanwhile neither shift nor repeat others, and the last page
    costs what the first does: the key is compared, nothing is skipped over.

    Args:
        session: An open session.
        statement: Selects one model, without order.
        key: Unique column of that model; the order of the list.
        after: `next_after` of the page before.
        limit: Number of rows, 1 to 1000.
        descending: Largest key first; for identifiers, newest first.

    Raises:
        Invalid: The limit is out of range.
    """
    if not 1 <= limit <= PAGE_SIZE_MAX:
        raise Invalid(f"A page holds 1 to {PAGE_SIZE_MAX} rows, not {limit}.")
    if after is not None:
        statement = statement.where(key < after if descending else key > after)
    ordered = statement.order_by(key.desc() if descending else key.asc()).limit(limit + 1)
    found = session.scalars(ordered).all()
    rows = found[:limit]
    return Page(rows, getattr(rows[-1], key.key) if len(found) > limit else None)


def get_row(session: Session, model: type[Model], key: Any, *, lock: bool = False) -> Model:
    """Return the row with this primary key.

    Args:
        session: An open session.
        model: Which table.
        key: The primary key.
        lock: Keep others from changing the row until the transaction ends; reads it afresh.

    Raises:
        NotFound: There is none.
    """
    row = session.get(model, key, with_for_update=lock or None, populate_existing=lock)
    if row is None:
        raise NotFound(model.__name__.lower(), key)
    return row


def get_rows(session: Session, model: type[Model], keys: Collection[Any]) -> dict[Any, Model]:
    """Return the rows with these primary keys, by key, in one statement.

    Args:
        session: An open session.
        model: Which table; its primary key is one column.
        keys: The primary keys, a thousand at most; each may be named more than once.

    Raises:
        NotFound: One of them is not there.
        Invalid: There are too many.
    """
    wanted = set(keys)
    if len(wanted) > PAGE_SIZE_MAX:
        raise Invalid(f"At most {PAGE_SIZE_MAX} rows are read at once, not {len(wanted)}.")
    mapper = inspect(model)
    (column,) = mapper.primary_key
    rows = session.scalars(select(model).where(column.in_(wanted))).all() if wanted else []
    found = {mapper.primary_key_from_instance(row)[0]: row for row in rows}
    for key in wanted - found.keys():
        raise NotFound(model.__name__.lower(), key)
    return found
