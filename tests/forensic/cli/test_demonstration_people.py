from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from forensic.cli import demonstration_people
from forensic.cli.demonstration_people import SKETCHES, draw_people
from forensic.images.io import decode_image


class _AtOnce:
    """A pool that draws in this process, and counts instead of drawing."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> _AtOnce:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, _draw: object, numbers: range) -> list[tuple[bytes, bytes | None]]:
        return [(b"photo %d" % n, b"sketch %d" % n if n < SKETCHES else None) for n in numbers]


def test_every_person_has_a_photo_and_the_first_few_a_sketch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demonstration_people, "ProcessPoolExecutor", _AtOnce)
    with zipfile.ZipFile(draw_people(tmp_path / "sketches", people=6)) as photos:
        assert photos.namelist() == [f"phantom-{n:03d}.png" for n in range(6)]
        assert photos.read("phantom-005.png") == b"photo 5"
    drawn = sorted((tmp_path / "sketches").iterdir())
    assert [path.name for path in drawn] == [f"phantom-{n:03d}.png" for n in range(SKETCHES)]
    assert drawn[3].read_bytes() == b"sketch 3"


def test_photo_and_sketch_are_pictures_of_one_size() -> None:
    photo, sketch = demonstration_people._draw(1)
    assert sketch is not None
    assert decode_image(photo, name="photo").shape == decode_image(sketch, name="s").shape
    assert demonstration_people._draw(SKETCHES)[1] is None


def test_the_drawing_processes_load_nothing_of_the_service() -> None:
    script = """
import json, sys, forensic.cli.demonstration_people as people
asked = set(sys.modules)
people._draw(9)
print(json.dumps([sorted(asked), sorted(sys.modules)]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    asked, drawing = map(set, json.loads(done.stdout))
    assert asked.isdisjoint({"scipy", "PIL"})  # the web is forked from who asks
    assert drawing.isdisjoint({"sqlalchemy", "flask", "gunicorn", "torch"})
