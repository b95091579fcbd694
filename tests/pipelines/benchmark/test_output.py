import subprocess
import sys
from pathlib import Path

import pytest

from forensic.errors import DataFolderError
from pipelines.benchmark.output import whole_folder


def _fail(out: Path, error: type[BaseException]) -> None:
    with whole_folder(out) as unfinished:
        (unfinished / "report.json").write_text("half")
        raise error


def test_folder_appears_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with whole_folder(out) as unfinished:
        (unfinished / "report.json").write_text("{}")
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ["report.json"]
    assert [path.name for path in out.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failed_run_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        _fail(tmp_path / "out", error)
    assert list(tmp_path.iterdir()) == []


def test_failed_run_leaves_an_earlier_report_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old")
    with pytest.raises(RuntimeError):
        _fail(tmp_path, RuntimeError)
    assert (tmp_path / "report.json").read_text() == "old"


def test_earlier_report_is_replaced_and_notes_beside_it_stay(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    with whole_folder(tmp_path) as unfinished:
        (unfinished / "report.json").write_text("new")
    assert (tmp_path / "report.json").read_text() == "new"
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_a_killed_run_left_goes_at_the_next_start_and_a_living_one_stays(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    killed = (
        "import os, sys; from pathlib import Path; "
        "from pipelines.benchmark.output import whole_folder; "
        "run = whole_folder(Path(sys.argv[1])); "
        "(run.__enter__() / 'half').write_text('x'); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", killed, str(out)], cwd=root, check=False)
    (stale,) = tmp_path.glob(".out.unfinished.*")
    other = tmp_path / ".outer.unfinished.x"
    other.mkdir()
    with whole_folder(out) as living:
        assert not stale.exists()
        with whole_folder(out) as second:
            (second / "report.json").write_text("{}")
        assert living.exists()
    assert other.exists()
    assert not list(tmp_path.glob(".out.unfinished.*"))


def test_files_and_folders_of_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderError, match="is a file"), whole_folder(tmp_path / "file"):
        pass
    with pytest.raises(DataFolderError, match=r"no report\.json"), whole_folder(tmp_path):
        pass
    below = whole_folder(tmp_path / "file" / "out")
    with pytest.raises(DataFolderError, match="cannot be written"), below:
        pass
