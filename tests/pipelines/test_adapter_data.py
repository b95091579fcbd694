from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from forensic.datasets.packed import PackedDataset
from forensic.datasets.taught import load_targets
from forensic.errors import DataFolderError
from pipelines.adapter_data import AdapterPlan, People, adapter, build_adapter_data
from pipelines.heldout import arrange_heldout
from tests.support.adapter_data import strangers, write_taught_set

PLAN = AdapterPlan(held_out=0.3, most_per_person=2, stored_share=0.5)
WIDE = 40


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return 12 pairs, two of them of one person under two names, and 8 photos.

    The first photo looks like the person of the first held-out pair; four are of one person.
    """
    folder = tmp_path_factory.mktemp("taught")
    vectors = strangers(20, 0, WIDE)
    vectors[7] = vectors[6] + 0.1 * vectors[8]
    pairs = write_taught_set(
        folder / "pairs",
        source="toy",
        subjects=[f"p{i}" for i in range(12)],
        vectors=vectors[:12],
        with_drawings=True,
    )
    photos = write_taught_set(
        folder / "photos",
        source="many",
        subjects=["a", "b", "b", "b", "b", "c", "d", "e"],
        vectors=vectors[12:],
        style="line",
    )
    return pairs, photos


@pytest.fixture(scope="module")
def built(sets: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built")
    build_adapter_data(sets[0], [sets[1]], out, PLAN)
    return out


def test_nobody_is_on_both_sides_under_two_names(built: Path) -> None:
    people = People.read(built / "people.json")
    assert people.of_pair["toy/006"] == people.of_pair["toy/007"]
    assert ("toy/006" in people.held_out) == ("toy/007" in people.held_out)
    assert 0 < len(people.held_out) < 12
    splits = {record.key: record.split for record in PackedDataset(built / "pairs").records}
    chosen_by = {key for key, split in splits.items() if split == "validation"}
    assert chosen_by == {key for key in people.held_out if people.half(key) == "fit"}


def test_people_for_reports_lie_in_no_pack_that_trains_or_chooses(
    sets: tuple[Path, Path], tmp_path: Path
) -> None:
    plan = AdapterPlan(held_out=0.6)
    outcome = build_adapter_data(sets[0], [sets[1]], tmp_path / "out", plan)
    people = People.read(tmp_path / "out" / "people.json")
    for_reports = {key for key in people.held_out if people.half(key) == "report"}
    packed = {record.key for record in PackedDataset(tmp_path / "out" / "pairs").records}
    assert for_reports
    assert packed == set(people.of_pair) - for_reports
    assert outcome["kept for reports"] == len(for_reports)


def test_whom_the_embedder_saw_is_trained_on_and_not_held_out(
    sets: tuple[Path, Path], tmp_path: Path
) -> None:
    plan = AdapterPlan(held_out=0.6)
    build_adapter_data(sets[0], [sets[1]], tmp_path / "first", plan)
    before = People.read(tmp_path / "first" / "people.json")
    build_adapter_data(sets[0], [sets[1]], tmp_path / "all", replace(plan, held_out=0.0))
    pairs = tmp_path / "all" / "pairs"  # trains everybody
    build_adapter_data(sets[0], [sets[1]], tmp_path / "second", plan, seen=[pairs])
    assert before.held_out
    assert not People.read(tmp_path / "second" / "people.json").held_out
    splits = {record.split for record in PackedDataset(tmp_path / "second" / "pairs").records}
    assert splits == {"train"}


def test_vectors_stay_with_their_faces(sets: tuple[Path, Path], built: Path) -> None:
    before = {r.key: v for r, v in zip(
        PackedDataset(sets[1]).records, load_targets(sets[1])[0], strict=True)}  # fmt: skip
    after = PackedDataset(built / "photos").records
    assert len(after) == 6  # at most two of one person
    for record, vector in zip(after, load_targets(built / "photos")[0], strict=True):
        np.testing.assert_array_equal(vector, before[record.key])


def test_some_photos_keep_their_stored_drawings(built: Path) -> None:
    names = [set(record.images) for record in PackedDataset(built / "photos").records]
    assert {"photo"} in names
    assert {"photo", "line"} in names


def test_photos_like_a_held_out_person_are_left_out(
    sets: tuple[Path, Path], built: Path, tmp_path: Path
) -> None:
    held_out = min(People.read(built / "people.json").held_out)
    row = [record.key for record in PackedDataset(sets[0]).records].index(held_out)
    vectors = strangers(3, 5, WIDE)
    vectors[1] = load_targets(sets[0])[0][row] + 0.05 * vectors[0]
    photos = write_taught_set(
        tmp_path / "photos", source="more", subjects=["x", "y", "z"], vectors=vectors
    )
    outcome = build_adapter_data(sets[0], [photos], tmp_path / "out", PLAN)
    assert outcome["left out, like a held-out person"] == 1
    keys = [record.key for record in PackedDataset(tmp_path / "out" / "photos").records]
    assert keys == ["more/000", "more/002"]


def test_another_embedders_data_hold_out_the_same_people(
    sets: tuple[Path, Path], built: Path, tmp_path: Path
) -> None:
    alike = np.ones((12, 6)) + 0.01 * np.random.default_rng(0).normal(size=(12, 6))
    subjects = [f"p{i}" for i in range(12)]
    pairs = write_taught_set(
        tmp_path / "pairs", source="toy", subjects=subjects, vectors=alike, with_drawings=True
    )
    photos = write_taught_set(tmp_path / "photos", source="many", subjects=["a"], vectors=alike[:1])
    build_adapter_data(pairs, [photos], tmp_path / "out", PLAN, people=built / "people.json")
    assert People.read(tmp_path / "out" / "people.json") == People.read(built / "people.json")


def test_vectors_of_two_embedders_are_refused(sets: tuple[Path, Path], tmp_path: Path) -> None:
    other = write_taught_set(
        tmp_path / "photos",
        source="many",
        subjects=["a"],
        vectors=strangers(1, 9),
        teacher="1" * 64,
    )
    with pytest.raises(DataFolderError, match="different embedders"):
        build_adapter_data(sets[0], [other], tmp_path / "out", PLAN)


def test_the_command_counts_who_went_where(sets: tuple[Path, Path], tmp_path: Path) -> None:
    arguments = ["--pairs", sets[0], "--photos", sets[1], "--out", tmp_path / "out"]
    result = CliRunner().invoke(adapter, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    assert "toy train:" in result.output
    assert "MiB" in result.output


def test_held_out_people_come_as_folders_in_two_halves(tmp_path: Path) -> None:
    stems = [f"{i:02d}" for i in range(12)]
    for kind in ("photos", "sketches"):
        (tmp_path / "toy" / kind).mkdir(parents=True)
        for stem in stems:
            (tmp_path / "toy" / kind / f"{stem}.png").touch()
    of_pair = {f"toy/{stem}": f"toy/{stem}" for stem in stems}
    of_pair["toy/01"] = of_pair["toy/00"]
    People(of_pair, frozenset(of_pair), frozenset()).write(tmp_path / "people.json")
    sources = {"toy": tmp_path / "toy"}
    counts = {
        part: arrange_heldout(tmp_path, sources, tmp_path / part, part=part)["toy"]
        for part in ("fit", "report", "all")
    }
    assert counts["all"] == 11  # one pair of each person
    assert counts["fit"] + counts["report"] == 11
    names = [{p.name for p in (tmp_path / part / "toy" / "sketches").iterdir()} for part in counts]
    assert not names[0] & names[1]
    with pytest.raises(DataFolderError, match="holds out nobody"):
        arrange_heldout(tmp_path, {"other": tmp_path / "toy"}, tmp_path / "x")


def test_people_whom_another_part_was_trained_on_are_left_out(built: Path, tmp_path: Path) -> None:
    known = People.read(built / "people.json")
    for kind in ("photos", "sketches"):
        (tmp_path / "toy" / kind).mkdir(parents=True)
        for key in known.of_pair:
            (tmp_path / "toy" / kind / f"{key.partition('/')[2]}.png").touch()
    People(known.of_pair, frozenset(known.of_pair), frozenset()).write(tmp_path / "people.json")
    sources = {"toy": tmp_path / "toy"}
    everybody = arrange_heldout(tmp_path, sources, tmp_path / "all")["toy"]
    new = arrange_heldout(tmp_path, sources, tmp_path / "new", seen=[built / "pairs"])["toy"]
    assert new == len({known.of_pair[key] for key in known.held_out}) < everybody
