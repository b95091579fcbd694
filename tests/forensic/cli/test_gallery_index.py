"""`forensic gallery verify|rebuild|search`, as typed."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from db.session import open_engine
from forensic.cli.boundary import LazyGroup
from forensic.cli.gallery_answers import show_answers
from forensic.jobs.galleries.found import Found, Hit
from forensic.jobs.galleries.image_search import Answer
from forensic.jobs.galleries.probing import Probe
from forensic.jobs.galleries.projection import publish
from forensic.jobs.galleries.sources.source import Refusal
from tests.support.factories import sha256
from tests.support.imports import import_folder, make_gallery, write_files
from tests.support.indexed import filled, new_gallery, replace_vector

COMMANDS = LazyGroup(
    "gallery",
    lazy={
        name: (f"forensic.cli.gallery_index:{name}", "") for name in ("search", "verify", "rebuild")
    },
)


@pytest.fixture
def root(tmp_path, migrated_sqlite):
    (tmp_path / "records.db").write_bytes(migrated_sqlite.read_bytes())
    return tmp_path


@pytest.fixture
def records(root):
    engine = open_engine(f"sqlite:///{root}/records.db")
    yield engine
    engine.dispose()


def run(root, *arguments):
    return CliRunner().invoke(COMMANDS, [*arguments, "--root", str(root)])


def test_damage_is_told_and_mended(root, records):
    gallery_id = new_gallery(records)
    held = filled(records, gallery_id, 12)
    publish(records, root / "galleries", gallery_id)
    whole = run(root, "verify", "test")
    assert (whole.exit_code, whole.output) == (0, "test: records, index and files agree\n")
    replace_vector(records, min(held), None)
    (root / "galleries" / str(gallery_id) / "stray").touch()
    for _ in range(2):  # looking changes nothing
        found = run(root, "verify")
        assert found.exit_code == 1
        assert "vector_missing: 1: photos have no vector" in found.output
        assert "stray_files: 1" in found.output
        assert "--fix" in found.output
    mended = run(root, "verify", "--fix")
    assert mended.exit_code == 0, mended.output
    assert "1 vectors taken from the index" in mended.output
    assert run(root, "verify", "test").exit_code == 0


def test_files_that_the_store_has_lost_are_told(root, records):
    folder = write_files(root / "in", {"ann/1.png": "face 1", "bob/1.png": "face 2"})
    import_folder(records, make_gallery(records), folder, root)
    assert run(root, "verify").exit_code == 0
    next(path for path in (root / "files").rglob("*") if path.is_file()).unlink()
    for arguments in ([], ["--fix"]):
        found = run(root, "verify", *arguments)
        assert found.exit_code == 1
        assert "damage: file of photo" in found.output
        assert "is not in the store" in found.output


def test_folders_of_unknown_galleries_are_told(root, records):
    (root / "galleries" / str(uuid.uuid4())).mkdir(parents=True)
    found = run(root, "verify", "--fix")
    assert found.exit_code == 1
    assert "belongs to no gallery on record" in found.output


def test_rebuilding_publishes_the_next_generation(root, records):
    filled(records, new_gallery(records), 5)
    for number in (1, 2):
        done = run(root, "rebuild", "test")
        assert done.output == f"test: generation {number} with 5 photos is published.\n"


def test_recall_of_an_approximate_index_is_told(root, records):
    filled(records, new_gallery(records), 1000)
    done = run(root, "rebuild", "test", "--ivf-pq", "--lists", "8", "--probe", "1")
    assert done.exit_code == 0, done.output
    assert "of the truly best when the index was built" in done.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["verify", "other"], "no gallery 'other'"),
        (["rebuild", "other"], "no gallery 'other'"),
        (["rebuild", "test", "--lists", "8"], "belong to --ivf-pq"),
        (["rebuild", "test", "--ivf-pq"], "needs 1000 photos or more, not 0"),
        (["search", "other", "x.png"], "no gallery 'other'"),
        (["search", "test", "x.png", "--born", "1960"], "--born takes two years"),
        (["search", "test", "x.png", "--attribute", "hair"], "NAME=VALUE"),
        (["search", "test"], "Missing argument"),
        (["search", "test", "x.png", "--device", "cuda:99"], "'cuda:99' was asked for, but"),
    ],
)
def test_what_cannot_be_done_is_refused(root, records, arguments, told):
    new_gallery(records)
    refused = run(root, *arguments)
    assert refused.exit_code == 2
    assert told in refused.output


def test_a_database_without_tables_is_refused(tmp_path):
    refused = run(tmp_path, "verify")
    assert refused.exit_code == 2
    assert "forensic db upgrade" in refused.output


HIT = Hit(1, 17, sha256("a"), uuid.UUID(int=1), "ann", 0.75)
FOUND = Found(
    ((HIT,),),
    (np.ones((1, 4), np.float32),),
    uuid.UUID(int=2),
    3,
    True,
    10,
    8,
    4,
    True,
    None,
    None,
    "cpu",
)
ANSWERS = [
    Answer(Probe(Path("a.png"), sha256("a")), (HIT,), True),
    Answer(Probe(Path("b.png"), None, refusal=Refusal("no_face", "None.")), None, False),
]


class Mugshots:
    name = "mugshots"


def shown(capsys, found, *, as_json):
    show_answers(Mugshots(), [(ANSWERS, found)], as_json=as_json)
    return capsys.readouterr().out


def test_lists_say_that_they_are_leads_and_what_was_searched(capsys):
    text = shown(capsys, FOUND, as_json=False)
    assert text.startswith("Investigative leads only.")
    assert "1    0.750  ann (photo 17)" in text
    assert "not searched: no_face" in text
    assert "8 of 10 photos searched, 4 persons, generation 3." in text
    assert "1 images are photos of this gallery; 1 of them found themselves first." in text
    assert "APPROXIMATE" not in text


def test_approximate_lists_say_what_they_may_miss(capsys):
    from dataclasses import replace

    near = replace(FOUND, is_exact=False, measured_recall=0.934, recall_at=50, is_current=False)
    text = shown(capsys, near, as_json=False)
    assert "APPROXIMATE: lists held 93.4% of the 50 truly best" in text
    assert "which lacks the latest changes" in text


def test_json_holds_the_same(capsys):
    told = json.loads(shown(capsys, FOUND, as_json=True))
    assert told["notice"].startswith("Investigative leads only.")
    assert told["counts"] == {"searched": 1, "refused": 1, "own": 1, "own_first": 1}
    assert (told["searched"]["is_exact"], told["searched"]["gallery_size"]) == (True, 10)
    assert told["probes"][0]["hits"][0]["external_id"] == "ann"
    assert told["probes"][1]["refused"]["reason"] == "no_face"
