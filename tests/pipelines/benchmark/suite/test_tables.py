from collections.abc import Callable
from pathlib import Path

import pytest

from forensic.files import write_json
from forensic.reports.record import BenchmarkReport
from forensic.reports.sections import (
    GrowthPoint,
    GrowthRecord,
    MeanRecord,
    PublishedMean,
    QualityMethod,
    QualityRecord,
)
from pipelines.benchmark.scoring import Published, score_method
from pipelines.benchmark.suite.plan import Row, Table
from pipelines.benchmark.suite.tables import render
from tests.support.reports import example_report

FIGURES = {
    "psnr": {"mean": 17.93964, "standard_error": 0.06329},
    "ssim": {"mean": 0.84119, "standard_error": 0.00151},
    "r": {"mean": 0.90767, "standard_error": 0.00112},
}


@pytest.fixture
def place(tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: tmp_path / name


def _render(
    place: Callable[[str], Path], kind: str, content: object, *, methods: tuple[str, ...] = ()
) -> list[str]:
    file = "made/report.json"
    value = content
    if isinstance(content, BenchmarkReport):
        value = content.model_dump(mode="json")
        value["provenance"]["command"] += ["--methods", "raw-line,none,csi-line"]
    write_json(place("made") / "report.json", value)
    rows = (Row(label="AR, test", file=file),)
    return render(Table(kind=kind, rows=rows, methods=methods), place).splitlines()


def test_searches_are_told_with_gallery_probes_and_intervals(place: Callable[[str], Path]) -> None:
    head, _, none, line = _render(place, "pairs", example_report(first=10, second=30))
    assert head.startswith("| probes | gallery | method | rank 1 (95 %) | rank 5 |")
    assert none.startswith("| AR, test, 40 | 60 | `none` | 25.0 % (12.7–41.2) | 25.0 | 97.5 |")
    assert line.endswith(" | 1 |")  # no face found once
    only = _render(place, "pairs", example_report(), methods=("csi-line",))
    assert len(only) == 3


def test_galleries_stand_beside_the_first_of_the_same_sketches(
    place: Callable[[str], Path],
) -> None:
    def report(found: int, embedder: str, sketches: str) -> None:
        own = example_report(first=5, second=found)
        record = own.embedder.model_copy(update={"name": embedder})
        value = own.model_copy(update={"embedder": record}).model_dump(mode="json")
        value["provenance"]["data_sha256"]["sketches"] = sketches * 64
        write_json(place(f"{embedder}-{sketches}") / "report.json", value)

    for found, embedder, sketches in (
        (10, "a", "1"),
        (16, "b", "1"),
        (30, "c", "1"),
        (9, "a", "2"),
    ):
        report(found, embedder, sketches)
    rows = tuple(Row(label="AR", file=f"{n}/report.json") for n in ("a-1", "b-1", "c-1", "a-2"))
    table = Table(kind="galleries", rows=rows, methods=("csi-line",))
    head, _, *lines = render(table, place).splitlines()
    assert "rank 1 of `csi-line` (95 %)" in head
    assert lines[0].startswith("| AR | 40 | `a` | 25.0 % (12.7–41.2) |")
    assert lines[0].endswith("|  |")  # the first stands beside none
    assert "| `b` | 40.0 % (24.9–56.7) |" in lines[1]
    assert lines[1].endswith("| 6 / 0; 0.031 |")  # 2 / 2^6, the largest of two p-values
    assert "20 / 0; 3.8e-06 |" in lines[2]  # twice 2 / 2^20
    assert lines[3].endswith("|  |")  # other sketches, so a first again


def test_comparisons_name_the_sketch_first(place: Callable[[str], Path]) -> None:
    report = example_report(first=10, second=30)
    *_, row = _render(place, "tests", report)
    assert "`none` and `csi-line` | 0 / 20 |" in row
    turned = report.comparisons[0].model_copy(
        update={"a": "csi-line", "b": "none", "only_a": 20, "only_b": 0}
    )
    *_, same = _render(place, "tests", report.model_copy(update={"comparisons": [turned]}))
    assert same == row
    *_, ways = _render(place, "ways", report, methods=("none", "csi-line"))
    assert ways.endswith("| 0 / 20; 1.9e-06 |")


def _lfw_report() -> BenchmarkReport:
    report = example_report(first=30, second=10)
    line = {probe: float(rank or 99) for probe, rank in report.methods["csi-line"].ranks.items()}
    paper = Published("the paper", 0.9979, 11_990)
    import numpy as np

    ranks = np.array(list(line.values()))
    made = score_method(ranks, list(line), gallery_size=60, weights_sha256={}, published=paper)
    compared = report.comparisons[0].model_copy(
        update={"a": "csi-line", "b": "raw-line", "only_a": 7, "only_b": 2, "is_primary": True}
    )
    mean = MeanRecord(
        mean=18.40320, standard_error=0.04909, ci95=(18.3, 18.5),
        published=PublishedMean(mean=20.1158, standard_error=0.0231),
    )  # fmt: skip
    share = mean.model_copy(
        update={"mean": 0.84575, "published": PublishedMean(mean=0.8583, standard_error=0.0003)}
    )
    quality = QualityMethod(faces=40, people=40, psnr=mean, ssim=share, r=share)
    growth = [
        GrowthPoint(gallery=size, found={"1": 10}, rank1=0.25, rank1_ci95=(0.1, 0.4))
        for size in (40, 50, 60)
    ]
    return report.model_copy(
        update={
            "methods": {"raw-line": report.methods["none"], "csi-line": made},
            "comparisons": [compared],
            "quality": QualityRecord(seed=0, methods={"csi-line": quality}),
            "growth": GrowthRecord(
                seed=0, trials=40, methods={"csi-line": growth, "raw-line": growth}
            ),
        }
    )


def test_lfw_stands_beside_the_paper(place: Callable[[str], Path]) -> None:
    report = _lfw_report()
    head, _, raw, made = _render(place, "lfw", report)
    assert head == "| probe | AR, test, n = 40 | rank 10 | paper | p against it |"
    assert raw.startswith("| line sketch | 75.0 % (")
    assert raw.endswith("| – | – |")
    assert made.startswith("| inverted by `csi-line` | 25.0 % (12.7–41.2)")
    assert made.endswith("| 99.79 % | 7.7e-72, lower |")
    *_, added = _render(place, "added", report)
    assert added.startswith("| AR, test | line sketch, `csi-line` | 7 | 2 |")


def test_faces_and_galleries_of_a_report(place: Callable[[str], Path]) -> None:
    report = _lfw_report()
    *_, quality = _render(place, "quality", report)
    assert quality == (
        "| `csi-line` | 40 | 18.403 ± 0.049 | .8458 ± .0491 | .8458 ± .0491 "
        "| 20.116 / .8583 / .8583 |"
    )
    head, _, row, _ = _render(place, "growth", report)
    assert head == "| method | 40 | 50 | 60 |"
    assert row == "| `raw-line` | 25 % | 25 % | 25 % |"
    assert "does not grow" in _render(place, "growth", example_report())[0]


def test_faces_of_an_evaluation(place: Callable[[str], Path]) -> None:
    evaluation = {"generator": "csi-line", "n_faces": 43, "figures": FIGURES}
    *_, drawn = _render(place, "drawn", evaluation)
    assert drawn == (
        "| AR, test | 43 | 17.940 ± 0.063 | .8412 ± .0015 | .9077 ± .0011 "
        "| 13.869 / .5684 / .7667 |"
    )
    *_, model = _render(place, "models", evaluation)
    assert model.endswith("| 20.116 / .8583 / .9298 |")


def test_any_six_pairs(place: Callable[[str], Path]) -> None:
    def row(name: str, n: int) -> dict[str, object]:
        figures = {m: {"value": 0.5432, "ci95": (0.5, 0.6)} for m in ("psnr", "ssim", "r")}
        return {"name": name, "n": n, "ours": figures}

    papers = {"tables": [{"name": "csi-table-3", "rows": [row("ar", 123), row("ar, any six", 6)]}]}
    *_, six = _render(place, "six", papers)
    assert six.startswith("| AR, test | 123 | 0.54 | 0.50–0.60 | .543 | .500–.600 |")
    assert six.endswith("| 13.87 / .568 / .767 |")


def test_an_ablation(place: Callable[[str], Path]) -> None:
    told = {"best": "89.4 % (177 of 198)", "none alone": "74.2 % (147 of 198); only best 32"}
    told |= {"adapter alone": "80.0 % (158 of 198); only best 19"}
    *_, best, _, none = _render(place, "ablation", {"What each part adds": told})
    assert best == "| AR, test | `best` | 89.4 % (177 of 198) |  |"
    assert none == "| AR, test | `none` | 74.2 % (147 of 198) | only best 32 |"


def test_cohorts_of_the_wanted_methods(place: Callable[[str], Path]) -> None:
    cohort = {"name": "old", "probes": 20, "rank1": 0.5, "ci95": (0.272, 0.728)}
    columns = {"age": {"none": {"cohorts": [cohort]}, "csi-line": {"cohorts": []}}}
    *_, row = _render(place, "cohorts", {"columns": columns}, methods=("none",))
    assert row == "| AR, test | `none` | age: old | 20 | 50.0 % (27.2–72.8) |"
