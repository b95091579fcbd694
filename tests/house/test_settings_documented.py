"""Every setting stands in deploy/README.md with its default and meaning, and nothing else does."""

import re
from pathlib import Path

from forensic.settings import OTHER_VARIABLES, PREFIX, Settings

TEXT = (Path(__file__).resolve().parents[2] / "deploy" / "README.md").read_text(encoding="utf-8")


def rows() -> dict[str, tuple[str, str]]:
    found = re.findall(r"^\| `(FORENSIC_\w+)` \| (.*?) \| (.*?) \|$", TEXT, re.MULTILINE)
    return {name: (default, meaning) for name, default, meaning in found}


def test_every_setting_is_listed_with_its_meaning_and_nothing_more() -> None:
    expected = {PREFIX + name.upper(): f.description for name, f in Settings.model_fields.items()}
    told = {name: meaning for name, (_, meaning) in rows().items() if name not in OTHER_VARIABLES}
    assert told == expected


def test_defaults_are_told_as_they_are() -> None:
    told = rows()
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "" if default in (None, "") else f"`{default}`"
        assert told[PREFIX + name.upper()][0].strip() == shown, name
