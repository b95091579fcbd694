"""Where records, files and indexes lie: the options that all commands on galleries share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from forensic.storage import FileStore

Command = Callable[..., Any]

_OPTIONS = (
    click.option(
        "--galleries",
        type=click.Path(path_type=Path),
        envvar="FORENSIC_GALLERIES_FOLDER",
        help="Folder of the published indexes.",
    ),
    click.option("--files", envvar="FORENSIC_FILES_URL", help="Folder or URL of the file store."),
    click.option(
        "--database",
        envvar="FORENSIC_DATABASE_URL",
        help="sqlite:///path/to/file.db or postgresql://user@host/database.",
    ),
    click.option(
        "--root",
        type=click.Path(path_type=Path),
        envvar="FORENSIC_DATA_FOLDER",
        default=Path("forensic-data"),
        show_default=True,
        help="Folder of those of the following that are not given.",
    ),
)


@dataclass(frozen=True)
class Places:
    """Where everything lies.

    Attributes:
        database_url: The records.
        files_url: The file store.
        galleries: Folder of the published indexes.
    """

    database_url: str
    files_url: str
    galleries: Path

    def engine(self) -> Engine:
        """Return the records, after checking that they have this program's schema.

        Raises:
            SchemaMismatch: The schema is missing, older or newer.
            BadDatabaseUrl: The URL names no supported database.
            Unavailable: The database cannot be reached.
        """
        from db.migrations import check
        from db.session import open_engine

        check(self.database_url)
        return open_engine(self.database_url)

    def store(self) -> FileStore:
        """Return the file store.

        Raises:
            StorageError: The URL names a kind of storage that is not installed.
        """
        from forensic.storage import FileStore

        return FileStore(self.files_url)


def places_options(command: Command) -> Command:
    """Add `--root`, `--database`, `--files` and `--galleries`, passed on as one `places`."""

    @wraps(command)
    def with_places(
        *args: Any,
        root: Path,
        database: str | None,
        files: str | None,
        galleries: Path | None,
        **kwargs: Any,
    ) -> Any:
        places = Places(
            database or f"sqlite:///{root / 'records.db'}",
            files or str(root / "files"),
            galleries or root / "galleries",
        )
        return command(*args, places=places, **kwargs)

    for option in _OPTIONS:
        with_places = option(with_places)
    return with_places
