from pathlib import Path

import pytest
from click.testing import CliRunner

from forensic.errors import InputError
from forensic.files import write_json
from forensic.weights.accuracy import EMBEDDED_BY
from pipelines.benchmark import benchmark
from pipelines.benchmark.ablation import AblationOptions
from pipelines.benchmark.heldout import NEW_SET, HeldoutOptions, rows_of, title_of, training_facts
from pipelines.heldout import read_sources
from tests.support.reports import example_report


def test_a_table_says_what_was_searched_and_who_is_new() -> None:
    title = title_of("fs2k", example_report(), NEW_SET)
    assert "40 probes in a gallery of 60" in title
    assert "viewed sketches of held-out people" in title
    assert title.endswith("set and artists new")


def test_rows_hold_rates_with_intervals_and_comparisons_with_best() -> None:
    plain = example_report(first=10, second=30)
    report = plain.model_copy(
        update={
            "methods": {"none": plain.methods["none"], "best": plain.methods["csi-line"]},
            "comparisons": [plain.comparisons[0].model_copy(update={"b": "best"})],
        }
    )
    rows = rows_of(report, ["forensic", "benchmark", "pairs", "--photos", "/home/x/photos"])
    assert "/home" not in rows["Command"]
    assert rows["none"].startswith("25.0 % (10 of 40, 95 % interval")
    assert "only the first 0, only the second 20" in rows["none beside best"]
    assert rows[EMBEDDED_BY] == f"fake ({'f' * 12}…)"


def test_training_facts_come_from_the_run(tmp_path: Path) -> None:
    (tmp_path / "adapter.safetensors").write_bytes(b"weights")
    recipe = {
        "name": "adapter-no-fs2k",
        "schedule": {"seed": 3},
        "options": {"embedder": "/some/where/y1.toml"},
        "data": {"options": {"without": ["fs2k"]}},
    }
    record = {
        "weights": "adapter.safetensors",
        "recipe": recipe,
        "progress": {"images_seen": 96000, "elapsed_s": 1800, "best_score": 0.75},
        "provenance": {"machine": "x86_64, 2 cores"},
        "data": {"pairs/manifest.json": "a" * 64},
    }
    write_json(tmp_path / "adapter.json", record)
    (tmp_path / "history.jsonl").write_text(
        '{"kind": "train", "images": 4800}\n{"kind": "validation", "images": 9600, "rank1": 0.5}\n'
    )
    facts = training_facts(tmp_path)
    assert facts["Embedder"] == "y1.toml"
    assert facts["Left out of training"] == "fs2k"
    assert facts["Hours"] == "0.50 on x86_64, 2 cores"
    assert facts["Learning curve (validation rank 1 by images seen)"] == "9k 50.0 %"


def test_sources_are_named() -> None:
    assert read_sources(["fs2k=/data/fs2k"]) == {"fs2k": Path("/data/fs2k")}
    with pytest.raises(InputError, match="NAME=FOLDER"):
        read_sources(["/data/fs2k"])


@pytest.mark.parametrize("command", ["ablation", "fusion", "heldout"])
def test_the_commands_are_there(command: str) -> None:
    assert CliRunner().invoke(benchmark, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("methods", "used"), [("none,best", "drawn:sketchface"), ("none", "sketchface")]
)
def test_held_out_people_are_searched_among_drawn_photos_for_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, methods: str, used: str
) -> None:
    asked: list[HeldoutOptions] = []
    monkeypatch.setattr(
        "pipelines.benchmark.heldout.benchmark_heldout", lambda options, **_: asked.append(options)
    )
    words = ["heldout", str(tmp_path), "--pairs", f"a={tmp_path}", "--embedder", "sketchface"]
    words += ["--methods", methods, "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(benchmark, words)
    assert result.exit_code == 0, result.output
    assert [options.embedder for options in asked] == [used]


def test_an_ablation_takes_best_apart_where_it_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[AblationOptions] = []
    monkeypatch.setattr(
        "pipelines.benchmark.ablation.benchmark_ablation",
        lambda options, **_: asked.append(options),
    )
    words = ["ablation", "--pairs", str(tmp_path), "--out", str(tmp_path / "out")]
    for more in ([], ["--embedder", "sketchface"], ["--embedder", "plain:sketchface"]):
        assert CliRunner().invoke(benchmark, words + more).exit_code == 0
    drawn = "drawn:sketchface"
    assert [options.embedder for options in asked] == [drawn, drawn, "plain:sketchface"]
