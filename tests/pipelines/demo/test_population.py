"""The pictures of a demonstration: who is in which folder, and that seeds decide everything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forensic.errors import RangeError, UnknownNameError
from forensic.images.io import load_image
from pipelines.demo.population import Population, build_population


def _build(
    folder: Path, *, n_processes: int = 1, styles: tuple[str, ...] = ("line",)
) -> Population:
    return build_population(
        folder,
        n_persons=4,
        n_probes=2,
        seed=1,
        styles=styles,
        on_persons=lambda n: None,
        n_processes=n_processes,
    )


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    return _build(tmp_path_factory.mktemp("population"), styles=("line", "pencil-color"))


def _names(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.png"))


def test_every_person_has_two_pictures_and_some_are_sketched(population: Population) -> None:
    assert _names(population.mates) == ["phantom-0000", "phantom-0002"]
    assert _names(population.others) == ["phantom-0001", "phantom-0003"]
    for group in ("sketched", "others"):
        gallery = population.folder / "gallery" / group
        assert _names(population.folder / "seen" / group) == _names(gallery)
    for style in ("line", "pencil-color"):
        assert _names(population.sketches(style)) == _names(population.mates)


def test_the_two_pictures_of_a_person_differ(population: Population) -> None:
    name = "phantom-0000.png"
    first = load_image(population.mates / name).astype(float)
    second = load_image(population.folder / "seen" / "sketched" / name).astype(float)
    assert np.abs(first - second).mean() > 3


def test_several_processes_render_the_same_pictures(population: Population, tmp_path: Path) -> None:
    again = _build(tmp_path, n_processes=2)
    for path in again.folder.rglob("*.png"):
        twin = population.folder / path.relative_to(again.folder)
        assert path.read_bytes() == twin.read_bytes()


def test_more_probes_than_persons_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RangeError, match="3 probes"):
        build_population(
            tmp_path, n_persons=2, n_probes=3, seed=1, styles=(), on_persons=lambda n: None
        )


def test_unknown_style_is_refused_before_rendering(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="charcoal"):
        _build(tmp_path, styles=("charcoal",))
    assert not any(tmp_path.iterdir())
