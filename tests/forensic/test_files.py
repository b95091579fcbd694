import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from forensic.files import atomic_write, read_json, sha256_of_bytes, sha256_of_file, write_json

ROOT = Path(__file__).resolve().parents[2]
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4 example


def test_sha256_of_known_texts(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of_bytes(b"") == EMPTY
    assert sha256_of_bytes(b"abc") == ABC == sha256_of_file(tmp_path / "abc")


def test_atomic_write_makes_folders_and_leaves_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.bin"
    with atomic_write(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["b.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_error_keeps_the_old_content_and_no_draft(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")

    def write() -> None:
        with atomic_write(path) as file:
            file.write(b"half of the n")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_kill_in_the_middle_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    script = (
        "import sys, time, pathlib; from forensic.files import atomic_write\n"
        "with atomic_write(pathlib.Path(sys.argv[1])) as file:\n"
        "    file.write(b'half of the n'); file.flush(); print('writing', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    write_json(path, {"next": True})  # a draft left behind is in nobody's way
    assert read_json(path) == {"next": True}


def test_text_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    write_json(tmp_path / "j", {"b": 1, "a": "Güçlütürk"})
    text = (tmp_path / "j").read_bytes().decode()
    assert text == '{\n  "a": "Güçlütürk",\n  "b": 1\n}\n'


def test_json_refuses_nan_and_keeps_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "j", 1)
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "j", {"score": math.nan})
    assert read_json(tmp_path / "j") == 1


def test_read_json_refuses_half_a_document(tmp_path: Path) -> None:
    (tmp_path / "j").write_text('{"a": ')
    with pytest.raises(ValueError, match="Expecting value"):
        read_json(tmp_path / "j")
