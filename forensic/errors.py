"""Every error that the project raises on purpose.

    ForensicError
    ├── InputError (also ValueError)
    │   ├── ShapeError
    │   ├── RangeError
    │   ├── DtypeError
    │   ├── ImageError
    │   ├── NoFaceError
    │   ├── ManyFacesError
    │   ├── LandmarksError
    │   ├── DataFolderError
    │   └── CalibrationError
    ├── UnknownNameError (also ValueError)
    ├── WeightsError
    │   ├── MissingWeights
    │   └── HashMismatch
    ├── GalleryError
    │   ├── IndexMismatch
    │   ├── CorruptIndex
    │   ├── CorruptRecords
    │   ├── NotIndexed
    │   └── EmptyGallery
    ├── DeviceError
    ├── TrainingError
    ├── RecipeError
    ├── SettingsError
    ├── StorageError
    │   ├── MissingFile
    │   └── CorruptFile
    ├── JobError
    └── CaseError
        ├── RecordNotFound
        │   └── CaseNotFound
        ├── NotPermitted
        ├── SignInFailed
        │   └── NotSignedIn
        ├── PasswordRejected (also ValueError)
        ├── RequestRefused (also ValueError)
        ├── RecordConflict
        │   ├── CaseClosed
        │   ├── LegalHold
        │   └── ReviewConflict
        └── StaleRecord

A message says what was wrong, what was found, and what to do. Facts are attributes as well,
so that callers need not parse text. The command line prints the message and exits with 2 for
`InputError`, `UnknownNameError`, `WeightsError`, `GalleryError`, `DeviceError`, `RecipeError`,
`SettingsError`, `StorageError` and `CaseError` (the user can mend those) and with 1 for anything
else. The web answers each with the status and code that `forensic.web.errors` lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class ForensicError(Exception):
    """Root of the tree: catch this to catch everything that the project raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the constructor with the message alone, which loses errors that take
        # facts as keywords on their way out of a worker process.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[ForensicError], args: tuple[Any, ...], facts: dict[str, Any]) -> Any:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(facts)
    return error


class InputError(ForensicError, ValueError):
    """Something handed in by the caller cannot be used."""


class ShapeError(InputError):
    """An array has the wrong shape."""

    def __init__(self, message: str, *, actual_shape: tuple[int, ...], expected_shape: str) -> None:
        super().__init__(message)
        self.actual_shape = actual_shape
        self.expected_shape = expected_shape


class RangeError(InputError):
    """A value lies outside its allowed range."""


class DtypeError(InputError):
    """An array has the wrong element type."""


class ImageError(InputError):
    """A file is not an image that can be used; `reason` is one of the stable reason codes."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class NoFaceError(InputError):
    """No face was found in an image."""


class ManyFacesError(InputError):
    """Several faces were found and none of them stands out."""

    def __init__(self, message: str, *, count: int) -> None:
        super().__init__(message)
        self.count = count


class LandmarksError(InputError):
    """Five landmarks are missing, malformed or geometrically impossible."""


class DataFolderError(InputError):
    """A folder or file of data is missing, empty, unreadable, or its files do not match."""


class CalibrationError(InputError):
    """Scores cannot be turned into likelihood ratios: too few of them, or of the wrong kind."""


class UnknownNameError(ForensicError, ValueError):
    """A name is not in its table; `nearest` are the names closest to it."""

    def __init__(self, kind: str, name: str, known: Iterable[str], nearest: Iterable[str]) -> None:
        self.kind, self.name, self.nearest = kind, name, tuple(nearest)
        hint = f" Did you mean {' or '.join(map(repr, self.nearest))}?" if self.nearest else ""
        super().__init__(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(known))}.")


class WeightsError(ForensicError):
    """Trained weights cannot be used."""


class MissingWeights(WeightsError):
    """A weights file is not on this machine; the message names the command that brings it."""


class HashMismatch(WeightsError):
    """A file's SHA-256 is not the one recorded for it."""

    def __init__(self, message: str, *, expected_sha256: str, actual_sha256: str) -> None:
        super().__init__(message)
        self.expected_sha256, self.actual_sha256 = expected_sha256, actual_sha256


class GalleryError(ForensicError):
    """A gallery or its index cannot be used."""


class IndexMismatch(GalleryError):
    """An index was made by another embedder, or has another dimension, than the one in use."""


class CorruptIndex(GalleryError):
    """An index file differs from what its manifest records."""


class CorruptRecords(GalleryError):
    """What the records hold of a gallery's photos cannot be: a vector of the wrong length, say."""


class NotIndexed(GalleryError):
    """A gallery has no published index yet, or none of the kind that was asked for."""


class EmptyGallery(GalleryError):
    """A gallery holds no face that could be searched."""


class DeviceError(ForensicError):
    """A device was asked for that this machine or this build of torch does not have."""


class TrainingError(ForensicError):
    """A training cannot go on, for example because its loss is no longer a number."""


class RecipeError(ForensicError):
    """A recipe file is malformed; the message names the dotted path of the wrong key."""


class SettingsError(ForensicError):
    """A setting of the service is missing or wrong; the message names it and the remedy."""


class StorageError(ForensicError):
    """A stored file cannot be used."""


class MissingFile(StorageError):
    """A file that a record names is not in the file store."""


class CorruptFile(StorageError):
    """A stored file no longer has the content it was stored under."""


class JobError(ForensicError):
    """A piece of background work cannot be done; `reason` is one of the stable reason codes."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class CaseError(ForensicError):
    """The case service refuses what was asked of it."""


class RecordNotFound(CaseError):
    """There is no such record, or the asker may not know that there is one."""

    def __init__(self, kind: str, key: object) -> None:
        self.kind, self.key = kind, key
        super().__init__(f"There is no {kind} {str(key)!r}.")


class CaseNotFound(RecordNotFound):
    """There is no such case, or it is other people's: the answer is the same for both."""

    def __init__(self, key: object) -> None:
        super().__init__("case", key)


class NotPermitted(CaseError):
    """None of the asker's roles allows the action."""

    def __init__(self, message: str, *, action: str) -> None:
        super().__init__(message)
        self.action = action


class SignInFailed(CaseError):
    """Name and password, key or session do not prove who is asking; never says which."""


class NotSignedIn(SignInFailed):
    """Nobody has signed in, or the session is over."""


class PasswordRejected(CaseError, ValueError):
    """A new password is too short, too common, or the old one again."""


class RequestRefused(CaseError, ValueError):
    """A request asks for what cannot be; `field` names what to change."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class RecordConflict(CaseError):
    """The change contradicts the state of a record."""


class CaseClosed(RecordConflict):
    """The case is closed; reopen it first."""


class LegalHold(RecordConflict):
    """The case is under legal hold and may not be expunged."""


class ReviewConflict(RecordConflict):
    """A decision that may not be made now, or not by this person."""


class StaleRecord(CaseError):
    """The record was changed by someone else since it was read."""
