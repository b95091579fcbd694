import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from forensic.errors import InputError
from pipelines.benchmark.suite import running, states
from pipelines.benchmark.suite.running import Done, alone_in, make_all
from pipelines.benchmark.suite.states import Workshop
from tests.support.suite import COMMANDS, FAKE_FORENSIC, tiny_workshop


@pytest.fixture(autouse=True)
def _fake_forensic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "FORENSIC", FAKE_FORENSIC)
    monkeypatch.setattr(states, "code_key", lambda _: "code")


def _make(
    workshop: Workshop,
    *,
    names: Sequence[str] = (),
    force: bool = False,
    minutes: float | None = None,
) -> list[Done]:
    chosen = workshop.plan.needed(tuple(names))
    cache = workshop.out / "cache"
    return make_all(workshop, chosen, cache=cache, force=force, max_minutes=minutes, say=_quiet)


def _quiet(line: str) -> None:
    del line


def _words(workshop: Workshop) -> list[str]:
    return [workshop.state(name).word for name in workshop.plan.report]


def test_what_is_made_is_fresh_and_not_made_again(tmp_path: Path) -> None:
    assert _words(tiny_workshop(tmp_path)) == ["missing"] * 3
    assert [done.name for done in _make(tiny_workshop(tmp_path))] == ["first", "second", "third"]
    again = tiny_workshop(tmp_path)
    assert _words(again) == ["fresh"] * 3
    assert (again.folder("second") / "made.txt").read_text() == "12"
    assert _make(again) == []
    assert [done.name for done in _make(again, names=["third"], force=True)] == ["third"]


def test_changed_data_make_a_report_and_those_that_read_it_stale(tmp_path: Path) -> None:
    _make(tiny_workshop(tmp_path))
    (tmp_path / "data" / "numbers.txt").write_text("5")
    workshop = tiny_workshop(tmp_path)
    assert _words(workshop) == ["stale", "stale", "fresh"]
    assert workshop.state("first").why == "changed: data numbers"
    assert workshop.state("second").why == "changed: report first"
    assert [done.name for done in _make(workshop)] == ["first", "second"]
    assert (workshop.folder("second") / "made.txt").read_text() == "52"


def test_changed_weights_commands_and_code_make_it_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make(tiny_workshop(tmp_path))
    other = {**COMMANDS, "third": "copy --word 4 --out {out}"}
    assert tiny_workshop(tmp_path, other).state("third").why == "changed: command"
    (tmp_path / "weights" / "net.safetensors").write_bytes(b"two")
    assert tiny_workshop(tmp_path).state("third").why == "changed: weights net"
    monkeypatch.setattr(states, "code_key", lambda _: "other")
    assert tiny_workshop(tmp_path).state("third").why == "changed: code, weights net"


def test_a_report_that_fails_ends_no_other_and_says_why(tmp_path: Path) -> None:
    commands = {**COMMANDS, "first": "fail --from {numbers} --out {out}"}
    done = _make(tiny_workshop(tmp_path, commands))
    assert [(one.name, bool(one.failed)) for one in done] == [("first", True), ("third", False)]
    assert "no luck" in done[0].failed
    workshop = tiny_workshop(tmp_path, commands)
    assert _words(workshop) == ["missing", "missing", "fresh"]  # the second reads the first
    assert not workshop.folder("first").exists()


def test_an_older_report_stays_where_a_new_one_fails(tmp_path: Path) -> None:
    _make(tiny_workshop(tmp_path))
    commands = {**COMMANDS, "third": "fail --word 4 --out {out}"}
    _make(tiny_workshop(tmp_path, commands))
    workshop = tiny_workshop(tmp_path, commands)
    assert workshop.state("third").word == "stale"
    assert (workshop.folder("third") / "made.txt").read_text() == "3"


def test_the_time_limit_ends_the_run_and_the_next_call_goes_on(tmp_path: Path) -> None:
    slow = {**COMMANDS, "second": "sleep --word 2 --out {out}"}
    done = _make(tiny_workshop(tmp_path, slow), minutes=0.05)
    assert done[-1] == Done("second", "the time is up", done[-1].seconds)
    assert _words(tiny_workshop(tmp_path, slow)) == ["fresh", "missing", "missing"]
    assert [one.name for one in _make(tiny_workshop(tmp_path))] == ["second", "third"]


def test_a_killed_suite_leaves_its_folder_locked_by_its_run_and_then_goes_on(
    tmp_path: Path,
) -> None:
    script = (
        "from pathlib import Path\n"
        "from pipelines.benchmark.suite import running, states\n"
        "from tests.support.suite import COMMANDS, FAKE_FORENSIC, tiny_workshop\n"
        "running.FORENSIC, states.code_key = FAKE_FORENSIC, lambda _: 'code'\n"
        "slow = {**COMMANDS, 'second': 'sleep --word 2 --out {out}'}\n"
        f"workshop = tiny_workshop(Path({str(tmp_path)!r}), slow)\n"
        "running.make_all(workshop, ['first', 'second'], cache=workshop.out, say=running.shout)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as suite:
        assert suite.stdout is not None
        while not suite.stdout.readline().startswith("second"):
            pass
        draft = tmp_path / "out" / "unfinished" / "second" / "made.txt"
        while not draft.exists():
            pass
        suite.send_signal(signal.SIGKILL)
    with pytest.raises(InputError, match="Another run"), alone_in(tmp_path / "out"):
        pass
    os.kill(int(draft.with_name("pid").read_text()), signal.SIGKILL)
    _wait_for(tmp_path / "out")
    workshop = tiny_workshop(tmp_path)
    assert workshop.state("first").why == ""
    done = _make(workshop)
    assert [(one.name, one.failed) for one in done] == [("second", ""), ("third", "")]
    assert not draft.exists()


def _wait_for(folder: Path) -> None:
    """Wait until nobody is at work in a folder of reports any more."""
    while True:
        try:
            with alone_in(folder):
                return
        except InputError:
            time.sleep(0.05)


def test_what_lacks_is_named_with_its_remedy(tmp_path: Path) -> None:
    commands = {"first": "copy --from {judge} --out {out}", "second": COMMANDS["second"]}
    workshop = tiny_workshop(tmp_path, commands)
    assert _words(workshop) == ["impossible", "impossible"]
    assert workshop.state("first").why == "--at judge=PATH is not given: an embedder"
    assert workshop.state("second").why.startswith("first: --at judge=PATH")
    (tmp_path / "weights" / "net.safetensors").unlink()
    (tmp_path / "data" / "numbers.txt").unlink()
    lacking = Workshop(
        tiny_workshop(tmp_path).plan,
        data=tmp_path / "none",
        places={},
        out=tmp_path / "out",
        weights=tmp_path / "none",
    ).state("first")
    assert "there is no" in lacking.why
    assert "no weights net" in lacking.why
    assert _make(workshop) == []


def test_a_report_made_elsewhere_is_taken_as_it_is(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "made.txt").write_text("9")
    plain = tiny_workshop(tmp_path)
    workshop = Workshop(
        plain.plan,
        data=tmp_path / "data",
        places={"first": elsewhere},
        out=tmp_path / "out",
        weights=tmp_path / "weights",
    )
    assert [one.name for one in _make(workshop, force=True)] == ["second", "third"]
    assert (workshop.folder("second") / "made.txt").read_text() == "92"
    assert (elsewhere / "made.txt").read_text() == "9"
