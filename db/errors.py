"""Every error that the records raise on purpose.

    RecordError
    ├── NotFound          no such row
    ├── Conflict          a unique, foreign-key, check or version rule would be broken
    ├── Invalid           a value that no row may hold (also ValueError)
    ├── SchemaMismatch    the database is older or newer than this code
    ├── BadDatabaseUrl    a URL that names no supported database (also ValueError)
    └── Unavailable       the database cannot be reached, is locked, or its disk is full

They are not part of `forensic.errors`, because the records import nothing of the project; the
packages that use the records turn them into answers for people.
"""

from __future__ import annotations


class RecordError(Exception):
    """Root of the tree: catch this to catch everything that the records raise on purpose."""


class NotFound(RecordError):
    """There is no such row, or the asker may not know that there is one."""

    def __init__(self, kind: str, key: object) -> None:
        self.kind, self.key = kind, key
        super().__init__(f"There is no {kind} {str(key)!r}.")


class Conflict(RecordError):
    """The change contradicts another row, or another person's change that came first.

    Attributes:
        constraint: Name of the broken rule where the database tells it, else None.
    """

    def __init__(self, message: str, *, constraint: str | None = None) -> None:
        self.constraint = constraint
        super().__init__(message)


class Invalid(RecordError, ValueError):
    """A value that no row may hold, such as text with a NUL or a time without a zone."""


class SchemaMismatch(RecordError):
    """The schema found is not the one this code was written for; the message says the remedy.

    Attributes:
        found: Revision of the database, None where it has none.
        expected: Revision that this code knows.
    """

    def __init__(self, message: str, *, found: str | None, expected: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(message)


class BadDatabaseUrl(RecordError, ValueError):
    """The URL does not name a SQLite file or a PostgreSQL database."""


class Unavailable(RecordError):
    """The database cannot be used now; the transaction was rolled back and may be repeated."""
