"""TOML recipes: what a training computes, checked, with unknown keys refused."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from forensic.errors import RecipeError
from forensic.files import read_json
from forensic.toml import TomlModel, check_toml, read_toml

MAY_CHANGE = frozenset(
    {
        "data.folder",
        "options.blend",
        "options.compile",
        "options.embedder",
        "options.total_steps",
        "options.vgg",
        "schedule.checkpoint_minutes",
        "schedule.images",
        "schedule.patience",
        "schedule.publish",
        "schedule.validate_every",
    }
)
"""What a resumed training may say anew: where files lie, how long it runs and how often it looks.
Everything else decides what it computes."""

WHAT = "Recipe"
"""What messages call the file."""

RECIPES = Path(__file__).with_name("recipes")
"""Folder of the recipes that come with the package."""


class DataRecipe(TomlModel):
    """Which samples. `folder` is a packed data set; relative paths start at the working folder."""

    folder: str
    style: str | None = Field(None, description="sketch style, for tasks on one style")
    limit: int | None = Field(None, ge=1, description="use only the first so many faces")
    options: dict[str, Any] = Field({}, description="further arguments of the task's samples")


class ScheduleRecipe(TomlModel):
    """How long, in images seen; see `forensic.training.loop.Schedule`."""

    images: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    validate_every: int = Field(20_000, ge=1)
    patience: int = Field(0, ge=0)
    checkpoint_minutes: float = Field(3.0, gt=0)
    average_decay: float = Field(0.0, ge=0, lt=1)
    seed: int = Field(0, ge=0, lt=2**32)
    publish: Literal["best", "last"] = "best"


class TrainRecipe(TomlModel):
    """One training: a task of `forensic.training.registry`, its options, data and schedule."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    task: str
    data: DataRecipe
    schedule: ScheduleRecipe
    options: dict[str, Any] = Field({})


def find_recipe(path: Path) -> Path:
    """Return a recipe's file: the path itself, or the recipe of that name in the package.

    Example:
        >>> find_recipe(Path("adapter")).name
        'adapter.toml'
    """
    own = RECIPES / f"{path}.toml"
    return own if not path.exists() and own.is_file() else path


def load_recipe(path: Path, changes: tuple[str, ...] = ()) -> TrainRecipe:
    """Read a recipe and apply `key.sub=value` changes, whose values are TOML or plain text.

    Raises:
        RecipeError: The file is missing or no TOML, a key is unknown or has a wrong value; the
            message names its dotted path.
    """
    content = read_toml(path, what=WHAT)
    for change in changes:
        _apply(content, change)
    return check_toml(content, TrainRecipe, of=f"{WHAT} {path}")


def check_resumable(path: Path, recipe: TrainRecipe) -> None:
    """Refuse a recipe that computes something else than the training it would resume.

    Args:
        path: The JSON copy of the recipe that the training began with.
        recipe: The recipe to go on with.

    Raises:
        RecipeError: They differ in more than `MAY_CHANGE`, or the copy is missing or damaged.
    """
    try:
        begun = _flat(TrainRecipe.model_validate(read_json(path)).model_dump())
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"{path} does not say how its training began. Choose another --out folder."
        ) from error
    wanted = _flat(recipe.model_dump())
    changed = [
        f"{key} was {begun.get(key)!r}, now {wanted.get(key)!r}"
        for key in sorted((begun.keys() | wanted.keys()) - MAY_CHANGE)
        if begun.get(key) != wanted.get(key)
    ]
    if changed:
        raise RecipeError(
            f"{path.parent} holds a training by another recipe: {'; '.join(changed)}. "
            "Choose another --out folder."
        )


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested sections by their dotted paths."""
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        dotted = prefix + key
        leaves |= _flat(value, f"{dotted}.") if isinstance(value, dict) else {dotted: value}
    return leaves


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
