"""TOML recipes: what a training computes, checked, with unknown keys refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forensic.errors import RecipeError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataRecipe(_Strict):
    """Which samples. `folder` is a packed data set; relative paths start at the working folder."""

    folder: str
    style: str
    limit: int | None = Field(None, ge=1, description="use only the first so many faces")


class ScheduleRecipe(_Strict):
    """How long, in images seen; see `forensic.training.loop.Schedule`."""

    images: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    validate_every: int = Field(20_000, ge=1)
    patience: int = Field(0, ge=0)
    checkpoint_minutes: float = Field(3.0, gt=0)
    average_decay: float = Field(0.0, ge=0, lt=1)
    seed: int = Field(0, ge=0, lt=2**32)


class TrainRecipe(_Strict):
    """One training: a task of `forensic.training.registry`, its options, data and schedule."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    task: str
    data: DataRecipe
    schedule: ScheduleRecipe
    options: dict[str, Any] = {}


def load_recipe(path: Path, changes: tuple[str, ...] = ()) -> TrainRecipe:
    """Read a recipe and apply `key.sub=value` changes, whose values are TOML or plain text.

    Raises:
        RecipeError: The file is missing or no TOML, a key is unknown or has a wrong value; the
            message names its dotted path.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"Recipe {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"Recipe {path} is not TOML: {error}.") from error
    for change in changes:
        _apply(content, change)
    try:
        return TrainRecipe.model_validate(content)
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, item['loc']))}: {item['msg']} (got {item['input']!r})"
            for item in error.errors()
        ]
        raise RecipeError(f"Recipe {path}: " + "; ".join(lines) + ".") from error


def _apply(content: dict[str, Any], change: str) -> None:
    dotted, equals, text = change.partition("=")
    if not equals or not dotted:
        raise RecipeError(f"--set {change!r}: write key=value, e.g. schedule.images=20000.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *parents, last = dotted.split(".")
    place = content
    for parent in parents:
        place = place.setdefault(parent, {})
        if not isinstance(place, dict):
            raise RecipeError(f"--set {change!r}: {parent} is a value, not a section.")
    place[last] = value
