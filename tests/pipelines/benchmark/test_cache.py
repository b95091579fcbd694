import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from forensic.errors import DataFolderError
from pipelines.benchmark.cache import FILE, Cache, code_version, default_cache_folder, key_of


def test_values_come_back_after_closing(tmp_path: Path) -> None:
    with Cache(tmp_path / "new") as cache:
        cache.put({"a": b"1", "b": b"2"})
        cache.put({"a": b"3"})
    with Cache(tmp_path / "new") as cache:
        assert cache.get(["a", "b", "c"]) == {"a": b"3", "b": b"2"}
        assert cache.get([]) == {}


def test_thousands_of_keys_are_asked_for_at_once(tmp_path: Path) -> None:
    with Cache(tmp_path) as cache:
        cache.put({str(i): b"x" for i in range(3000)})
        assert len(cache.get(str(i) for i in range(3000))) == 3000


def test_only_the_owner_can_read_embeddings(tmp_path: Path) -> None:
    with Cache(tmp_path / "private"):
        assert (tmp_path / "private").stat().st_mode & 0o077 == 0


def test_key_depends_on_every_part_and_not_on_their_order() -> None:
    assert key_of(a=1, b=[2]) == key_of(b=[2], a=1)
    assert len({key_of(a=1), key_of(a=2), key_of(b=1), key_of(a="1")}) == 4


def test_finished_batches_survive_a_kill(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from pipelines.benchmark.cache import Cache\n"
        "cache = Cache(Path(sys.argv[1])); cache.put({'done': b'kept'})\n"
        "cache._file.execute(\"INSERT INTO entries VALUES ('half', 'lost')\")\n"
        "os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, check=False)
    assert run.returncode == -signal.SIGKILL
    with Cache(tmp_path) as cache:
        assert cache.get(["done", "half"]) == {"done": b"kept"}


def test_damaged_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database at all" * 100)
    with pytest.raises(DataFolderError, match=r"embeddings\.sqlite.*--cache"):
        Cache(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataFolderError):
        Cache(tmp_path / "new")


def test_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(DataFolderError, match="taken"):
        Cache(tmp_path / "taken")


def test_default_folder_follows_the_environment() -> None:
    assert default_cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/forensic")
    assert default_cache_folder({}) == Path("~/.cache/forensic").expanduser()


def test_code_version_tells_packages_apart() -> None:
    assert code_version("faces") == code_version("faces")
    assert code_version("faces") != code_version("images")
