"""Every command that a page shows exists, with the options shown."""

import re
from pathlib import Path

import click
import pytest

from pipelines.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "pipelines/README.md", "deploy/README.md", "db/README.md")
START = "forensic "


def commands(text: str) -> list[list[str]]:
    """Return the words of each command: in backquotes, or on an indented or fenced line."""
    found = re.findall(rf"`({START}[^`]+)`", text.replace("\n", " "))
    fenced = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    found += re.findall(rf"^ {{4}}({START}.+)$", text, re.MULTILINE)
    found += re.findall(rf"^({START}.+)$", fenced, re.MULTILINE)
    return [line.partition(" #")[0].split()[1:] for line in found]


def siblings(text: str) -> list[list[str]]:
    """Return the commands of table cells: `forensic a b`, `c` is b and c of the group a."""
    found = []
    for cell in re.findall(r"^\| (`forensic .*?) \|", text, re.MULTILINE):
        for part in cell.split(";"):
            first, *others = re.findall(r"`([^`]+)`", part)
            group = first.split()[1:-1] if first.startswith(START) else []
            found += [[*group, *other.split()] for other in others if group and other[0] != "-"]
    return [words for words in found if words[-1] != "…"]


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words begin with, and the words after its name."""
    command: click.Command = main
    rest = list(words)
    while isinstance(command, click.Group) and rest:
        inner = command.get_command(click.Context(command), rest[0])
        if inner is None:
            break
        command, rest = inner, rest[1:]
    return command, rest


def fault(words: list[str]) -> str | None:
    """Return what a user would be refused, None where all is known."""
    command, rest = resolve(words)
    if command is main or (isinstance(command, click.Group) and rest and rest[0].isalpha()):
        return f"no such command: {' '.join(words)}"
    known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    used = {word.partition("=")[0].rstrip(",") for word in rest if word.startswith("--")}
    strange = sorted(used - known - {"--help", "--"})
    return f"{command.name} has no {', '.join(strange)}: {' '.join(words)}" if strange else None


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_exists_with_its_options(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [told for words in [*commands(text), *siblings(text)] if (told := fault(words))] == []


def test_what_is_out_of_date_is_noticed() -> None:
    stale = "`forensic index PHOTOS --out DIR`\n| `forensic weights list`, `vanish` | x |\n"
    stale += "    forensic nothing --at all\n`forensic doctor`"
    told = [fault(words) for words in [*commands(stale), *siblings(stale)]]
    assert [one.split(":")[0] for one in told if one] == [
        "index has no --out", "no such command", "no such command"
    ]  # fmt: skip
