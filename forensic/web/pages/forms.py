"""Forms as people sent them: values, what is wrong with which, and how they are read."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from types import TracebackType
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from forensic.errors import (
    ImageError,
    InputError,
    JobError,
    NotSignedIn,
    PasswordRejected,
    RecordConflict,
    RequestRefused,
    SignInFailed,
    StaleRecord,
    UnknownNameError,
)

Choice = TypeVar("Choice", bound=enum.Enum)
MENDABLE = (
    InputError,
    JobError,
    PasswordRejected,
    RecordConflict,
    RequestRefused,
    SignInFailed,
    StaleRecord,
    UnknownNameError,
)
"""Refusals that a person answers by changing the form; all others end the request."""


class Form:
    """One form: what was sent, or what to show at first.

    Attributes:
        values: Field name to text; `chosen` gives all values of a field of checkboxes.
        errors: Field name to what is wrong with it.
        refusal: What is wrong with the whole, empty if nothing is.
    """

    def __init__(
        self, sent: MultiDict[str, str] | None = None, **defaults: str | Iterable[str]
    ) -> None:
        self.values: MultiDict[str, str] = sent or MultiDict(_as_lists(defaults))
        self.errors: dict[str, str] = {}
        self.refusal = ""

    @property
    def status(self) -> int:
        """The HTTP status of a page with this form on it."""
        return 422 if self.errors or self.refusal else 200

    def chosen(self, name: str) -> list[str]:
        """Return every value sent for a field."""
        return self.values.getlist(name)

    def text(self, name: str) -> str:
        """Return a field without blanks around it, and without NUL, which no database holds."""
        return self.values.get(name, "").replace("\x00", "").strip()

    def day(self, name: str) -> date | None:
        """Return a date, None where the field is empty.

        Raises:
            RequestRefused: It is no date.
        """
        given = self.text(name)
        try:
            return date.fromisoformat(given) if given else None
        except ValueError:
            raise RequestRefused("Give the day as YYYY-MM-DD.", field=name) from None

    def whole(self, name: str) -> int | None:
        """Return a whole number, None where the field is empty.

        Raises:
            RequestRefused: It is no whole number.
        """
        given = self.text(name)
        try:
            return int(given) if given else None
        except ValueError:
            raise RequestRefused("Give a whole number.", field=name) from None

    def number(self, name: str) -> float:
        """Return a number.

        Raises:
            RequestRefused: It is none.
        """
        try:
            return float(self.text(name))
        except ValueError:
            raise RequestRefused("Give a number.", field=name) from None

    def key(self, name: str) -> uuid.UUID:
        """Return the identifier of a record that was chosen.

        Raises:
            RequestRefused: None was.
        """
        return _key(self.text(name), name)

    def keys(self, name: str) -> list[uuid.UUID]:
        """Return the identifiers of all records that were chosen.

        Raises:
            RequestRefused: One is malformed.
        """
        return [_key(value, name) for value in self.chosen(name)]

    def one_of(self, name: str, choices: type[Choice]) -> Choice:
        """Return one member of an enumeration.

        Raises:
            RequestRefused: The value is none of them.
        """
        try:
            return choices(self.text(name))
        except ValueError:
            raise RequestRefused("Choose one of the values offered.", field=name) from None

    def attempt(self) -> Attempt:
        """Return a block in which a refusal becomes a remark on this form."""
        return Attempt(self)


class Attempt:
    """A block of work for a form; refusals that the person can mend stay in the form."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Keep a refusal as a remark and go on after the block; let everything else through."""
        if not isinstance(error, MENDABLE) or isinstance(error, NotSignedIn):
            return False
        field = error.field if isinstance(error, RequestRefused) else ""
        if isinstance(error, ImageError):
            field = "sketch"
        if field:
            self._form.errors[field] = str(error)
        else:
            self._form.refusal = str(error)
        return True


def _as_lists(defaults: Mapping[str, str | Iterable[str]]) -> dict[str, list[str]]:
    return {
        name: [value] if isinstance(value, str) else list(value) for name, value in defaults.items()
    }


def _key(text: str, field: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise RequestRefused("Choose one of those offered.", field=field) from None
