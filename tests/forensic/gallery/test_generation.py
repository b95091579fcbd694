"""Generations on disk: gathered in constant memory, checked, shared by processes."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

from forensic.errors import CorruptIndex, DataFolderError, InputError, RangeError, ShapeError
from forensic.gallery import generation, store
from forensic.gallery.drafts import Draft, NumberedPhotos
from forensic.gallery.generation import open_generation, write_generation
from tests.support.galleries import unit_rows


def photos(count, *, dimension=8, start=1, seed=0):
    persons = np.zeros((count, 16), dtype=np.uint8)
    persons[:, 15] = np.arange(count) % 7
    numbers = np.arange(start, start + count)
    return NumberedPhotos(numbers, persons, unit_rows("random", count, dimension, seed))


def test_a_draft_gives_back_what_was_added_and_leaves_no_file(tmp_path):
    first, second = photos(5), photos(3, start=10, seed=1)
    with Draft(tmp_path, 8) as draft:
        draft.append(first)
        draft.append(second)
        gathered = draft.photos()
        assert isinstance(gathered.vectors, np.memmap)
        assert gathered.photo_ids.tolist() == [1, 2, 3, 4, 5, 10, 11, 12]
        np.testing.assert_array_equal(
            gathered.vectors, np.concatenate([first.vectors, second.vectors])
        )
        assert gathered.subject_ids.shape == (8, 16)
        assert list(tmp_path.iterdir()) == []


def test_an_empty_draft_is_an_empty_generation(tmp_path):
    with Draft(tmp_path, 8) as draft:
        done = write_generation(tmp_path / "g", draft.photos(), facts={})
    opened = open_generation(tmp_path / "g", manifest_sha256=done.manifest_sha256)
    assert (len(opened), opened.count_subjects()) == (0, 0)
    ((rows, similarities),) = opened.search(unit_rows("random", 1, 8, 0), 5)
    assert (len(rows), len(similarities)) == (0, 0)
    assert np.isnan(opened.similarity_spread(unit_rows("random", 1, 8, 0)))[0]
    assert opened.mask_of(np.array([1])).tolist() == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (
            NumberedPhotos(np.array([5, 5]), np.zeros((2, 16), np.uint8), photos(2).vectors),
            InputError,
        ),
        (
            NumberedPhotos(np.array([3, 2]), np.zeros((2, 16), np.uint8), photos(2).vectors),
            InputError,
        ),
        (NumberedPhotos(np.array([7]), np.zeros((2, 16), np.uint8), photos(2).vectors), ShapeError),
        (photos(2, dimension=9), ShapeError),
        (
            NumberedPhotos(np.array([8]), np.zeros((1, 16), np.uint8), photos(1).vectors * 2),
            RangeError,
        ),
    ],
)
def test_what_no_generation_may_hold_is_refused(tmp_path, wrong, error):
    with Draft(tmp_path, 8) as draft:
        with pytest.raises(error):
            draft.append(wrong)
        draft.append(photos(1))
        assert len(draft.photos().photo_ids) == 1


def test_photos_are_found_by_number_and_others_are_not(tmp_path):
    done = write_generation(tmp_path / "g", photos(4, start=10), facts={"kind": "exact"})
    opened = open_generation(tmp_path / "g", manifest_sha256=done.manifest_sha256)
    assert opened.mask_of(np.array([9, 11, 13, 14, 10**9])).tolist() == [False, True, False, True]
    assert opened.facts["kind"] == "exact"
    assert opened.count_subjects(np.array([True, False, False, False])) == 1
    with pytest.raises(CorruptIndex, match="not the manifest that the records hold"):
        open_generation(tmp_path / "g", manifest_sha256="0" * 64)
    with pytest.raises(DataFolderError):
        open_generation(tmp_path / "other", manifest_sha256=done.manifest_sha256)


@pytest.mark.parametrize("when", ["as it is opened", "when it has been read"])
def test_a_generation_that_a_publisher_deletes_meanwhile_is_told_as_gone(
    tmp_path, monkeypatch, when
):
    """Readers take the next one then, and only the errors of this module tell them to."""
    done = write_generation(tmp_path / "g", photos(4), facts={"kind": "exact"})
    module, name = (
        (store, "read_json") if when == "as it is opened" else (generation, "read_sealed")
    )
    original = getattr(module, name)

    def and_delete(path, *arguments):
        if name == "read_sealed":
            original(path, *arguments)
        shutil.rmtree(tmp_path / "g")
        return original(path, *arguments) if name == "read_json" else None

    monkeypatch.setattr(module, name, and_delete)
    with pytest.raises((CorruptIndex, DataFolderError)):
        open_generation(tmp_path / "g", manifest_sha256=done.manifest_sha256)


READ_AND_TELL = """
import re, sys
import numpy as np
from pathlib import Path
from forensic.gallery.generation import open_generation

folder = Path(sys.argv[1])
opened = open_generation(folder, manifest_sha256=sys.argv[2])
probes = np.ascontiguousarray(opened.vectors[:5])
for batch in (probes, probes[:1]):
    opened.search(batch, 50)
private = {}
for line in Path("/proc/self/smaps").read_text().splitlines():
    if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
        name = line.split(None, 5)[5] if len(line.split(None, 5)) > 5 else ""
    elif line.startswith(("Rss:", "Private_Dirty:", "Anonymous:")) and str(folder) in name:
        key = (Path(name).name, line.split(":")[0])
        private[key] = private.get(key, 0) + int(line.split()[1])
for (name, kind), kb in sorted(private.items()):
    print(name, kind, kb)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_processes_share_one_copy_of_the_index(tmp_path):
    """What each of them maps is the files themselves: no page of its own, of vectors or codes."""
    count, dimension = generation.CODED_FROM_ROWS, 64
    done = write_generation(tmp_path / "g", photos(count, dimension=dimension), facts={})
    command = [sys.executable, "-c", READ_AND_TELL, str(tmp_path / "g"), done.manifest_sha256]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [(reader.communicate()[0], reader.returncode) for reader in readers]
    for told, returncode in answers:
        assert returncode == 0
        sizes = {tuple(line.split()[:2]): int(line.split()[2]) for line in told.splitlines()}
        for name, kb in (
            ("vectors.npy", count * dimension * 4 // 1024),
            ("codes-00000.faiss", count * dimension // 1024),
        ):
            assert sizes[name, "Rss"] >= kb * 0.9  # it was read through this very mapping
            assert sizes[name, "Anonymous"] == 0  # files in memory count as dirty, not as this
