from pathlib import Path

import pytest

from forensic.files import sha256_of_bytes, write_json
from forensic.weights.catalogue import load_catalogue
from pipelines.papers import seen
from pipelines.papers.seen import read_images_seen, state_training
from pipelines.papers.tables import PaperTable, Row

DIGEST = sha256_of_bytes(b"weights")


def write_run(folder: Path, name: str, record: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.safetensors").write_bytes(b"weights")
    write_json(folder / f"{name}.json", record)


def test_records_beside_weights_and_cards_of_the_package(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "toy", {"sha256": DIGEST, "progress": {"images_seen": 4400}})
    found = read_images_seen([tmp_path])
    assert found[DIGEST] == 4400
    assert found[load_catalogue()["csi-grayscale"].sha256] == 100_000


def test_words_behind_the_number_of_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = {
        "csi-line": "105,600; published after 67,200 at the best validation",
        "csi-color": "unknown",
    }
    for name, told in cards.items():
        write_json(tmp_path / f"{name}.results.json", {"Training": {"Images seen": told}})
    monkeypatch.setattr(seen, "BUNDLED", tmp_path)
    assert read_images_seen([]) == {load_catalogue()["csi-line"].sha256: 105_600}


def test_records_of_something_else_say_nothing(tmp_path: Path) -> None:
    write_run(tmp_path / "a", "toy", {"sha256": DIGEST})
    write_run(tmp_path / "b", "toy", [DIGEST])
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "toy.safetensors").write_bytes(b"weights")
    assert DIGEST not in read_images_seen([tmp_path])


def test_rows_name_what_their_network_had_seen() -> None:
    rows = [Row("Ours", weights_sha256=DIGEST), Row("Theirs")]
    table = PaperTable("toy-1", "Toy", {}, rows)
    ours, theirs = state_training([table], {DIGEST: 4400})[0].rows
    assert (ours.images_seen, theirs.images_seen) == (4400, 0)
