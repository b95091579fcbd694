"""The border between code and shell: lazy commands, and errors as one clear line.

Exit codes: 0 done; 1 a failure; 2 something that the user can mend (arguments, input, names,
weights, galleries, devices, recipes, settings, files, cases, records).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

import click

from db.errors import BadDatabaseUrl, Conflict, Invalid, NotFound, RecordError, SchemaMismatch
from forensic.errors import (
    CaseError,
    DeviceError,
    ForensicError,
    GalleryError,
    InputError,
    RecipeError,
    SettingsError,
    StorageError,
    UnknownNameError,
    WeightsError,
)

USER_CAN_MEND = (
    InputError,
    UnknownNameError,
    WeightsError,
    GalleryError,
    DeviceError,
    RecipeError,
    SettingsError,
    StorageError,
    CaseError,
    BadDatabaseUrl,
    Conflict,
    Invalid,
    NotFound,
    SchemaMismatch,
)


class Refusal(click.ClickException):
    """A command ended by something that the user can mend."""

    exit_code = 2


class LazyGroup(click.Group):
    """A command group that imports a command's module only when that command is asked for.

    Args:
        lazy: Command name to `module:attribute` and the one-line summary shown in the list.
        kwargs: As for `click.Group`.
    """

    def __init__(
        self, *args: Any, lazy: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = dict(lazy or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return sorted({*super().list_commands(ctx), *self.lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command, importing its module if need be."""
        if cmd_name not in self.lazy:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - Click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the list of commands without importing the lazy ones."""
        summaries = {name: summary for name, (_, summary) in self.lazy.items()}
        summaries |= {name: c.get_short_help_str() for name, c in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(summaries.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error becomes one line on stderr and an exit code.

        Raises:
            click.ClickException: The command failed; Click prints the message and exits.
        """
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("FORENSIC_TRACEBACK"):
                raise
            failure = Refusal if isinstance(error, USER_CAN_MEND) else click.ClickException
            raise failure(describe_error(error)) from error


def describe_error(error: Exception) -> str:
    """Return what to tell the user of an error, in one line for those raised on purpose."""
    if isinstance(error, (ForensicError, RecordError)):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    return (
        f"{type(error).__name__}: {error}. This was not foreseen: run it again with "
        "FORENSIC_TRACEBACK=1 set to see where, and report it."
    )
