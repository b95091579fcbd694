"""The command line as a user meets it first."""

import json
import subprocess
import sys

import pytest

from forensic.cli.boundary import LazyGroup
from pipelines.cli import main

HEAVY = ("torch", "faiss", "matplotlib", "scipy", "onnxruntime", "sqlalchemy")

SCRIPT = """
import json, sys
from pipelines.cli import main
main(sys.argv[1:], standalone_mode=False)
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize("args", [["--help"], ["bench", "--help"], ["weights", "list"]])
def test_light_commands_load_nothing_heavy(args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *args], capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stderr))
    assert loaded.isdisjoint(HEAVY)
    assert done.stdout


def lazy_commands() -> list[tuple[str, ...]]:
    groups = {(): main, **{(name,): c for name, c in main.commands.items()}}
    return [
        (*path, name)
        for path, group in groups.items()
        if isinstance(group, LazyGroup)
        for name in group.lazy
    ]


@pytest.mark.parametrize("path", lazy_commands(), ids=" ".join)
def test_every_listed_command_exists_and_explains_itself(path: tuple[str, ...]) -> None:
    group = main.commands[path[0]] if len(path) > 1 else main
    assert isinstance(group, LazyGroup)
    command = group.get_command(None, path[-1])  # type: ignore[arg-type]
    assert command is not None
    assert command.help
