"""What a gallery asks of its photos, what an import is asked to do, and why items are refused.

No science here: the web shows and checks these values without loading a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from forensic.errors import InputError

Model = TypeVar("Model", bound=BaseModel)

REASONS: Mapping[str, str] = {
    "no_face": "No face was found.",
    "several_faces": "Several faces compete, and none stands out.",
    "too_small": "The face, or the image, is smaller than the gallery's policy asks.",
    "blurred": "The face is less sharp than the gallery's policy asks.",
    "unreadable": "The file is no image, or is damaged or cut short.",
    "empty": "The file has 0 bytes.",
    "too_many_bytes": "The file is larger than is accepted.",
    "too_many_pixels": "The image has more pixels than are accepted.",
    "format": "The image has a format that is not accepted.",
    "missing": "There is no such file.",
    "no_access": "The file may not be read by this program.",
    "not_a_file": "It is a device, a pipe or a folder.",
    "outside_root": "The path leads out of the folder of the import.",
    "link": "A link leads to itself or to a folder; links to folders are not followed.",
    "bad_name": "The name is no text in UTF-8.",
    "bad_row": "The row of the manifest cannot be read.",
    "no_subject": "It is not said whose photo this is.",
    "bad_metadata": "The metadata cannot be kept.",
    "expunged": "The person or the file was expunged and must not come back.",
}
"""Every reason code of a rejected item, with what it means; codes never change their meaning."""


@dataclass(frozen=True)
class Refusal:
    """Why an item is not taken in.

    Attributes:
        reason: A code of `REASONS`.
        detail: What was found, for people.
    """

    reason: str
    detail: str


class IntakePolicy(BaseModel):
    """What a gallery takes in; stored with it, and free to change for later imports.

    Attributes:
        min_face_px: Least width of a face in pixels of the photo.
        min_sharpness: Least `forensic.faces.quality.sharpness` of the aligned face; 0 takes all.
        several_faces: Whether a photo on which several faces compete is rejected, or its
            heaviest face taken.
        originals: Whether photos are copied into the file store, or left where they are; without
            a copy they cannot be shown beside a sketch.
        keep_crops: Whether the aligned faces are kept in the file store too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_face_px: int = Field(default=40, ge=1, le=10_000)
    min_sharpness: float = Field(default=0.06, ge=0, le=10)
    several_faces: Literal["reject", "heaviest"] = "reject"
    originals: Literal["copy", "reference"] = "copy"
    keep_crops: bool = False


class ImportSource(BaseModel):
    """Where an import takes its photos from; kept in the parameters of its job.

    Attributes:
        kind: A folder, a ZIP archive, or a CSV manifest.
        path: The folder, archive or manifest on the worker's machine; None for an archive that
            lies in the file store.
        sha256: The archive in the file store.
        root: Folder that a manifest's paths start from; its own folder where None.
        subject_from: Whether each file, or each folder of files, is one person.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["folder", "zip", "manifest"]
    path: Path | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    root: Path | None = None
    subject_from: Literal["file", "folder"] = "file"

    @model_validator(mode="after")
    def _one_place(self) -> ImportSource:
        if (self.path is None) == (self.sha256 is None):
            raise ValueError("give either a path or the SHA-256 of a stored archive")
        if self.sha256 is not None and self.kind != "zip":
            raise ValueError("only a ZIP archive can lie in the file store")
        if self.root is not None and self.kind != "manifest":
            raise ValueError("only a manifest has a root")
        return self


def read_policy(values: Mapping[str, Any]) -> IntakePolicy:
    """Return the policy that a gallery's record holds.

    Raises:
        InputError: A value is unknown or out of range; the message names it.
    """
    return _read(IntakePolicy, values, "The gallery's policy")


def read_source(values: Mapping[str, Any]) -> ImportSource:
    """Return the source that a job's parameters hold under `source`.

    Raises:
        InputError: It is missing or malformed; the message names what is wrong.
    """
    return _read(ImportSource, values.get("source") or {}, "The source of the import")


def _read(model: type[Model], values: Mapping[str, Any], what: str) -> Model:
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{what} is not valid{f' at {where}' if where else ''}: {first['msg']}."
        ) from None
