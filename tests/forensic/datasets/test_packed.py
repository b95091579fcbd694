import json
from pathlib import Path

import numpy as np
import pytest

from forensic.datasets import packed
from forensic.datasets.packed import PackedDataset, PackedWriter, Record, contact_sheet
from forensic.errors import DataFolderError, HashMismatch
from forensic.files import sha256_of_file
from forensic.sketches.line import LineStyle
from tests.support.packed import random_photo, write_packed

PHOTOS = [random_photo(seed) for seed in range(5)]
SKETCHES = [LineStyle()(photo) for photo in PHOTOS]


def record(number: int, split: str = "train") -> Record:
    return Record(f"toy/{number}", f"person-{number}", split, f"{number:064x}")


def write(folder: Path, quality: int = 100) -> PackedDataset:
    with PackedWriter(folder, geometry="csi-96", quality=quality) as writer:
        for number, (photo, line) in enumerate(zip(PHOTOS, SKETCHES, strict=True)):
            split = "validation" if number == 3 else "train"
            writer.add(record(number, split), {"photo": photo, "line": line})
        writer.facts = {"seed": 7}
    return PackedDataset(folder)


def test_lossless_round_trip(tmp_path: Path) -> None:
    data = write(tmp_path)
    np.testing.assert_array_equal(data.images(data.records, "photo"), np.stack(PHOTOS))
    lines = data.images(data.records, "line")
    assert lines.shape == (5, 16, 16, 1)
    np.testing.assert_array_equal(lines, np.stack(SKETCHES))


def test_lossy_round_trip_is_near(tmp_path: Path) -> None:
    data = write(tmp_path / "lossy", quality=90)
    error = data.images(data.records, "photo").astype(float) - np.stack(PHOTOS)
    assert 0 < np.sqrt((error**2).mean()) < 12


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    data = write(tmp_path)
    assert [r.key for r in data.records] == [f"toy/{i}" for i in range(5)]
    first = data.records[0]
    assert (first.subject, first.split, first.source_sha256) == ("person-0", "train", "0" * 64)
    shard, offset, length, channels = first.images["photo"]
    assert (shard, offset, channels) == (0, 0, 3)
    assert isinstance(first.images["photo"], tuple)
    assert first.images["line"][1] == length


def test_order_of_records_decides_the_order_of_images(tmp_path: Path) -> None:
    data = write(tmp_path)
    picked = [data.records[4], data.records[0], data.records[4]]
    found = data.images(picked, "photo")
    np.testing.assert_array_equal(found, np.stack([PHOTOS[4], PHOTOS[0], PHOTOS[4]]))


def test_manifest_says_what_is_inside(tmp_path: Path) -> None:
    manifest = write(tmp_path).manifest
    assert manifest["geometry"] == "csi-96"
    assert manifest["styles"] == ["line"]
    assert manifest["splits"] == {"train": 4, "validation": 1}
    assert manifest["seed"] == 7
    for name in ("records.jsonl", "shard-0000.bin"):
        assert manifest["files"][name] == sha256_of_file(tmp_path / name)


def test_many_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "SHARD_BYTES", 400)
    data = write(tmp_path)
    assert len(list(tmp_path.glob("shard-*.bin"))) > 2
    np.testing.assert_array_equal(data.images(data.records, "photo"), np.stack(PHOTOS))
    backwards = data.images(data.records[::-1], "photo")
    np.testing.assert_array_equal(backwards, np.stack(PHOTOS[::-1]))


def test_splits(tmp_path: Path) -> None:
    data = write(tmp_path)
    assert [r.key for r in data.in_split("validation")] == ["toy/3"]
    assert len(data.in_split("train")) == 4
    with pytest.raises(DataFolderError, match="no 'test' faces"):
        data.in_split("test")


def test_names_with_line_separators_stay_one_record(tmp_path: Path) -> None:
    """A file name may hold any character; JSON leaves these two as they are."""
    odd = Record("toy/a\u2028b\u0085c\n", "p", "train", "0" * 64)
    with PackedWriter(tmp_path, geometry="g") as writer:
        writer.add(odd, {"photo": PHOTOS[0]})
    assert [r.key for r in PackedDataset(tmp_path).records] == [odd.key]


def test_styles_that_were_not_stored(tmp_path: Path) -> None:
    data = write(tmp_path)
    with pytest.raises(DataFolderError, match="stores no 'pencil-gray'"):
        data.images(data.records, "pencil-gray")
    with pytest.raises(DataFolderError, match="No records"):
        data.images([], "photo")


@pytest.mark.parametrize("name", ["shard-0000.bin", "records.jsonl"])
def test_one_changed_byte_is_found(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(HashMismatch, match=name) as caught:
        PackedDataset(tmp_path)
    assert caught.value.actual_sha256 == sha256_of_file(tmp_path / name)
    assert caught.value.expected_sha256 != caught.value.actual_sha256


def test_lost_shard(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "shard-0000.bin").unlink()
    with pytest.raises(DataFolderError, match=r"shard-0000\.bin is missing"):
        PackedDataset(tmp_path)


def test_unfinished_build_is_no_data_set_and_can_be_begun_again(tmp_path: Path) -> None:
    def interrupted() -> None:
        with PackedWriter(tmp_path, geometry="g") as writer:
            writer.add(record(0), {"photo": PHOTOS[0]})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with pytest.raises(DataFolderError, match="not a finished data set"):
        PackedDataset(tmp_path)
    assert len(write(tmp_path).records) == 5


def test_finished_data_set_is_not_overwritten(tmp_path: Path) -> None:
    before = write(tmp_path).manifest
    with pytest.raises(DataFolderError, match="already holds"):
        PackedWriter(tmp_path, geometry="g")
    assert PackedDataset(tmp_path).manifest == before


@pytest.mark.parametrize("text", ['{"format": 1', "", "\x00"])
def test_damaged_manifest(tmp_path: Path, text: str) -> None:
    write(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataFolderError, match="damaged"):
        PackedDataset(tmp_path)


def test_another_format(tmp_path: Path) -> None:
    manifest = write(tmp_path).manifest | {"format": 99}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataFolderError, match="format 99"):
        PackedDataset(tmp_path)


def test_missing_folder_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="forensic dataset build"):
        PackedDataset(tmp_path / "absent")


def test_verification_can_be_left_to_someone_else(tmp_path: Path) -> None:
    write_packed(tmp_path)
    (tmp_path / "shard-0000.bin").write_bytes(b"")
    assert len(PackedDataset(tmp_path, verify=False).records) == 8


def test_contact_sheet_mixes_gray_and_colour() -> None:
    sheet = contact_sheet([[PHOTOS[0], SKETCHES[0]], [PHOTOS[1], SKETCHES[1]]])
    assert sheet.shape == (32, 32, 3)
    np.testing.assert_array_equal(sheet[16:, :16], PHOTOS[1])
    np.testing.assert_array_equal(sheet[:16, 16:], SKETCHES[0].repeat(3, 2))
