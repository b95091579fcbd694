from pathlib import Path

import pytest

from forensic.errors import RecipeError
from forensic.files import write_json
from pipelines.recipe import TrainRecipe, check_resumable, load_recipe

TEXT = """
name = "toy"
task = "csi"
[data]
folder = "somewhere"
style = "line"
[schedule]
images = 100
batch_size = 4
[options]
vgg = "vgg.pth"
"""


def write(folder: Path, text: str = TEXT) -> Path:
    path = folder / "toy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, *changes: str) -> TrainRecipe:
    return load_recipe(write(folder), changes)


def test_values_and_defaults(tmp_path: Path) -> None:
    recipe = load(tmp_path)
    assert (recipe.name, recipe.task, recipe.data.style) == ("toy", "csi", "line")
    assert recipe.schedule.batch_size == 4
    assert recipe.schedule.seed == 0
    assert recipe.options == {"vgg": "vgg.pth"}


@pytest.mark.parametrize(
    ("change", "path", "value"),
    [
        ("schedule.images=20_000", "schedule.images", 20_000),
        ("schedule.average_decay=0.5", "schedule.average_decay", 0.5),
        ('data.folder="a b"', "data.folder", "a b"),
        ("data.folder=plain text/with spaces", "data.folder", "plain text/with spaces"),
        ("options.compile=true", "options.compile", True),
        ("options.deep.er=[1, 2]", "options.deep.er", [1, 2]),
        ("options.formula=a=b", "options.formula", "a=b"),
    ],
)
def test_set(tmp_path: Path, change: str, path: str, value: object) -> None:
    found: object = load(tmp_path, change).model_dump()
    for key in path.split("."):
        assert isinstance(found, dict)
        found = found[key]
    assert found == value


def test_later_change_wins(tmp_path: Path) -> None:
    recipe = load(tmp_path, "schedule.images=7", "schedule.images=9")
    assert recipe.schedule.images == 9


@pytest.mark.parametrize(
    ("change", "dotted"),
    [
        ("schedule.imagse=1", "schedule.imagse"),
        ("nmae=x", "nmae"),
        ("schedule.images=0", "schedule.images"),
        ("schedule.images=many", "schedule.images"),
        ("schedule.seed=-1", "schedule.seed"),
        ("schedule.average_decay=1.0", "schedule.average_decay"),
        ("schedule.checkpoint_minutes=0", "schedule.checkpoint_minutes"),
        ("data.limit=0", "data.limit"),
        ("name=With Spaces", "name"),
        ("name=../escape", "name"),
        ("data=5", "data"),
    ],
)
def test_wrong_key_or_value_names_its_dotted_path(tmp_path: Path, change: str, dotted: str) -> None:
    with pytest.raises(RecipeError, match=rf"toy\.toml: {dotted}: .* \(got "):
        load(tmp_path, change)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load(tmp_path, "schedule.images=0", "data.colour=1")
    assert "schedule.images" in str(caught.value)
    assert "data.colour" in str(caught.value)


def test_missing_section_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="schedule: Field required"):
        load_recipe(write(tmp_path, TEXT.replace("[schedule]", "[options.schedule]")))


@pytest.mark.parametrize("change", ["schedule.images", "=5", "name.sub=1"])
def test_malformed_change(tmp_path: Path, change: str) -> None:
    with pytest.raises(RecipeError, match="--set"):
        load(tmp_path, change)


def test_unreadable_recipes(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"absent\.toml cannot be read: No such file"):
        load_recipe(tmp_path / "absent.toml")
    with pytest.raises(RecipeError, match="is not TOML"):
        load_recipe(write(tmp_path, "name = "))
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(RecipeError, match="is not TOML"):
        load_recipe(tmp_path / "latin.toml")


def test_recipe_cannot_be_changed_after_it_was_read(tmp_path: Path) -> None:
    recipe = load(tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        recipe.schedule.images = 5


@pytest.mark.parametrize(
    "change",
    [
        "schedule.images=900",
        "schedule.patience=3",
        "data.folder=elsewhere",
        "options.vgg=moved.pth",
    ],
)
def test_longer_or_moved_training_may_go_on(tmp_path: Path, change: str) -> None:
    write_json(tmp_path / "recipe.json", load(tmp_path).model_dump())
    assert check_resumable(tmp_path / "recipe.json", load(tmp_path, change)) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ("schedule.batch_size=8", "schedule.batch_size was 4, now 8"),
        ("options.learning_rate=0.1", "options.learning_rate was None, now 0.1"),
        ("data.style=pencil-gray", "data.style was 'line', now 'pencil-gray'"),
    ],
)
def test_another_training_is_not_resumed(tmp_path: Path, change: str, phrase: str) -> None:
    write_json(tmp_path / "recipe.json", load(tmp_path).model_dump())
    with pytest.raises(RecipeError, match=phrase):
        check_resumable(tmp_path / "recipe.json", load(tmp_path, change))


def test_training_whose_beginning_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="does not say how"):
        check_resumable(tmp_path / "recipe.json", load(tmp_path))
    (tmp_path / "recipe.json").write_text('{"name": "toy"')
    with pytest.raises(RecipeError, match="does not say how"):
        check_resumable(tmp_path / "recipe.json", load(tmp_path))
