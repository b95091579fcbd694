from pathlib import Path

import pytest
from pydantic import Field

from forensic.errors import RecipeError
from forensic.toml import TomlModel, check_toml, read_toml_model


class Part(TomlModel):
    size: int = Field(ge=1)


class Whole(TomlModel):
    name: str
    part: Part
    other: dict[str, Part] = Field({})


def _read(folder: Path, text: str) -> Whole:
    path = folder / "whole.toml"
    path.write_text(text, encoding="utf-8")
    return read_toml_model(path, Whole, what="The thing")


def test_a_file_becomes_its_model(tmp_path: Path) -> None:
    found = _read(tmp_path, 'name = "é"\npart.size = 2\n[other.a]\nsize = 3')
    assert (found.name, found.part.size, found.other["a"].size) == ("é", 2, 3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("part.size = 0", "name: Field required; part.size: Input should be"),
        ('name = "a"\npart.size = "x"', r"part\.size: .*\(got 'x'\)\.$"),
        ('nane = "a"\nname = "a"\npart.size = 1', r"nane: Extra .*, did you mean 'name'\.$"),
        ('name = "a"\npart.size = 1\npart.sizes = 1', r"part\.sizes: .* did you mean 'size'\.$"),
        ('name = "a"\npart.size = 1\nother.a.sice = 1', r"other\.a\.sice: Extra .*\(got 1\)\.$"),
        ("name = ", r"is not TOML: Invalid value"),
    ],
)
def test_mistakes_name_file_key_and_what_was_meant(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RecipeError, match=rf"^The thing {tmp_path}/whole\.toml.*{told}"):
        _read(tmp_path, text)


def test_files_that_cannot_be_read_are_named_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"gone\.toml cannot be read: No such file.* Check"):
        read_toml_model(tmp_path / "gone.toml", Whole, what="The thing")
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(RecipeError, match=r"latin\.toml is not TOML: .*utf-8"):
        read_toml_model(tmp_path / "latin.toml", Whole, what="The thing")


def test_what_was_read_stays_as_it_is() -> None:
    whole = check_toml({"name": "a", "part": {"size": 1}}, Whole, of="It")
    with pytest.raises(ValueError, match="frozen"):
        whole.part.size = 5
