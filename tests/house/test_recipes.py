"""Every published recipe parses, and its task knows each of its options."""

import inspect
from pathlib import Path

import pytest

import pipelines
from forensic.datasets.deformed import BOUNDARY
from forensic.datasets.taught import DRAWING
from forensic.sketches.registry import SKETCH_STYLES
from forensic.training.registry import TASKS
from pipelines.recipe import load_recipe

FOLDER = Path(pipelines.__file__).parent / "recipes"
RECIPES = sorted(FOLDER.glob("*.toml"))


def test_there_are_recipes() -> None:
    assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_parses_and_names_things_that_exist(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe.name == path.stem
    task = TASKS[recipe.task]
    assert set(recipe.options) <= known_options(task)
    assert set(recipe.data.options) <= set(inspect.signature(task.samples).parameters)
    assert recipe.data.style in (None, DRAWING, BOUNDARY, *SKETCH_STYLES)
    assert not Path(recipe.data.folder).is_absolute()


def known_options(task: type) -> set[str]:
    """Return the arguments of a task, with those that it hands on to the task it extends."""
    known = {}
    for kind in task.__mro__:
        known |= inspect.signature(kind).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(kind).parameters.values()):
            break
    return set(known)
