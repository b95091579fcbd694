"""TOML files that people write, checked: a mistake is told by file, key and remedy."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from forensic.errors import RecipeError

ModelT = TypeVar("ModelT", bound=BaseModel)


class TomlModel(BaseModel):
    """What a TOML file, or a section of it, may say: nothing unknown, and unchanged once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_toml_model(path: Path, model: type[ModelT], *, what: str) -> ModelT:
    """Read a file as a model.

    Args:
        path: The file.
        model: What it may say.
        what: What messages call the file, e.g. `Recipe`.

    Raises:
        RecipeError: It cannot be read, is no TOML, or a key is unknown, missing or wrong.
    """
    return check_toml(read_toml(path, what=what), model, of=f"{what} {path}")


def read_toml(path: Path, *, what: str) -> dict[str, Any]:
    """Read a file whose content is to be checked by `check_toml` later.

    Raises:
        RecipeError: It cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(
            f"{what} {path} cannot be read: {error.strerror}. Check the path."
        ) from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise RecipeError(f"{what} {path} is not TOML: {error}.") from error


def check_toml(content: Mapping[str, Any], model: type[ModelT], *, of: str) -> ModelT:
    """Return the content of a file as a model.

    Args:
        content: As read.
        model: What it may say.
        of: How messages begin: what file it is.

    Raises:
        RecipeError: Keys are unknown, missing or wrong; the message has each with its dotted path.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        told = "; ".join(_tell(fault, model) for fault in error.errors(include_url=False))
        raise RecipeError(f"{of}: {told}.") from error


def _tell(fault: ErrorDetails, model: type[BaseModel]) -> str:
    """Return one mistake: where, what, what stands there, and which key may have been meant."""
    place = [str(part) for part in fault["loc"]]
    told = f"{'.'.join(place)}: {fault['msg']}"
    if fault["type"] == "missing":
        return told
    told += f" (got {fault['input']!r})"
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place[-1], _keys(model, place[:-1]), n=1)
        told += f", did you mean {near[0]!r}" if near else ""
    return told


def _keys(model: type[BaseModel], section: list[str]) -> list[str]:
    """Return the keys of a section; none where sections have names of the user's own."""
    for part in section:
        field = model.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)
