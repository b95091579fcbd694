from pathlib import Path

import pytest

from forensic.training.history import History


@pytest.fixture
def history(tmp_path: Path) -> History:
    found = History(tmp_path / "history.jsonl")
    for step in (10, 20, 30):
        found.write(kind="train", step=step, loss=step / 7)
    return found


def test_lines_come_back_exactly(history: History) -> None:
    assert history.read()[1] == {"kind": "train", "step": 20, "loss": 20 / 7}


def test_a_line_cut_short_is_left_out(history: History) -> None:
    with open(history.path, "a") as file:
        file.write('{"kind": "train", "step": 40, "lo')
    assert [line["step"] for line in history.read()] == [10, 20, 30]


def test_truncation_drops_later_steps_and_the_cut_line(history: History) -> None:
    with open(history.path, "a") as file:
        file.write('{"kind": "tra')
    history.truncate_after(20)
    history.write(kind="train", step=25)
    assert [line["step"] for line in history.read()] == [10, 20, 25]
    assert len(history.path.read_text().splitlines()) == 3


def test_truncation_that_fails_loses_nothing(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("forensic.files.os.fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        history.truncate_after(10)
    assert len(history.read()) == 3


def test_no_file_yet(tmp_path: Path) -> None:
    assert History(tmp_path / "absent.jsonl").read() == []
