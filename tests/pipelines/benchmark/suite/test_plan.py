from pathlib import Path

import pytest

from forensic.errors import RecipeError, UnknownNameError
from forensic.weights.catalogue import load_catalogue
from forensic.weights.embedders import DEFAULT, JOIN
from forensic.weights.store import BUNDLED
from pipelines.benchmark.suite.cards import CARD_KINDS
from pipelines.benchmark.suite.pages import marks
from pipelines.benchmark.suite.plan import PLAN, Plan, read_plan
from pipelines.benchmark.suite.tables import KINDS

README = PLAN.with_name("README.md")
GOOD = """
[data]
numbers = "numbers.txt"
[report.first]
command = "copy --from {numbers} --out {out}"
[report.second]
command = "copy --from {first}/made.txt --out {out}"
[report.third]
command = "copy --out {out}"
[table.all]
kind = "pairs"
rows = [{ label = "all", file = "first/report.json" }]
"""


PLAIN = {"plain:sketchface", "drawn:sketchface"}


def _read(tmp_path: Path, text: str) -> Plan:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return read_plan(path)


def test_a_chosen_report_brings_those_it_reads(tmp_path: Path) -> None:
    plan = _read(tmp_path, GOOD)
    assert plan.needed(("second",)) == ["first", "second"]
    assert plan.needed(()) == ["first", "second", "third"]
    with pytest.raises(UnknownNameError, match="fourth"):
        plan.needed(("fourth",))


def test_a_command_is_shown_without_places(tmp_path: Path) -> None:
    plan = _read(tmp_path, GOOD)
    assert plan.report["second"].shown() == "forensic copy --from FIRST/made.txt --out OUT"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{numbers}", "{letters}", "reads {letters}"),
        ("--from {numbers} --out {out}", "--from {numbers}", "where {out} goes"),
        ("--from {numbers}", "--from {second}", "defined nowhere before"),
        ("[report.third]", "[report.numbers]", "given twice"),
        ("first/report.json", "fifth/report.json", "no report"),
        ("kind =", "sort =", "kind"),
        ("[data]", "data]", "not TOML"),
    ],
)
def test_a_faulty_plan_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        _read(tmp_path, GOOD.replace(old, new, 1))


def test_a_plan_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        read_plan(tmp_path / "nowhere.toml")


def test_the_projects_plan_names_all_weights_of_its_commands() -> None:
    stems = {Path(entry.file).stem: name for name, entry in load_catalogue().items()}
    for name, report in read_plan(PLAN).report.items():
        said = {part for word in report.words() for part in word.split(",")}
        wanted = {stem for stem, known in stems.items() if known in said}
        alone = {"--embedder", "papers", "cohorts"}
        if report.words()[0] == "benchmark" and not said & alone:
            wanted.add("sketchface")
        if said & {"best", "adapter", "ablation"}:
            embedder = next((w for w in report.words() if "{y1}" in w or w in PLAIN), DEFAULT)
            way, _, joined = embedder.rpartition(":")
            own = joined.replace("{y1}", "y1").split(JOIN)
            wanted.add("-".join(["best", *[way] * (way == "drawn"), *own]))
            wanted |= {f"adapter-{part}" for part in own if part != "y1" or way != "drawn"}
            wanted |= {"adapter-y1-drawn"} if "y1" in own and way == "drawn" else set()
        assert wanted <= set(report.weights), name
        for stem in report.weights:
            assert list(BUNDLED.glob(f"{stem}.*")), stem


def test_the_projects_plan_holds_only_kinds_that_exist_and_every_mark_of_the_page() -> None:
    plan = read_plan(PLAN)
    assert {table.kind for table in plan.table.values()} <= set(KINDS)
    assert {table.kind for tables in plan.card.values() for table in tables} <= set(CARD_KINDS)
    assert set(plan.card) <= set(load_catalogue())
    assert set(marks(README)) <= set(plan.table)
